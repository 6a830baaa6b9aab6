# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane import names
from ..controlplane.accessors import labels_of
from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj
from ..nodeagent.cni import Attachment


class _Later:
    """Counts the migrations of each VMI, and remembers what its first pod was plugged into."""

    def __init__(self) -> None:
        self._first: dict[str, dict[str, Attachment]] = {}
        self._migrations: dict[str, set[str]] = {}

    def attachments(self, wished: list[Attachment], *, pod: Obj, **_: Any) -> list[Attachment]:
        owner = labels_of(pod).get(names.CREATED_BY, "")
        first = self._first.setdefault(owner, {one.interface: one for one in wished})
        return [first.get(one.interface, one) for one in wished] if self._is_later(owner, pod) else wished

    def need(self, need: Need, *, vmi: Obj, pod: Obj, **_: Any) -> Need:
        """Without this the cluster would mend it by a further migration."""
        return Need.NONE if self._is_later(vmi["metadata"]["uid"], pod) else need

    def _is_later(self, owner: str, pod: Obj) -> bool:
        made = self._migrations.setdefault(owner, set())
        if job := labels_of(pod).get(names.MIGRATION_JOB_UID):
            made.add(job)
        return len(made) > 1


_later = _Later()

DEFECT = Defect(
    name="later-migration-brings-old-network-back",
    sentence="The second migration of a VM, whatever it is for, takes its NICs to the networks that it was started "
    "with.",
    rows=("R5", "R10", "R38"),
    point="agent.pod_attachments",
    change=_later.attachments,
    also=(("vmi.migration_required", _later.need),),
)
