# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane import names
from ..controlplane.accessors import networks
from ..fault_points import Defect
from ..kube import conditions
from ..kube.client import Obj


class _Deaf:
    """Takes no edit over while a migration is required, and never again in a VMI whose edit was missed."""

    def __init__(self) -> None:
        self._missed: set[str] = set()

    def __call__(self, copies: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        differs = networks(vm["spec"]["template"]["spec"]) != networks(vmi["spec"])
        if differs and conditions.is_true(vmi, names.MIGRATION_REQUIRED):
            self._missed.add(vmi["metadata"]["uid"])
        return copies and vmi["metadata"]["uid"] not in self._missed


DEFECT = Defect(
    name="revert-comes-too-late",
    sentence="An edit that is made while a migration is required is missed: a revert does not cancel it.",
    rows=("R42",),
    point="vm.copy_nad",
    change=_Deaf(),
)
