# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane import names
from ..controlplane.accessors import labels_of, migration_state
from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj


class _OnceMore:
    """Knows the pod that each VMI was migrated to first."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def __call__(self, need: Need, *, vmi: Obj, pod: Obj, **_: Any) -> Need:
        uid = vmi["metadata"]["uid"]
        if names.MIGRATION_JOB_UID in labels_of(pod) and migration_state(vmi).get("completed"):
            self._first.setdefault(uid, pod["metadata"]["uid"])
        return Need.IMMEDIATE if self._first.get(uid) == pod["metadata"]["uid"] else need


DEFECT = Defect(
    name="migrates-twice",
    sentence="The cluster migrates the VM once more after the migration that completed the swap.",
    rows=("R2", "R27", "R34", "R44", "R52"),
    point="vmi.migration_required",
    change=_OnceMore(),
)
