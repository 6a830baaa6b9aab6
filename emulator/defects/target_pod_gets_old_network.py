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


def _as_before(attachments: list[Attachment], *, pod: Obj, siblings: list[Sandbox], **_: Any) -> list[Attachment]:
    if JOB not in pod["metadata"].get("labels", {}) or not siblings:
        return attachments
    before = {attachment.interface: attachment for attachment in siblings[-1].attachments}
    return [
        replace(before[wished.interface], mac=wished.mac) if wished.interface in before else wished
        for wished in attachments
    ]


def _and_content(need: Need, *, pod: Obj, **_: Any) -> Need:
    """Without this the cluster would go on migrating for ever, and no test could look at the outcome."""
    return Need.NONE if JOB in pod["metadata"].get("labels", {}) else need


DEFECT = Defect(
    name="target-pod-gets-old-network",
    sentence="The target pod of a migration is plugged into the networks that the source pod has, not into those of "
    "the VM's spec, and the control plane is content with that.",
    rows=("R1", "R2", "R9"),
    point="agent.pod_attachments",
    change=_as_before,
    also=(("vmi.migration_required", _and_content),),
)
