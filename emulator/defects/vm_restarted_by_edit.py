# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import networks
from ..controlplane.vm.runstrategy import Action
from ..fault_points import Defect
from ..kube.client import Obj


def _stop_if_edited(action: Action, *, vm: Obj, vmi: Obj | None, **_: Any) -> Action:
    if action is not Action.NONE or vmi is None or vmi.get("status", {}).get("phase") != "Running":
        return action
    return Action.STOP if networks(vm["spec"]["template"]["spec"]) != networks(vmi["spec"]) else action


DEFECT = Defect(
    name="vm-restarted-by-edit",
    sentence="The edit restarts the VM: a new VMI boots on the new network.",
    rows=("R2", "R19"),
    point="vm.action",
    change=_stop_if_edited,
)
