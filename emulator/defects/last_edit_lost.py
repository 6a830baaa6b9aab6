# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import migration_state, networks
from ..fault_points import Defect
from ..kube.client import Obj


class _Busy:
    """Takes no edit over while a migration is under way, and forgets what it missed."""

    def __init__(self) -> None:
        self._missed: set[tuple[str, int]] = set()

    def __call__(self, copies: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        state = migration_state(vmi)
        edit = (vm["metadata"]["uid"], vm["metadata"]["generation"])
        differs = networks(vm["spec"]["template"]["spec"]) != networks(vmi["spec"])
        if differs and state.get("migrationUid") and not state.get("completed"):
            self._missed.add(edit)
        return copies and edit not in self._missed


DEFECT = Defect(
    name="last-edit-lost",
    sentence="An edit that is made while the VM is being migrated never reaches the running VM.",
    rows=("R40",),
    point="vm.copy_nad",
    change=_Busy(),
)
