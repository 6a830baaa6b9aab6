# SPDX-License-Identifier: Apache-2.0
"""The roles of the node agent's identities, as kubelets, Multus and virt-handler have them."""

from __future__ import annotations

from typing import Any

from ..kube.client import Client, Obj
from ..kube.errors import ApiError
from ..platforms.platform import Platform

GROUP = "rbac.authorization.k8s.io"
READ = ["get", "list", "watch"]


def _rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


ROLES: dict[str, tuple[list[dict[str, Any]], dict[str, str]]] = {
    # As a kube-apiserver makes it: NodeRules in plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go.
    "system:node": (
        [
            _rule("authentication.k8s.io", ["tokenreviews"], ["create"]),
            _rule("authorization.k8s.io", ["subjectaccessreviews", "localsubjectaccessreviews"], ["create"]),
            _rule("", ["services", "pods", "secrets", "configmaps"], READ),
            _rule("", ["nodes"], ["create", *READ, "update", "patch"]),
            _rule("", ["nodes/status", "pods/status"], ["update", "patch"]),
            _rule("", ["events"], ["create", "update", "patch"]),
            _rule("", ["pods"], ["create", "delete"]),
            _rule("", ["pods/eviction", "serviceaccounts/token"], ["create"]),
            _rule("", ["persistentvolumeclaims", "persistentvolumes", "endpoints"], ["get"]),
            _rule("", ["persistentvolumeclaims/status"], ["get", "update", "patch"]),
            _rule("certificates.k8s.io", ["certificatesigningrequests"], ["create", *READ]),
            _rule("coordination.k8s.io", ["leases"], ["get", "create", "update", "patch", "delete"]),
            _rule("storage.k8s.io", ["volumeattachments"], ["get"]),
            _rule("storage.k8s.io", ["csidrivers"], READ),
            _rule("storage.k8s.io", ["csinodes"], ["get", "create", "update", "patch", "delete"]),
            _rule("node.k8s.io", ["runtimeclasses"], READ),
        ],
        {"kind": "Group", "name": "system:nodes"},
    ),
    # As deployments/multus-daemonset.yml and multus-daemonset-thick.yml of Multus make it.
    "multus": (
        [
            _rule("k8s.cni.cncf.io", ["*"], ["*"]),
            _rule("", ["pods", "pods/status"], ["get", "list", "update", "watch"]),
            _rule("", ["events"], ["create", "patch", "update"]),
        ],
        {"kind": "ServiceAccount", "namespace": "kube-system", "name": "multus"},
    ),
    # As virt-operator of KubeVirt 1.9.0 and of main makes it.
    "kubevirt-handler": (
        [
            _rule("kubevirt.io", ["virtualmachineinstances"], ["update", "list", "watch"]),
            _rule("", ["nodes"], ["patch", "list", "watch", "get"]),
            _rule("", ["configmaps"], READ),
            _rule("", ["events"], ["create", "patch"]),
            _rule("apiextensions.k8s.io", ["customresourcedefinitions"], READ),
            _rule("kubevirt.io", ["kubevirts"], READ),
            _rule("migrations.kubevirt.io", ["migrationpolicies"], READ),
            _rule(
                "backup.kubevirt.io",
                ["virtualmachinebackuptrackers", "virtualmachinebackuptrackers/status"],
                ["list", "watch", "patch"],
            ),
            _rule("plugin.kubevirt.io", ["plugins"], READ),
        ],
        {"kind": "ServiceAccount", "name": "kubevirt-handler"},
    ),
    "nmstate-handler": (
        [
            _rule("nmstate.io", ["*"], ["*"]),
            _rule("", ["nodes"], READ),
            _rule("", ["events"], ["create", "update", "patch"]),
        ],
        {"kind": "ServiceAccount", "namespace": "openshift-nmstate", "name": "nmstate-handler"},
    ),
}


async def grant(client: Client, platform: Platform) -> None:
    """Creates the roles and their bindings. A service account without a namespace is one of KubeVirt's."""
    for name, (rules, subject) in ROLES.items():
        api = f"{GROUP}/v1"
        meta = {"name": name}
        role = {"apiVersion": api, "kind": "ClusterRole", "metadata": meta, "rules": rules}
        home = {"namespace": platform.kubevirt_namespace}
        rest = home if subject["kind"] == "ServiceAccount" else {"apiGroup": GROUP}
        binding = {
            "apiVersion": api,
            "kind": "ClusterRoleBinding",
            "metadata": meta,
            "subjects": [rest | subject],
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name},
        }
        await _create(client, f"clusterroles.{GROUP}", role)
        await _create(client, f"clusterrolebindings.{GROUP}", binding)


async def _create(client: Client, resource: str, obj: Obj) -> None:
    try:
        await client.create(resource, obj)
    except ApiError as error:
        if error.code != 409:
            raise
