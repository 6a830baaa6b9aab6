# SPDX-License-Identifier: Apache-2.0
"""Bridges and bridge mappings that NMState creates for one run, and removes at its end."""

from __future__ import annotations

from livenad.api.api_errors import ApiError
from livenad.api.kinds import NODE, NODE_STATE, Object, meta
from livenad.api.recorder import Heartbeat, silent
from livenad.errors import LabError
from livenad.networks.leasebook import LeaseBook
from livenad.networks.nic_leases import NicLeases
from livenad.networks.nmstate_policies import POLICY, apply_policy, policy, remove_policy
from livenad.networks.spare_nics import former_config
from livenad.ownership.labels import mark, run_of
from livenad.settings import Settings

_OFF = {"enabled": False}
_SELECTORS = ({"node-role.kubernetes.io/worker": ""}, {"kubevirt.io/schedulable": "true"})


class NodeNetworks:
    """The NMState policies of one run."""

    def __init__(self, book: LeaseBook, settings: Settings, heartbeat: Heartbeat = silent) -> None:
        self._book = book
        self._cluster = book.cluster
        self._settings = settings
        self._heartbeat = heartbeat
        self._nics = NicLeases(book, settings.spare_nic, settings.lease_timeout, heartbeat)
        self._policies: dict[str, str] = {}

    def make_bridge(self, bridge: str) -> str:
        """Make a Linux bridge on a spare NIC of all workers; returns the NIC. NoSpareNic when there is none."""
        nic = self._nics.take(lambda: self._workers()[1])
        selector, states = self._workers()
        former = former_config(states, nic)
        up = {"name": bridge, "type": "linux-bridge", "state": "up", "ipv4": _OFF, "ipv6": _OFF}
        up["bridge"] = {"options": {"stp": {"enabled": False}}, "port": [{"name": nic}]}
        gone = {"name": bridge, "type": "linux-bridge", "state": "absent"}
        body = self._policy(bridge, selector, {"interfaces": [up]}, {"interfaces": [gone, former]})
        self._apply(body, states, nic)
        return nic

    def make_mapping(self, physical_network: str, bridge: str) -> None:
        """Map a physical network of OVN-Kubernetes to an OVS bridge that all workers have."""
        selector, states = self._workers()
        mapping = {"localnet": physical_network, "bridge": bridge}
        up = {"ovn": {"bridge-mappings": [{**mapping, "state": "present"}]}}
        undo = {"ovn": {"bridge-mappings": [{**mapping, "state": "absent"}]}}
        self._apply(self._policy(physical_network, selector, up, undo), states)

    def remove(self) -> list[str]:
        """Remove all policies, whatever their state; returns a line for each that remains."""
        left = []
        for name in reversed(list(self._policies)):
            try:
                self._remove(name)
            except LabError as error:
                left.append(f"policy {name} could not be reverted: {error}")
        return left

    def _remove(self, name: str) -> None:
        found = self._cluster.find(POLICY, name)
        if found is not None and run_of(found) == self._book.run_id:
            remove_policy(self._cluster, found, self._settings.network_timeout, self._heartbeat)
        if nic := self._policies.pop(name):
            self._nics.give_back(nic)

    def _policy(self, what: str, selector: dict[str, str], up: Object, undo: Object) -> Object:
        body = policy(f"kubevirt-nad-tests-{what.lower()}", selector, up, undo)
        return mark(body, self._book.run_id, self._book.namespace)

    def _apply(self, body: Object, states: dict[str, Object], nic: str = "") -> None:
        """Apply a policy, on ``nic`` if it has one; a policy that fails is reverted on the nodes that applied it."""
        name = str(meta(body, "name"))
        self._policies[name] = nic
        try:
            apply_policy(self._cluster, body, states, self._settings.network_timeout, self._heartbeat)
        except LabError as error:
            try:
                self._remove(name)
            except LabError as other:
                raise LabError(f"{error}; and it could not be reverted: {other}") from error
            raise

    def _workers(self) -> tuple[dict[str, str], dict[str, Object]]:
        """How a policy selects the nodes on which VMs may run, and the NodeNetworkStates of those that it selects."""
        nodes = self._cluster.list(NODE).items
        able = [node for node in nodes if meta(node, "labels", {}).get("kubevirt.io/schedulable") == "true"]
        selector = next(
            (choice for choice in _SELECTORS if able and all(_has(node, choice) for node in able)), _SELECTORS[-1]
        )
        names = [str(meta(node, "name")) for node in nodes if _has(node, selector)]
        try:
            listed = {str(meta(item, "name")): item for item in self._cluster.list(NODE_STATE).items}
        except ApiError as error:
            if error.status == 404:
                raise LabError(
                    "NMState is not installed (nmstate.io is not served); install the Kubernetes NMState operator and "
                    "create an NMState resource, or set NODE_NETWORK and LOCALNET to another value than nmstate"
                ) from error
            raise
        missing = [name for name in names if name not in listed]
        if missing or not names:
            raise LabError(
                f"NMState reports no state of {', '.join(missing) or 'any node'}; check that an NMState "
                "resource exists and that its handlers run on these nodes"
            )
        return selector, {name: listed[name] for name in names}


def _has(node: Object, labels: dict[str, str]) -> bool:
    there = meta(node, "labels", {})
    return all(there.get(key) == value for key, value in labels.items())
