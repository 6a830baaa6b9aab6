# SPDX-License-Identifier: Apache-2.0
"""NICs that are hot-plugged or hot-unplugged."""

from __future__ import annotations

from typing import Any

from ..controlplane.accessors import networks
from ..fault_points import Defect
from ..kube.client import Obj


def _only_where_never_migrated(plug: bool, *, vmi: Obj, **_: Any) -> bool:
    return plug and not vmi.get("status", {}).get("migrationState")


HOT_PLUG_BROKEN_AFTER_SWAP = Defect(
    name="hot-plug-broken-after-swap",
    sentence="A VM that was swapped gets no NIC plugged in any more.",
    rows=("R5",),
    point="vm.plug_nic",
    change=_only_where_never_migrated,
)


def _never(_plugs: bool, **_: Any) -> bool:
    return False


HOT_PLUG_IGNORED = Defect(
    name="hot-plug-ignored",
    sentence="A NIC that is added to a running VM is never plugged into it.",
    rows=("R4", "R5"),
    point="vm.plug_nic",
    change=_never,
)


class _OnlyAsBooted:
    """Copies no NAD to a VMI that has a NIC more than it started with."""

    def __init__(self) -> None:
        self._booted: dict[str, set[str]] = {}

    def __call__(self, copy: bool, *, vmi: Obj, **_: Any) -> bool:
        names = {network["name"] for network in networks(vmi["spec"])}
        booted = self._booted.setdefault(vmi["metadata"]["uid"], names)
        return copy and names <= booted


PLUGGED_NIC_IS_NOT_SWAPPED = Defect(
    name="plugged-nic-is-not-swapped",
    sentence="A NIC that was plugged into a running VM stays on its network when that is edited.",
    rows=("R5",),
    point="vm.copy_nad",
    change=_OnlyAsBooted(),
)


def _unplugged_nic_stays_in_guest(_unplug: bool, **_: Any) -> bool:
    return False


UNPLUGGED_NIC_STAYS_IN_GUEST = Defect(
    name="unplugged-nic-stays-in-guest",
    sentence="A NIC that is unplugged is gone from the API, and the guest keeps it.",
    rows=("R4", "R5"),
    point="agent.unplug",
    change=_unplugged_nic_stays_in_guest,
)
