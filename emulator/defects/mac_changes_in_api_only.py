# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj


def _another_mac(status: Obj, **_: Any) -> Obj:
    if (status.get("migrationState") or {}).get("completed"):
        for entry in status.get("interfaces", []):
            if entry.get("mac"):
                entry["mac"] = f"{entry['mac'][:-2]}{int(entry['mac'][-2:], 16) ^ 0x5A:02x}"
    return status


DEFECT = Defect(
    name="mac-changes-in-api-only",
    sentence="After the swap the VMI reports MAC addresses that its guest does not have.",
    rows=("R6",),
    point="agent.vmi_status",
    change=_another_mac,
)
