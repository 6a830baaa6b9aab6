# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj
from ..pace import clock

SHINES = 0.3


class _Blink:
    """Shines once for each edit of a running VM's spec."""

    def __init__(self) -> None:
        self._generation: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def __call__(self, required: bool, *, vm: Obj, requeue: Callable[[float], None], **_: Any) -> bool:
        uid, generation = vm["metadata"]["uid"], vm["metadata"]["generation"]
        now = clock()
        if generation > self._generation.setdefault(uid, generation):
            self._generation[uid] = generation
            self._until[uid] = now + SHINES
        left = self._until.get(uid, now) - now
        if left <= 0:
            return required
        requeue(left)
        return True


DEFECT = Defect(
    name="restart-required-blinks",
    sentence="After the edit the VM carries RestartRequired for 300 ms, then the swap goes its normal way.",
    rows=("R3",),
    point="vm.restart_required",
    change=_Blink(),
)
