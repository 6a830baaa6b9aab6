# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj
from ..nodeagent.cni import Attachment
from ..nodeagent.sandboxes import Sandbox


def _on_old_vlan(attachments: list[Attachment], *, siblings: list[Sandbox], pod: Obj, **_: Any) -> list[Attachment]:
    """A switch port that is found by the pod interface's name, and is taken over with its tag."""
    if "kubevirt.io/migrationJobUID" not in pod["metadata"].get("labels", {}) or not siblings:
        return attachments
    before = {attachment.interface: attachment.segment for attachment in siblings[-1].attachments}
    return [
        replace(wished, segment=replace(wished.segment, vlan=before[wished.interface].vlan))
        if wished.segment.kind == "localnet" and wished.interface in before
        else wished
        for wished in attachments
    ]


DEFECT = Defect(
    name="localnet-keeps-old-vlan",
    sentence="The target pod's port on a localnet network has the VLAN of the source pod's port. All that the API "
    "shows is as it should be.",
    rows=("R26",),
    point="agent.pod_attachments",
    change=_on_old_vlan,
)
