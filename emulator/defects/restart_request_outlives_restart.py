# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj


class _Remembered:
    """Once a restart was asked for, it is asked for ever."""

    def __init__(self) -> None:
        self._asked: set[str] = set()

    def __call__(self, required: bool, *, vm: Obj, **_: Any) -> bool:
        uid = vm["metadata"]["uid"]
        if required:
            self._asked.add(uid)
        return uid in self._asked


DEFECT = Defect(
    name="restart-request-outlives-restart",
    sentence="RestartRequired stays on the VM although it was restarted.",
    rows=("R8",),
    point="vm.restart_required",
    change=_Remembered(),
)
