# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import networks
from ..fault_points import Defect
from ..kube.client import Obj


class _NetworkHidesTheRest:
    def __init__(self) -> None:
        self._booted: dict[str, list[Obj]] = {}

    def __call__(self, required: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        now = networks(vm["spec"]["template"]["spec"])
        booted = self._booted.setdefault(vmi["metadata"]["uid"], now)
        return required and now == booted


DEFECT = Defect(
    name="mixed-edit-needs-no-restart",
    sentence="An edit of a network and of a field that needs a restart is taken for an edit of the network alone.",
    rows=("R18",),
    point="vm.restart_required",
    change=_NetworkHidesTheRest(),
)
