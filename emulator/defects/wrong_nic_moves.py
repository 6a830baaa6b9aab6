# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj
from ..nodeagent.cni import Attachment
from ..nodeagent.sandboxes import Sandbox

JOB = "kubevirt.io/migrationJobUID"


def _crossed(attachments: list[Attachment], *, pod: Obj, siblings: list[Sandbox], **_: Any) -> list[Attachment]:
    """The pod interfaces keep their names and MACs; what they are plugged into changes places."""
    if JOB not in pod["metadata"].get("labels", {}) or not siblings or len(attachments) < 2:
        return attachments
    before = {attachment.interface: attachment for attachment in siblings[-1].attachments}
    moved = [one for one in attachments if before.get(one.interface, one).segment != one.segment]
    others = [one for one in attachments if one not in moved]
    if not moved or not others:
        return attachments
    wrong = {moved[0].interface: before[moved[0].interface], others[0].interface: moved[0]}
    return [
        replace(wrong[one.interface], interface=one.interface, mac=one.mac) if one.interface in wrong else one
        for one in attachments
    ]


def _and_content(need: Need, *, pod: Obj, **_: Any) -> Need:
    """Without this the cluster would go on migrating for ever."""
    return Need.NONE if JOB in pod["metadata"].get("labels", {}) else need


DEFECT = Defect(
    name="wrong-nic-moves",
    sentence="The VM's other NIC is moved to the new network, and the one that was edited stays where it was.",
    rows=("R1", "R9", "R43"),
    point="agent.pod_attachments",
    change=_crossed,
    also=(("vmi.migration_required", _and_content),),
)
