# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj


def _another_machine(status: Obj, **_: Any) -> Obj:
    if (status.get("migrationState") or {}).get("completed") and status.get("machine"):
        status["machine"] = {"type": "pc-q35-rhel9.6.0"}
    return status


DEFECT = Defect(
    name="machine-type-changed-after-swap",
    sentence="After the swap the VMI is another type of machine, which no check of its network looks at.",
    rows=("R51",),
    point="agent.vmi_status",
    change=_another_machine,
)
