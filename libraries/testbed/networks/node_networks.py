"""Bridges and bridge-mappings that NMState makes for one run, and takes away at its end."""

from __future__ import annotations

from testbed.cluster.api_errors import ApiError
from testbed.cluster.client import Cluster
from testbed.errors import BadInput, LabError
from testbed.networks.leasebook import NIC, LeaseBook, holder_text, lease_name
from testbed.networks.policies import POLICY, apply_policy, policy, remove_policy
from testbed.networks.spare_nics import candidates, former_config, objections, spare_nics
from testbed.objects.kinds import NODE, Kind, Object, dig, meta
from testbed.recording.recorder import Heartbeat, silent
from testbed.settings import Settings

NODE_STATE = Kind("nmstate.io/v1beta1", "nodenetworkstates", "NodeNetworkState", namespaced=False)

_OFF = {"enabled": False}
_SELECTORS = ({"node-role.kubernetes.io/worker": ""}, {"kubevirt.io/schedulable": "true"})


class NodeNetworks:
    """What NMState was asked for by one run."""

    def __init__(self, book: LeaseBook, settings: Settings, heartbeat: Heartbeat = silent) -> None:
        self._book = book
        self._cluster = book.cluster
        self._settings = settings
        self._heartbeat = heartbeat
        self._nics: list[str] = []
        self._policies: list[str] = []

    def make_bridge(self, bridge: str) -> str:
        """Make a Linux bridge on a spare NIC of all workers; gives the NIC. LabError when there is none."""
        selector, states = self._workers()
        nic = self._lease_nic(states)
        former = former_config(states, nic)
        up = {"name": bridge, "type": "linux-bridge", "state": "up", "ipv4": _OFF, "ipv6": _OFF}
        up["bridge"] = {"options": {"stp": {"enabled": False}}, "port": [{"name": nic}]}
        gone = {"name": bridge, "type": "linux-bridge", "state": "absent"}
        self._apply(bridge, selector, states, {"interfaces": [up]}, {"interfaces": [gone, former]})
        return nic

    def make_mapping(self, physical_network: str, bridge: str) -> None:
        """Map a physical network of OVN-Kubernetes to an OVS bridge that all workers have."""
        selector, states = self._workers()
        mapping = {"localnet": physical_network, "bridge": bridge}
        self._apply(
            physical_network,
            selector,
            states,
            {"ovn": {"bridge-mappings": [{**mapping, "state": "present"}]}},
            {"ovn": {"bridge-mappings": [{**mapping, "state": "absent"}]}},
        )

    def remove(self) -> list[str]:
        """Take everything away, whatever state it is in; a line for each that stays."""
        left = []
        for name in reversed(self._policies):
            try:
                if (found := self._cluster.find(POLICY, name)) is not None:
                    remove_policy(self._cluster, found, self._settings.network_timeout, self._heartbeat)
            except LabError as error:
                left.append(f"policy {name} could not be undone: {error}")
        if not left:
            for nic in self._nics:
                self._book.give_back(lease_name("nic", nic))
        return left

    def _apply(self, what: str, selector: dict[str, str], states: dict[str, Object], up: Object, undo: Object) -> None:
        body = policy(f"kubevirt-nad-tests-{what.lower()}", self._book.run_id, selector, up, undo)
        self._policies.append(str(meta(body, "name")))
        apply_policy(self._cluster, body, states, self._settings.network_timeout, self._heartbeat)

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
                    "create an NMState resource, or set NODE_NETWORK and LOCALNET to something else than nmstate"
                ) from error
            raise
        missing = [name for name in names if name not in listed]
        if missing or not names:
            raise LabError(
                f"NMState reports no state of {', '.join(missing) or 'any node'}; check that an NMState "
                "resource exists and that its handlers run on these nodes"
            )
        return selector, {name: listed[name] for name in names}

    def _lease_nic(self, states: dict[str, Object]) -> str:
        wanted = self._settings.spare_nic
        for nic in wanted:
            if nic not in self._nics and (why := objections(states, nic)):
                raise BadInput(f'variable SPARE_NIC names "{nic}", expected a spare NIC: {"; ".join(why)}')
        taken = []
        claimed = _claimed(self._cluster)
        for nic in wanted or spare_nics(states):
            if nic in self._nics or nic in claimed:
                continue
            holder = self._book.take(lease_name("nic", nic), NIC, f"NIC {nic} of all workers")
            if holder is None:
                self._nics.append(nic)
                return nic
            taken.append(f"{nic} is used by {holder_text(holder)}")
        taken += [f"{nic} by this run" for nic in self._nics]
        told = [f"{nic}: {'; '.join(objections(states, nic)) or 'spare'}" for nic in candidates(states)]
        raise LabError(
            f"no spare NIC on all of {', '.join(states)}: {'. '.join([*taken, *told])}. Needed is an ethernet NIC "
            "of one name that is up and has no address, route or bridge; name it with --variable SPARE_NIC:<name>, or "
            "choose another NODE_NETWORK"
        )


def _has(node: Object, labels: dict[str, str]) -> bool:
    there = meta(node, "labels", {})
    return all(there.get(key) == value for key, value in labels.items())


def _claimed(cluster: Cluster) -> set[str]:
    """NICs that policies name as a port, whether it has come true on the nodes or not."""
    return {
        str(port.get("name"))
        for item in cluster.list(POLICY).items
        for interface in dig(item, "spec", "desiredState", "interfaces", default=[]) or []
        for port in dig(interface, "bridge", "port", default=[]) or []
    }
