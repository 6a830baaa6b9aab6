# SPDX-License-Identifier: Apache-2.0
"""OVN-Kubernetes as add-ons of a platform: the objects by which clients detect it, and its cluster-wide networks."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any

from ..apiserver.registry import Resource
from ..controlplane.cache import Cache
from ..controlplane.profile import Profile
from ..kube.client import Obj
from ..kube.informer import Informer
from ..platforms.addon import Addon, AddonContext
from ..platforms.platform import Platform
from .cudn import CUDN
from .networks import ClusterNetworks

DAEMON_SET = "ovnkube-node"
NAMESPACES = {"kubernetes": "ovn-kubernetes", "openshift": "openshift-ovn-kubernetes"}


class OvnKubernetes(Addon):
    """The network plugin itself. The node agent implements localnets by NAD."""

    async def install(self, context: AddonContext) -> None:
        namespace = NAMESPACES[context.platform.name]
        await context.ensure_namespaces(namespace)
        await context.ensure("daemonsets.apps", daemon_set(namespace))


def daemon_set(namespace: str) -> Obj:
    """Its status counts stay empty: no client reads them, and the nodes do not exist yet."""
    labels = {"app": DAEMON_SET, "component": "network", "type": "infra"}
    pod = {"hostNetwork": True, "containers": [{"name": "ovnkube-controller", "image": "quay.io/ovn/ovn:embedded"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": DAEMON_SET, "namespace": namespace, "labels": labels},
        "spec": {
            "selector": {"matchLabels": {"app": DAEMON_SET}},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


class ClusterUserDefinedNetworks(Addon):
    """Networks that an administrator defines once for many namespaces."""

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        return (CUDN,)

    def controllers(self, context: AddonContext) -> Iterable[Coroutine[Any, Any, None]]:
        informer = Informer(context.client("ovn-kubernetes", "ovnkube-cluster-manager"), CUDN.key)
        controller = ClusterNetworks(context, Cache(informer))
        return informer.run(), controller.run()
