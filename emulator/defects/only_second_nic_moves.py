# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj
from ..nodeagent.cni import Attachment
from ..nodeagent.sandboxes import Sandbox

JOB = "kubevirt.io/migrationJobUID"


def _not_the_first(attachments: list[Attachment], *, siblings: list[Sandbox], pod: Obj, **_: Any) -> list[Attachment]:
    if JOB not in pod["metadata"].get("labels", {}) or not siblings:
        return attachments
    before = {attachment.interface: attachment for attachment in siblings[-1].attachments}
    changed = [wished for wished in attachments if before.get(wished.interface, wished).segment != wished.segment]
    return [before[wished.interface] if wished in changed[:1] else wished for wished in attachments]


def _and_content(need: Need, *, pod: Obj, **_: Any) -> Need:
    """Without this the cluster would go on migrating until both are right."""
    return Need.NONE if JOB in pod["metadata"].get("labels", {}) else need


DEFECT = Defect(
    name="only-second-nic-moves",
    sentence="When one edit changes several NICs, the first one of them is left where it is.",
    rows=("R27",),
    point="agent.pod_attachments",
    change=_not_the_first,
    also=(("vmi.migration_required", _and_content),),
)
