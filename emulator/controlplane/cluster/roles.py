"""KubeVirt's ClusterRoles, the three user-facing ones of Kubernetes that they aggregate to, and their bindings."""

from __future__ import annotations

from typing import Any

Obj = dict[str, Any]
READ = ["get", "list", "watch"]
WRITE = ["get", "delete", "create", "update", "patch", "list", "watch"]
ALL = [*WRITE, "deletecollection"]
RBAC = "rbac.authorization.k8s.io"
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-{}"
SUBRESOURCES = "subresources.kubevirt.io"

CORE_EDIT = ["configmaps", "endpoints", "events", "persistentvolumeclaims", "pods", "secrets", "services"]
CORE_STREAMS = ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "services/proxy"]
APPS = ["daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale", "statefulsets"]
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
    labels = (
        {"kubevirt.io": ""} if name.startswith("kubevirt.io:") else {"kubernetes.io/bootstrapping": "rbac-defaults"}
    )
    if aggregate:
        labels[AGGREGATE.format(aggregate)] = "true"
    meta = {"name": name, "labels": labels}
    return {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules}


def _aggregated(name: str, lower: str = "") -> Obj:
    """A role that is the sum of those labelled for it, and itself part of the next higher one."""
    role = _role(name, [], lower)
    selector = {"matchLabels": {AGGREGATE.format(name): "true"}}
    return role | {"aggregationRule": {"clusterRoleSelectors": [selector]}}


def _sub(kind: str, names: list[str], verbs: list[str]) -> Obj:
    return _rule([SUBRESOURCES], [f"{kind}/{name}" for name in names], verbs)


def _kubernetes() -> list[Obj]:
    view = [
        _rule([""], [*CORE_EDIT[:-2], "services", "serviceaccounts", "namespaces", "pods/log", "pods/status"], READ),
        _rule(["apps"], [*APPS, "controllerrevisions"], READ),
        _rule(["batch"], ["jobs", "cronjobs"], READ),
    ]
    # Whoever may only look must not see secrets.
    view[0]["resources"] = [r for r in view[0]["resources"] if r != "secrets"]
    edit = [
        _rule([""], [*CORE_EDIT, *CORE_STREAMS, "serviceaccounts"], ALL),
        _rule([""], ["pods/eviction", "serviceaccounts/token"], ["create"]),
        _rule(["apps"], APPS, ALL),
        _rule(["batch"], ["jobs", "cronjobs"], ALL),
        _rule(["coordination.k8s.io"], ["leases"], ALL),
    ]
    admin = [
        _rule([RBAC], ["roles", "rolebindings"], ALL),
        _rule(["authorization.k8s.io"], ["localsubjectaccessreviews"], ["create"]),
    ]
    everything = [_rule(["*"], ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}]
    return [
        _role("cluster-admin", everything),
        _aggregated("admin"),
        _aggregated("edit", "admin"),
        _aggregated("view", "edit"),
        _role("system:aggregate-to-admin", admin, "admin"),
        _role("system:aggregate-to-edit", edit, "edit"),
        _role("system:aggregate-to-view", view, "view"),
    ]


def _kubevirt() -> list[Obj]:
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


def _machinery() -> list[Obj]:
    """Roles of the cluster's own parts that speak to the API over the network."""
    everywhere = {"nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/version"], "verbs": ["get"]}
    return [
        _role("system:discovery", [everywhere]),
        _role(
            "system:basic-user",
            [
                _rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
                _rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
            ],
        ),
        _role(
            "system:node",
            [
                _rule([""], ["pods", "pods/status", "pods/eviction", "nodes", "nodes/status", "events"], ALL),
                _rule([""], ["namespaces", "configmaps", "secrets", "persistentvolumeclaims"], [*READ, "create"]),
                _rule(["coordination.k8s.io"], ["leases"], ALL),
            ],
        ),
        _role(
            "multus",
            [
                _rule(["k8s.cni.cncf.io"], ["*"], ["*"]),
                _rule([""], ["pods", "pods/status"], ["get", "list", "watch", "update", "patch"]),
                _rule(["", "events.k8s.io"], ["events"], ["create", "patch", "update"]),
            ],
        ),
        _role(
            "kubevirt-handler",
            [
                _rule(["kubevirt.io"], ["*"], ["*"]),
                _rule([""], ["pods", "pods/status", "nodes", "nodes/status", "events"], ALL),
                _rule([""], ["secrets", "configmaps", "persistentvolumeclaims", "namespaces"], READ),
                _rule(["k8s.cni.cncf.io"], ["network-attachment-definitions"], READ),
            ],
        ),
    ]


def cluster_roles() -> list[Obj]:
    return [*_kubernetes(), *_kubevirt(), *_machinery()]


def bindings() -> list[Obj]:
    authenticated = {"kind": "Group", "name": "system:authenticated", "apiGroup": RBAC}
    nodes = {"kind": "Group", "name": "system:nodes", "apiGroup": RBAC}
    masters = {"kind": "Group", "name": "system:masters", "apiGroup": RBAC}
    multus = {"kind": "ServiceAccount", "name": "multus", "namespace": "kube-system"}
    handler = {"kind": "ServiceAccount", "name": "kubevirt-handler", "namespace": "kubevirt"}
    given = (
        ("cluster-admin", "cluster-admin", masters),
        ("system:discovery", "system:discovery", authenticated),
        ("system:basic-user", "system:basic-user", authenticated),
        ("system:node", "system:node", nodes),
        ("kubevirt.io:default", "kubevirt.io:default", authenticated),
        ("multus", "multus", multus),
        ("kubevirt-handler", "kubevirt-handler", handler),
    )
    return [
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [subject],
        }
        for name, role, subject in given
    ]
