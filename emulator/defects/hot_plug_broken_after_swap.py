# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj


def _only_where_never_migrated(plug: bool, *, vmi: Obj, **_: Any) -> bool:
    return plug and not vmi.get("status", {}).get("migrationState")


DEFECT = Defect(
    name="hot-plug-broken-after-swap",
    sentence="A VM that was swapped gets no NIC plugged in any more.",
    rows=("R5",),
    point="vm.plug_nic",
    change=_only_where_never_migrated,
)
