# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import networks
from ..controlplane.settings import Settings
from ..fault_points import Defect
from ..kube.client import Obj


def _not_under_stage(answer: bool, *, settings: Settings, **_: Any) -> bool:
    return answer and settings.rollout_live_update


def _asks_for_restart(required: bool, *, vm: Obj, vmi: Obj, settings: Settings, **_: Any) -> bool:
    wanted = networks(vm["spec"]["template"]["spec"])
    return required or (not settings.rollout_live_update and wanted != networks(vmi["spec"]))


DEFECT = Defect(
    name="stage-holds-swap-back",
    sentence="Under vmRolloutStrategy Stage an edit of the network waits for a restart, like other live updates.",
    rows=("R46",),
    point="vm.copy_nad",
    change=_not_under_stage,
    also=(("vm.restart_required", _asks_for_restart),),
)
