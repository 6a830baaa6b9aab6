# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import is_migratable, networks
from ..fault_points import Defect
from ..kube.client import Obj


class _NotYet:
    """Takes no edit over that was made before the VMI could be migrated, not even when it can."""

    def __init__(self) -> None:
        self._missed: set[tuple[str, int]] = set()

    def __call__(self, copies: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        edit = (vmi["metadata"]["uid"], vm["metadata"]["generation"])
        differs = networks(vm["spec"]["template"]["spec"]) != networks(vmi["spec"])
        if differs and not is_migratable(vmi):
            self._missed.add(edit)
        return copies and edit not in self._missed


DEFECT = Defect(
    name="starting-vm-edit-lost",
    sentence="An edit that is made while the VM is still starting never reaches the running VM.",
    rows=("R48",),
    point="vm.copy_nad",
    change=_NotYet(),
)
