# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane import names
from ..controlplane.accessors import labels_of
from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj


class _Stale:
    """Remembers what was first reported of each interface of a VMI."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], str] = {}

    def __call__(self, entries: list[Obj], *, pod: Obj, **_: Any) -> list[Obj]:
        owner = labels_of(pod).get(names.CREATED_BY, "")
        return [
            entry | {"name": self._first.setdefault((owner, entry["interface"]), entry["name"])} for entry in entries
        ]


def _content(need: Need, *, pod: Obj, **_: Any) -> Need:
    """Without this the cluster would go on migrating for ever."""
    return Need.NONE if names.MIGRATION_JOB_UID in labels_of(pod) else need


DEFECT = Defect(
    name="network-status-names-old-network",
    sentence="The VM is on its new network, but the target pod's network-status goes on naming the previous one.",
    rows=("R1",),
    point="agent.network_status",
    change=_Stale(),
    also=(("vmi.migration_required", _content),),
)
