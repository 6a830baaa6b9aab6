# SPDX-License-Identifier: Apache-2.0
"""KubeVirt's ClusterRoles, which aggregate to Kubernetes' admin, edit and view, and their binding."""

from __future__ import annotations

from typing import Any

Obj = dict[str, Any]
READ = ["get", "list", "watch"]
WRITE = ["get", "delete", "create", "update", "patch", "list", "watch"]
ALL = [*WRITE, "deletecollection"]
RBAC = "rbac.authorization.k8s.io"
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-{}"
SUBRESOURCES = "subresources.kubevirt.io"

OWN = [
    "virtualmachines",
    "virtualmachineinstances",
    "virtualmachineinstancepresets",
    "virtualmachineinstancereplicasets",
]
VMI_GET = ["console", "vnc", "vnc/screenshot", "portforward", "usbredir", "guestosinfo", "filesystemlist", "userlist"]
VMI_PUT = ["pause", "unpause", "freeze", "unfreeze", "softreboot", "reset", "addvolume", "removevolume"]
VM_PUT = ["start", "stop", "restart", "addvolume", "removevolume", "memorydump"]


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> Obj:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def _role(name: str, rules: list[Obj], aggregate: str = "") -> Obj:
    labels = {"kubevirt.io": ""}
    if aggregate:
        labels[AGGREGATE.format(aggregate)] = "true"
    meta = {"name": name, "labels": labels}
    return {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules}


def _sub(kind: str, names: list[str], verbs: list[str]) -> Obj:
    return _rule([SUBRESOURCES], [f"{kind}/{name}" for name in names], verbs)


def cluster_roles() -> list[Obj]:
    """The verbs of VMs and VMIs as KubeVirt gives them; migration objects can be read, not made."""
    use = [
        _sub("virtualmachineinstances", VMI_GET, ["get"]),
        _sub("virtualmachines", ["expand-spec", "portforward"], ["get"]),
        _sub("virtualmachineinstances", VMI_PUT, ["update"]),
        _sub("virtualmachines", VM_PUT, ["update"]),
        _rule([SUBRESOURCES], ["expand-vm-spec"], ["update"]),
    ]
    migrations = _rule(["kubevirt.io"], ["virtualmachineinstancemigrations"], READ)
    looks = [
        _sub("virtualmachineinstances", ["guestosinfo", "filesystemlist", "userlist"], ["get"]),
        _sub("virtualmachines", ["expand-spec"], ["get"]),
        _rule([SUBRESOURCES], ["expand-vm-spec"], ["update"]),
        _rule(["kubevirt.io"], [*OWN, "virtualmachineinstancemigrations"], READ),
    ]
    migrate = [
        _sub("virtualmachines", ["migrate"], ["update"]),
        _rule(["kubevirt.io"], ["virtualmachineinstancemigrations"], ALL),
    ]
    default = [
        _rule([SUBRESOURCES], ["version", "guestfs"], ["get", "list"]),
        _rule(["kubevirt.io"], ["kubevirts"], ["get", "list"]),
    ]
    return [
        _role("kubevirt.io:admin", [*use, _rule(["kubevirt.io"], OWN, ALL), migrations], "admin"),
        _role("kubevirt.io:edit", [*use, _rule(["kubevirt.io"], OWN, WRITE), migrations], "edit"),
        _role("kubevirt.io:view", looks, "view"),
        _role("kubevirt.io:migrate", migrate),
        _role("kubevirt.io:default", default),
    ]


def bindings() -> list[Obj]:
    """Every authenticated user may read the KubeVirt CR and the version."""
    name = "kubevirt.io:default"
    return [
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name, "labels": {"kubevirt.io": ""}},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "Group", "name": "system:authenticated", "apiGroup": RBAC}],
        }
    ]
