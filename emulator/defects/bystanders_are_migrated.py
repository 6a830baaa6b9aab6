# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import is_deleting, networks, phase
from ..fault_points import Defect
from ..kube.client import Obj


def _and_their_likes(candidates: list[Obj], *, vmis: list[Obj], **_: Any) -> list[Obj]:
    shapes = {_shape(vmi) for vmi in candidates}
    return [vmi for vmi in vmis if _shape(vmi) in shapes and phase(vmi) == "Running" and not is_deleting(vmi)]


def _shape(vmi: Obj) -> tuple[str, ...]:
    """Namespace and names of the networks, which the names of pod interfaces are derived from."""
    return (vmi["metadata"]["namespace"], *(network["name"] for network in networks(vmi["spec"])))


DEFECT = Defect(
    name="bystanders-are-migrated",
    sentence="When one VM is to be migrated for its edit, the VMs of its namespace whose NICs have the same names are "
    "migrated as well.",
    rows=("R39", "R42", "R47"),
    point="updater.candidates",
    change=_and_their_likes,
)
