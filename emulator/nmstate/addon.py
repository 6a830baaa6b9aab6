# SPDX-License-Identifier: Apache-2.0
"""NMState as an add-on of a platform."""

from __future__ import annotations

from collections.abc import Iterable

from ..apiserver.registry import Resource
from ..controlplane.profile import Profile
from ..kube.client import Obj
from ..platforms.addon import Addon, AddonContext
from ..platforms.platform import Platform
from .kinds import GROUP, KINDS, NMSTATE
from .webhooks import Webhooks

NAMESPACE = "openshift-nmstate"
HANDLER = "nmstate-handler"
READER = "nmstate-cluster-reader"
RBAC = "rbac.authorization.k8s.io"


class NodeNetworkConfiguration(Addon):
    """The NMState object, the handlers' DaemonSet, and the reader role."""

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        return KINDS

    def register(self, context: AddonContext) -> None:
        Webhooks(context.core).register()

    async def install(self, context: AddonContext) -> None:
        await context.ensure_namespaces(NAMESPACE)
        await context.ensure("daemonsets.apps", daemon_set())
        await context.ensure(f"clusterroles.{RBAC}", reader())
        operator = {"apiVersion": f"{GROUP}/v1", "kind": "NMState", "metadata": {"name": "nmstate"}, "spec": {}}
        await context.ensure(NMSTATE.key, operator)


def daemon_set() -> Obj:
    labels = {"app": "kubernetes-nmstate", "component": "kubernetes-nmstate-handler"}
    pod = {"hostNetwork": True, "containers": [{"name": HANDLER, "image": f"quay.io/nmstate/{HANDLER}:embedded"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": HANDLER, "namespace": NAMESPACE, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def reader() -> Obj:
    """The role of cluster readers for the nodes' networks; only a cluster administrator can change them."""
    kinds = [kind.plural for kind in KINDS if kind is not NMSTATE]
    labels = {f"{RBAC}/aggregate-to-cluster-reader": "true"}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": READER, "labels": labels},
        "rules": [{"apiGroups": [GROUP], "resources": kinds, "verbs": ["get", "list", "watch"]}],
    }
