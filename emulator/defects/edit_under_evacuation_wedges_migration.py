# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane import names
from ..controlplane.accessors import annotations_of
from ..fault_points import Defect
from ..kube.client import Obj

GAP = 2.0


def _at_once(waits: bool, *, migration: Obj | None, **_: Any) -> bool:
    return waits and (migration is None or names.EVACUATION not in annotations_of(migration))


def _late(gap: float, *, vmi: Obj, **_: Any) -> float:
    return GAP if vmi["status"].get("evacuationNodeName") else gap


DEFECT = Defect(
    name="edit-under-evacuation-wedges-migration",
    sentence="A NAD edit that comes while a VM is evacuated leaves the evacuation's migration in Running for good.",
    rows=("R50",),
    point="vmi.waits_for_hand_over",
    change=_at_once,
    also=(("agent.completion_gap", _late),),
)
