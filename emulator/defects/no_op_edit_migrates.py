# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..apiserver.admission import AdmissionRequest
from ..controlplane.accessors import is_deleting, networks, phase
from ..fault_points import Defect
from ..kube.client import Obj

_written: set[tuple[str, str]] = set()


def _remember(nothing: None, *, request: AdmissionRequest, **_: Any) -> None:
    old, new = request.old, request.new
    if old and new and networks(old["spec"]["template"]["spec"]) == networks(new["spec"]["template"]["spec"]):
        _written.add((request.namespace, request.name))
    return nothing


def _and_the_written(candidates: list[Obj], *, vmis: list[Obj], **_: Any) -> list[Obj]:
    """Each once: a migration of a VMI that does not ask for one is soon aborted, and would be made for ever."""
    again = []
    for vmi in vmis:
        key = (vmi["metadata"]["namespace"], vmi["metadata"]["name"])
        if key in _written and vmi not in candidates and phase(vmi) == "Running" and not is_deleting(vmi):
            _written.discard(key)
            again.append(vmi)
    return [*candidates, *again]


DEFECT = Defect(
    name="no-op-edit-migrates",
    sentence="A VM that its owner writes with the networks that it has is taken for an edited one and migrated.",
    rows=("R39",),
    point="admission.vm_written",
    change=_remember,
    also=(("updater.candidates", _and_the_written),),
)
