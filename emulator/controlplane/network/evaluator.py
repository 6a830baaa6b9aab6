# SPDX-License-Identifier: Apache-2.0
"""KubeVirt's migration evaluator: whether the networks of a running VMI require a migration."""

from __future__ import annotations

from enum import Enum
from typing import Any

from emulator.controlplane.accessors import by_name, interfaces, is_absent, is_secondary, network_status, networks
from emulator.controlplane.network.pod_interfaces import split_nad

Obj = dict[str, Any]


class Need(Enum):
    """``PENDING`` gives a Dynamic Networks Controller time to plug the NIC without a migration."""

    NONE = "none"
    PENDING = "pending"
    IMMEDIATE = "immediate"


def migration_need(vmi: Obj, pod: Obj, *, live_updates_nad: bool) -> Need:
    """What the VMI's secondary networks require, given the launcher pod that it runs in."""
    nics = by_name(interfaces(vmi["spec"]))
    reported = by_name([i for i in vmi.get("status", {}).get("interfaces") or [] if i.get("name")])
    needs = [
        _network_need(
            network,
            nics[network["name"]],
            reported.get(network["name"]),
            vmi=vmi,
            pod=pod,
            live_updates_nad=live_updates_nad,
        )
        for network in networks(vmi["spec"])
        if is_secondary(network) and network["name"] in nics
    ]
    if Need.IMMEDIATE in needs:
        return Need.IMMEDIATE
    return Need.PENDING if Need.PENDING in needs else Need.NONE


def _network_need(network: Obj, nic: Obj, reported: Obj | None, *, vmi: Obj, pod: Obj, live_updates_nad: bool) -> Need:
    if reported is None:
        if is_absent(nic):
            return Need.NONE
        return Need.IMMEDIATE if "sriov" in nic else Need.PENDING
    if is_absent(nic):
        sources = {s.strip() for s in reported.get("infoSource", "").split(",")}
        if "multus-status" in sources and "domain" not in sources:
            return Need.PENDING
    if live_updates_nad and _is_on_another_nad(network, reported, vmi, pod):
        return Need.IMMEDIATE
    return Need.NONE


def _is_on_another_nad(network: Obj, reported: Obj, vmi: Obj, pod: Obj) -> bool:
    """Whether network-status names another NAD; without an entry there is nothing to compare."""
    name = reported.get("podInterfaceName")
    for entry in network_status(pod):
        if name and entry.get("interface") == name:
            wanted = "/".join(split_nad(network["multus"]["networkName"], vmi["metadata"]["namespace"]))
            return bool(entry.get("name") != wanted)
    return False
