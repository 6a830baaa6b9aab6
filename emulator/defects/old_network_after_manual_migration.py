# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj
from ..nodeagent.cni import Attachment

JOB_NAME = "kubevirt.io/migrationJobName"
CREATED_BY = "kubevirt.io/created-by"


class _FirstNetworks:
    """Remembers what the first pod of each VMI was plugged into."""

    def __init__(self) -> None:
        self._first: dict[str, list[Attachment]] = {}

    def __call__(self, attachments: list[Attachment], *, pod: Obj, **_: Any) -> list[Attachment]:
        first = self._first.setdefault(pod["metadata"]["labels"][CREATED_BY], attachments)
        return first if _is_by_hand(pod) else attachments


def _is_by_hand(pod: Obj) -> bool:
    return str(pod["metadata"].get("annotations", {}).get(JOB_NAME, "")).startswith("kubevirt-migrate-vm-")


def _and_content(need: Need, *, pod: Obj, **_: Any) -> Need:
    """Without this the cluster would mend it by a further migration."""
    return Need.NONE if _is_by_hand(pod) else need


DEFECT = Defect(
    name="old-network-after-manual-migration",
    sentence="A migration on request takes a swapped VM back to the network that it was started with.",
    rows=("R10", "R35"),
    point="agent.pod_attachments",
    change=_FirstNetworks(),
    also=(("vmi.migration_required", _and_content),),
)
