# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane import names
from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj


def _in_own_namespace(wanted: list[Obj], *, vmi: Obj, **_: Any) -> list[Obj]:
    return [entry | {"namespace": vmi["metadata"]["namespace"]} for entry in wanted]


def _and_content(need: Need, *, pod: Obj, **_: Any) -> Need:
    """Without this the cluster would go on migrating for ever."""
    return Need.NONE if names.MIGRATION_JOB_UID in pod["metadata"].get("labels", {}) else need


DEFECT = Defect(
    name="nad-namespace-ignored",
    sentence="The namespace in a networkName is overlooked: the launcher pod gets the NAD of that name in its own.",
    rows=("R37",),
    point="pod.networks",
    change=_in_own_namespace,
    also=(("vmi.migration_required", _and_content),),
)
