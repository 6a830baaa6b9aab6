# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj
from ..nodeagent.cni import Attachment
from ..nodeagent.sandboxes import Sandbox

JOB = "kubevirt.io/migrationJobUID"


def _old_wires(attachments: list[Attachment], *, pod: Obj, siblings: list[Sandbox], **_: Any) -> list[Attachment]:
    if JOB not in pod["metadata"].get("labels", {}) or not siblings:
        return attachments
    before = siblings[-1].segments
    return [replace(one, segment=before.get(one.interface, one.segment)) for one in attachments]


DEFECT = Defect(
    name="data-plane-keeps-old-network",
    sentence="Everything in the API names the new network; the target pod is wired to the previous one.",
    rows=("R1", "R9"),
    point="agent.pod_attachments",
    change=_old_wires,
)
