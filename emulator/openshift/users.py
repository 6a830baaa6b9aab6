# SPDX-License-Identifier: Apache-2.0
"""The roles of users of OpenShift who are not cluster administrators."""

from __future__ import annotations

from emulator.kube.client import Obj
from emulator.platforms.addon import AddonContext

from .objects import made

RBAC = "rbac.authorization.k8s.io"
READ = ["get", "list", "watch"]
OAUTH = "system:authenticated:oauth"
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-{}"
CONFIGS = (
    "config.openshift.io",
    "hco.kubevirt.io",
    "networkaddonsoperator.network.kubevirt.io",
    "operators.coreos.com",
    "route.openshift.io",
)


def _rule(group: str, resources: list[str], verbs: list[str]) -> Obj:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


PROJECT = "project.openshift.io"
# Name of a ClusterRole -> its rules, the role that it is aggregated to, the group that it is bound to.
USER_ROLES: dict[str, tuple[list[Obj], str, str]] = {
    "basic-user": (
        [
            _rule(PROJECT, ["projects"], ["list", "watch"]),
            _rule(PROJECT, ["projectrequests"], ["list"]),
            _rule("storage.k8s.io", ["storageclasses"], READ),
        ],
        "",
        "system:authenticated",
    ),
    "self-provisioner": ([_rule(PROJECT, ["projectrequests"], ["create"])], "", OAUTH),
    "system:openshift:aggregate-to-admin": ([_rule(PROJECT, ["projects"], ["delete", "get"])], "admin", ""),
    "system:openshift:aggregate-to-view": ([_rule(PROJECT, ["projects"], ["get"])], "view", ""),
    "system:openshift:aggregate-to-cluster-reader": (
        [
            *(_rule(group, ["*"], READ) for group in CONFIGS),
            _rule("", ["nodes", "namespaces", "pods", "services", "events", "configmaps"], READ),
            _rule("apps", ["*"], READ),
            _rule("kubevirt.io", ["*"], READ),
        ],
        "cluster-reader",
        "",
    ),
}


async def grant_all(context: AddonContext, roles: dict[str, tuple[list[Obj], str, str]]) -> None:
    """Creates the ClusterRoles with their bindings, and ``cluster-reader``, which others are aggregated to."""
    for name, (rules, target, group) in roles.items():
        labels = {AGGREGATE.format(target): "true"} if target else {}
        role = made(f"{RBAC}/v1", "ClusterRole", name, labels=labels) | {"rules": rules}
        await context.ensure(f"clusterroles.{RBAC}", role)
        if group:
            binding = made(f"{RBAC}/v1", "ClusterRoleBinding", f"{name}s") | {
                "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
                "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group}],
            }
            await context.ensure(f"clusterrolebindings.{RBAC}", binding)
    selector = {"matchLabels": {AGGREGATE.format("cluster-reader"): "true"}}
    reader = made(f"{RBAC}/v1", "ClusterRole", "cluster-reader")
    await context.ensure(f"clusterroles.{RBAC}", reader | {"aggregationRule": {"clusterRoleSelectors": [selector]}})
