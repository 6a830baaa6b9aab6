# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.vm.runstrategy import Action, asks_stop
from ..fault_points import Defect
from ..kube.client import Obj


def _not_on_request(action: Action, *, vm: Obj, vmi: Obj | None, **_: Any) -> Action:
    asked = vmi is not None and asks_stop(vm, vmi)
    return Action.NONE if action is Action.STOP and asked else action


DEFECT = Defect(
    name="restart-ignored",
    sentence="A restart that the owner asks for is accepted and never carried out.",
    rows=("R44", "R8"),
    point="vm.action",
    change=_not_on_request,
)
