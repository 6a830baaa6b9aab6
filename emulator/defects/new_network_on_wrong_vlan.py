# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj
from ..nodeagent.cni import Attachment
from ..nodeagent.sandboxes import Sandbox

JOB = "kubevirt.io/migrationJobUID"


def _another_vlan(attachments: list[Attachment], *, pod: Obj, siblings: list[Sandbox], **_: Any) -> list[Attachment]:
    if JOB not in pod["metadata"].get("labels", {}) or not siblings:
        return attachments
    before = siblings[-1].segments
    return [
        one if before.get(one.interface) == one.segment else replace(one, segment=replace(one.segment, vlan=4000))
        for one in attachments
    ]


DEFECT = Defect(
    name="new-network-on-wrong-vlan",
    sentence="The target pod is plugged into a VLAN that is neither the old network nor the new one.",
    rows=("R1",),
    point="agent.pod_attachments",
    change=_another_vlan,
)
