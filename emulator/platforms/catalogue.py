# SPDX-License-Identifier: Apache-2.0
"""The add-ons of each platform. A new add-on is named here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.apiserver.builtin import default_registry
from emulator.apiserver.registry import Registry
from emulator.controlplane.profile import Profile
from emulator.nmstate.addon import NodeNetworkConfiguration
from emulator.openshift.identity import Identity
from emulator.openshift.monitoring import Monitoring
from emulator.openshift.network import ClusterNetwork
from emulator.openshift.projects import Projects
from emulator.openshift.virtualization.hyperconverged import HyperConverged
from emulator.openshift.virtualization.kubemacpool import KubeMacPool
from emulator.openshift.virtualization.network_addons import NetworkAddons
from emulator.openshift.virtualization.operators import Operators
from emulator.ovn.addons import ClusterUserDefinedNetworks, OvnKubernetes
from emulator.storage.addon import Storage

from .addon import Addon
from .platform import KUBERNETES, OPENSHIFT, Platform


def addons_of(platform: Platform) -> Iterable[Addon]:
    """New add-ons for one cluster, in the order in which they are installed."""
    common: list[Addon] = [OvnKubernetes(), Storage()]
    own: dict[str, list[type[Addon]]] = {
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
    return [*common, *(addon() for addon in own[platform.name])]


def registry_of(platform: Platform, profile: Profile) -> Registry:
    """Every resource that a cluster of this platform serves."""
    registry = default_registry()
    for addon in addons_of(platform):
        for resource in addon.resources(platform, profile):
            registry.register(resource)
    return registry
