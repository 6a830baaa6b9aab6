# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj


class _FirstStart:
    """Remembers, by namespace and name, what the first pod of each VM asked for."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], list[Obj]] = {}

    def networks(self, wanted: list[Obj], *, vmi: Obj, migration: Obj | None, **_: Any) -> list[Obj]:
        first = self._first.setdefault((vmi["metadata"]["namespace"], vmi["metadata"]["name"]), wanted)
        return first if migration is None else wanted


def _content(_need: Need, **_: Any) -> Need:
    """Without this the cluster would mend it by a migration."""
    return Need.NONE


_START = _FirstStart()


DEFECT = Defect(
    name="stopped-edit-lost",
    sentence="A stopped VM starts on the network that it had when it was started before, not on that of its spec.",
    rows=("R41",),
    point="pod.networks",
    change=_START.networks,
    also=(("vmi.migration_required", _content),),
)
