# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import is_migratable, networks
from ..fault_points import Defect
from ..kube.client import Obj


class _Unforgiving:
    """Remembers the VMIs whose VM was edited before they could be migrated."""

    def __init__(self) -> None:
        self._edited: set[str] = set()

    def __call__(self, required: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        uid = vmi["metadata"]["uid"]
        differs = networks(vm["spec"]["template"]["spec"]) != networks(vmi["spec"])
        if differs and not is_migratable(vmi):
            self._edited.add(uid)
        return required or uid in self._edited


DEFECT = Defect(
    name="starting-vm-needs-restart",
    sentence="An edit that is made while the VM is still starting sets RestartRequired, which stays after the swap.",
    rows=("R48",),
    point="vm.restart_required",
    change=_Unforgiving(),
)
