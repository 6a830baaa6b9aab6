# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import networks
from ..fault_points import Defect
from ..kube.client import Obj


class _Edited:
    """Knows the networks that each VMI was first seen with."""

    def __init__(self) -> None:
        self._first: dict[str, list[Obj]] = {}

    def __call__(self, required: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        first = self._first.setdefault(vmi["metadata"]["uid"], networks(vmi["spec"]))
        return required or networks(vm["spec"]["template"]["spec"]) != first


DEFECT = Defect(
    name="restart-required-stays",
    sentence="The swap goes its normal way, and the VM carries RestartRequired all the same.",
    rows=("R3",),
    point="vm.restart_required",
    change=_Edited(),
)
