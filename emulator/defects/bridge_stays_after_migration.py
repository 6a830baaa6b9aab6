# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj
from ..nodeagent.cni import Attachment
from ..nodeagent.sandboxes import Sandbox


def _on_old_bridge(attachments: list[Attachment], *, siblings: list[Sandbox], pod: Obj, **_: Any) -> list[Attachment]:
    """A node that finds the wished VLAN on the bridge that it has, and looks no further."""
    if "kubevirt.io/migrationJobUID" not in pod["metadata"].get("labels", {}) or not siblings:
        return attachments
    before = {attachment.interface: attachment.segment for attachment in siblings[-1].attachments}
    return [
        replace(wished, segment=replace(wished.segment, bridge=before[wished.interface].bridge))
        if wished.interface in before
        else wished
        for wished in attachments
    ]


DEFECT = Defect(
    name="bridge-stays-after-migration",
    sentence="The target pod is plugged into the bridge that the source pod is on; only its VLAN is the new one. All "
    "that the API shows is as it should be.",
    rows=("R36",),
    point="agent.pod_attachments",
    change=_on_old_bridge,
)
