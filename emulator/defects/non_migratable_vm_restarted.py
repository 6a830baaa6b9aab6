# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import is_migratable, networks
from ..controlplane.vm.runstrategy import Action
from ..fault_points import Defect
from ..kube.client import Obj


def _stop_if_edited(action: Action, *, vm: Obj, vmi: Obj | None, **_: Any) -> Action:
    if action is not Action.NONE or vmi is None or vmi.get("status", {}).get("phase") != "Running":
        return action
    edited = networks(vm["spec"]["template"]["spec"]) != networks(vmi["spec"])
    return Action.STOP if edited and not is_migratable(vmi) else action


DEFECT = Defect(
    name="non-migratable-vm-restarted",
    sentence="A VM that cannot be live-migrated is restarted at once when its network is edited.",
    rows=("R15", "R19"),
    point="vm.action",
    change=_stop_if_edited,
)
