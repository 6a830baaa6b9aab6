# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import networks
from ..fault_points import Defect
from ..kube.client import Obj


class _OnlyAsBooted:
    """Copies no NAD to a VMI that has a NIC more than it started with."""

    def __init__(self) -> None:
        self._booted: dict[str, set[str]] = {}

    def __call__(self, copy: bool, *, vmi: Obj, **_: Any) -> bool:
        names = {network["name"] for network in networks(vmi["spec"])}
        booted = self._booted.setdefault(vmi["metadata"]["uid"], names)
        return copy and names <= booted


DEFECT = Defect(
    name="plugged-nic-is-not-swapped",
    sentence="A NIC that was plugged into a running VM stays on its network when that is edited.",
    rows=("R5",),
    point="vm.copy_nad",
    change=_OnlyAsBooted(),
)
