"""OVN-Kubernetes as parts of a platform: what a reader of the API sees of it, and the networks of a whole cluster."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any

from ..apiserver.registry import Resource
from ..controlplane.cache import Cache
from ..controlplane.profile import Profile
from ..kube.client import Obj
from ..kube.informer import Informer
from ..platforms.part import Part, Site
from ..platforms.platform import Platform
from .cudn import CUDN
from .networks import ClusterNetworks

DAEMON_SET = "ovnkube-node"
NAMESPACES = {"kubernetes": "ovn-kubernetes", "openshift": "openshift-ovn-kubernetes"}


class OvnKubernetes(Part):
    """The network plugin itself. Localnets by NAD are the node agent's affair."""

    async def install(self, site: Site) -> None:
        namespace = NAMESPACES[site.platform.name]
        await site.ensure_namespaces(namespace)
        await site.ensure("daemonsets.apps", daemon_set(namespace))


def daemon_set(namespace: str) -> Obj:
    """Its counts stay empty: nobody decides by them, and the nodes are not there yet."""
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


class ClusterUserDefinedNetworks(Part):
    """Networks that an administrator defines once for many namespaces."""

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        return (CUDN,)

    def work(self, site: Site) -> Iterable[Coroutine[Any, Any, None]]:
        informer = Informer(site.client("ovn-kubernetes", "ovnkube-cluster-manager"), CUDN.key)
        controller = ClusterNetworks(site, Cache(informer))
        return informer.run(), controller.run()
