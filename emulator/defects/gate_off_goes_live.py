# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.network.evaluator import Need, migration_need
from ..fault_points import Defect
from ..kube.client import Obj


def _yes(_answer: bool, **_: Any) -> bool:
    return True


def _no(_answer: bool, **_: Any) -> bool:
    return False


def _by_content(_need: Need, *, vmi: Obj, pod: Obj, **_: Any) -> Need:
    return migration_need(vmi, pod, live_updates_nad=True)


DEFECT = Defect(
    name="gate-off-goes-live",
    sentence="The edit goes live although the feature gate is off.",
    rows=("R7",),
    point="vm.copy_nad",
    change=_yes,
    also=(("vm.restart_required", _no), ("vmi.migration_required", _by_content)),
)
