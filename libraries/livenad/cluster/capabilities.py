# SPDX-License-Identifier: Apache-2.0
"""Capabilities, which a cluster may have or not: each is measured once in a run, and has a remedy if it is missing.

Suites and the test plan use these names. A capability that cannot be measured counts as missing: otherwise a test would
blame the product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from livenad.cluster import environment
from livenad.cluster.environment import Lab, Measured
from livenad.cluster.facts import GATE, LIVE_MIGRATE
from livenad.cluster.settings_owner import right_to_switch
from livenad.errors import LAB_ERROR_PREFIX, BadInput, CapabilityMissing, LabError
from livenad.permissions.rights import EVICTION, may, within

CapabilityName = Literal[
    "live-update",
    "gate-off",
    "settings-switch",
    "automatic-migration",
    "localnet",
    "second-bridge",
    "dynamic-networks-controller",
    "metrics",
    "foreign-nad",
    "rwo-storage",
    "ipv6",
    "eviction",
    "node-list",
]


@dataclass(frozen=True)
class Capability:
    """``name`` is the name in suites and plan; ``remedy`` says how to get it."""

    name: str
    meaning: str
    measure: Callable[[Lab], Measured]
    remedy: str


NO_KUBEVIRT = Measured(False, "KubeVirt is not installed")


def _live_update(lab: Lab) -> Measured:
    kubevirt = lab.facts.kubevirt
    if kubevirt is None:
        return NO_KUBEVIRT
    return Measured(*kubevirt.live_update_gate, because_of_rights=kubevirt.version is not None)


def _gate_off(lab: Lab) -> Measured:
    kubevirt = lab.facts.kubevirt
    if kubevirt is None:
        return NO_KUBEVIRT
    live, why = kubevirt.live_update_gate
    if not live:
        return Measured(None if live is None else True, why, because_of_rights=kubevirt.version is not None)
    if not kubevirt.gate_can_change:
        return Measured(False, f"{why}, and it cannot be turned off")
    switch = _settings_switch(lab)
    return Measured(switch.there, f"{why}; {switch.value}")


def _settings_switch(lab: Lab) -> Measured:
    if not lab.settings.allow_disruptive:
        return Measured(False, "variable ALLOW_DISRUPTIVE is no")
    if lab.facts.kubevirt is None:
        return NO_KUBEVIRT
    if not lab.facts.kubevirt.name:
        return Measured(None, "no right to read the KubeVirt resource")
    try:
        right = right_to_switch(lab.facts)
    except LabError as error:
        return Measured(False, str(error).removeprefix(LAB_ERROR_PREFIX))
    if not may(lab.cluster, right):
        return Measured(False, f"{lab.facts.user} has no right to {right}")
    return Measured(True, f"ALLOW_DISRUPTIVE is yes, and {lab.facts.user} has the right to {right}")


def _automatic_migration(lab: Lab) -> Measured:
    kubevirt = lab.facts.kubevirt
    if kubevirt is None:
        return NO_KUBEVIRT
    if kubevirt.workload_update_methods is None:
        return Measured(None, "no right to read KubeVirt's workloadUpdateMethods")
    return Measured(
        LIVE_MIGRATE in kubevirt.workload_update_methods,
        f"{kubevirt.title} has workloadUpdateMethods {kubevirt.methods_text}",
    )


def _localnet(lab: Lab) -> Measured:
    how = lab.settings.localnet
    if how == "none":
        return Measured(False, "variable LOCALNET is none")
    ovn = environment.ovn_kubernetes(lab)
    if ovn.there and how == "nmstate":
        nmstate = environment.nmstate(lab)
        return Measured(nmstate.there, f"LOCALNET is nmstate; {nmstate.value}")
    return Measured(ovn.there, f"LOCALNET is {how}; {ovn.value}")


def _metrics(lab: Lab) -> Measured:
    from livenad.metrics.sources import Given, measure  # noqa: PLC0415 - few suites need an HTTP client of their own

    namespace = lab.facts.kubevirt.namespace if lab.facts.kubevirt else ""
    given = Given(lab.settings.monitoring_url, lab.settings.monitoring_token_file)
    return Measured(*measure(lab.cluster, namespace, given))


def _ipv6(lab: Lab) -> Measured:
    prefix = lab.settings.ipv6_prefix
    return Measured(bool(prefix), f"IPV6_PREFIX is {prefix}" if prefix else "variable IPV6_PREFIX is empty")


def _eviction(lab: Lab) -> Measured:
    (right,) = within(EVICTION, lab.settings.namespace)
    allowed = may(lab.cluster, right)
    return Measured(allowed, f"{lab.facts.user} has {'the' if allowed else 'no'} right to {right}")


def _node_list(lab: Lab) -> Measured:
    nodes = lab.facts.nodes
    return Measured(None if nodes is None else True, "no right to list nodes" if nodes is None else "nodes are listed")


_SWITCH = "set variable ALLOW_DISRUPTIVE to yes and use a kubeconfig that may change KubeVirt's settings"
CAPABILITIES = {
    one.name: one
    for one in (
        Capability(
            "live-update",
            "a changed networkName takes effect on the running VM",
            _live_update,
            f"use KubeVirt 1.9 or newer, or turn the gate {GATE} on in KubeVirt 1.8",
        ),
        Capability(
            "gate-off",
            "a changed networkName does not take effect on the running VM, or that can be configured",
            _gate_off,
            f"use KubeVirt 1.8 or older; where its gate {GATE} is on, {_SWITCH}",
        ),
        Capability(
            "settings-switch", "settings of the whole cluster may be changed temporarily", _settings_switch, _SWITCH
        ),
        Capability(
            "automatic-migration",
            "the cluster live-migrates a VM whose change needs it",
            _automatic_migration,
            'an administrator sets spec.workloadUpdateStrategy.workloadUpdateMethods: ["LiveMigrate"] '
            "(on OpenShift in the HyperConverged resource)",
        ),
        Capability(
            "localnet",
            "networks of OVN-Kubernetes with topology localnet",
            _localnet,
            "use a cluster with OVN-Kubernetes and a bridge mapping, and set variable LOCALNET",
        ),
        Capability(
            "second-bridge",
            "another bridge on every node, apart from the first",
            environment.second_bridge,
            "configure a second bridge with an uplink on every node and set variable OTHER_BRIDGE to its name",
        ),
        Capability(
            "dynamic-networks-controller",
            "NICs are plugged into running pods",
            environment.dynamic_networks_controller,
            "install the Multus Dynamic Networks Controller",
        ),
        Capability(
            "metrics",
            "KubeVirt's metrics can be read",
            _metrics,
            "get the right to read pods/proxy in KubeVirt's namespace, or cluster-monitoring-view and a token",
        ),
        Capability(
            "foreign-nad",
            "a VM may use a NAD of another namespace",
            environment.foreign_nads,
            "turn off namespaceIsolation in the configuration of Multus",
        ),
        Capability(
            "rwo-storage",
            "a StorageClass for volumes of one node",
            environment.storage,
            "mark a default StorageClass, or set variable STORAGE_CLASS",
        ),
        Capability("ipv6", "guests have IPv6 addresses", _ipv6, "set variable IPV6_PREFIX"),
        Capability(
            "eviction",
            "the user may evict pods, as kubectl drain does",
            _eviction,
            'get the right to "create" on pods/eviction: role kubevirt-nad-tests-runner or own-namespaces, docs/rbac/',
        ),
        Capability("node-list", "the nodes may be listed", _node_list, "get the right to list nodes"),
    )
}
"""All capabilities, by name."""


def check_names(names: Iterable[str], where: str) -> None:
    """Raise BadInput for the first unknown name; ``where`` says where it comes from."""
    for name in names:
        if name not in CAPABILITIES:
            raise BadInput(f'{where} names unknown capability "{name}"; known are: {", ".join(CAPABILITIES)}')


class Capabilities:
    """The capabilities of one cluster; each is measured once in a run."""

    def __init__(self, lab: Callable[[], Lab]) -> None:
        self._lab = lab
        self.known: dict[str, Measured] = {}

    def measured(self, name: CapabilityName) -> Measured:
        """The measured value of a capability."""
        if name not in self.known:
            self.known[name] = CAPABILITIES[name].measure(self._lab())
        return self.known[name]

    def require(self, name: CapabilityName) -> str:
        """The measured value of an existing capability.

        Raises CapabilityMissing when it is missing, or LabError when variable EXPECTED_CAPABILITIES lists it.
        """
        found = self.measured(name)
        if found.there:
            return found.value
        value = found.value
        if found.there is None:
            value = f"unknown: {value}"
            if found.because_of_rights:
                value += "; role kubevirt-nad-tests-reader, docs/rbac/reader.yaml, has the rights to read it"
        if name in self._lab().settings.expected_capabilities:
            raise LabError(
                f"capability {name} ({CAPABILITIES[name].meaning}) is expected by variable EXPECTED_CAPABILITIES "
                f"and is missing: {value}; {CAPABILITIES[name].remedy}"
            )
        raise CapabilityMissing(f"capability {name} is not there: {value}")
