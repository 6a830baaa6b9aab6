"""Which parts each platform consists of. A new part of a platform is named here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.apiserver.builtin import default_registry
from emulator.apiserver.registry import Registry
from emulator.controlplane.profile import Profile
from emulator.nmstate.part import NodeNetworkConfiguration
from emulator.openshift.identity import Identity
from emulator.openshift.monitoring import Monitoring
from emulator.openshift.network import ClusterNetwork
from emulator.openshift.projects import Projects
from emulator.openshift.virtualization.addons import NetworkAddons
from emulator.openshift.virtualization.hyperconverged import HyperConverged
from emulator.openshift.virtualization.kubemacpool import KubeMacPool
from emulator.openshift.virtualization.operators import Operators
from emulator.ovn.parts import ClusterUserDefinedNetworks, OvnKubernetes
from emulator.storage.part import Storage

from .part import Part
from .platform import KUBERNETES, OPENSHIFT, Platform


def parts_of(platform: Platform) -> Iterable[Part]:
    """Fresh parts for one cluster, in the order in which they are installed."""
    common: list[Part] = [OvnKubernetes(), Storage()]
    own: dict[str, list[type[Part]]] = {
        KUBERNETES.name: [],
        OPENSHIFT.name: [
            Identity,
            Projects,
            ClusterNetwork,
            Monitoring,
            ClusterUserDefinedNetworks,
            NodeNetworkConfiguration,
            NetworkAddons,
            KubeMacPool,
            Operators,
            HyperConverged,
        ],
    }
    return [*common, *(part() for part in own[platform.name])]


def registry_of(platform: Platform, profile: Profile) -> Registry:
    """Every resource that a cluster of this platform serves."""
    registry = default_registry()
    for part in parts_of(platform):
        for resource in part.resources(platform, profile):
            registry.register(resource)
    return registry
