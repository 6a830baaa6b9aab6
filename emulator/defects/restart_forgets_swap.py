# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj


class _FirstStart:
    """Remembers, by namespace and name, the first VMI of each VM and what its pod asked for."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], tuple[str, list[Obj]]] = {}

    def networks(self, wanted: list[Obj], *, vmi: Obj, migration: Obj | None, **_: Any) -> list[Obj]:
        uid, first = self._first.setdefault(_name(vmi), (vmi["metadata"]["uid"], wanted))
        return first if migration is None and uid != vmi["metadata"]["uid"] else wanted

    def content(self, need: Need, *, vmi: Obj, **_: Any) -> Need:
        """Without this the cluster would mend it by a migration."""
        uid, _networks = self._first.get(_name(vmi), (vmi["metadata"]["uid"], []))
        return need if uid == vmi["metadata"]["uid"] else Need.NONE


def _name(vmi: Obj) -> tuple[str, str]:
    return vmi["metadata"]["namespace"], vmi["metadata"]["name"]


_FIRST = _FirstStart()

DEFECT = Defect(
    name="restart-forgets-swap",
    sentence="A VM that is restarted after a swap starts on the network that it was first started with.",
    rows=("R44", "R8"),
    point="pod.networks",
    change=_FIRST.networks,
    also=(("vmi.migration_required", _FIRST.content),),
)
