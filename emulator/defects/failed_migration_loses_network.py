# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dataplane.model import DataPlane
from ..fault_points import Defect
from ..kube.client import Obj
from ..nodeagent.kubelet import PodGone
from ..nodeagent.sandboxes import Sandbox

JOB_UID = "kubevirt.io/migrationJobUID"


def _and_unplug_the_source(actions: list[PodGone], *, pod: Obj, siblings: Sequence[Sandbox], **_: Any) -> list[PodGone]:
    if JOB_UID not in pod["metadata"].get("labels", {}):
        return actions

    async def unplug(dataplane: DataPlane) -> None:
        for sandbox in siblings:
            for attachment in sandbox.attachments:
                await dataplane.detach(sandbox.uid, attachment.interface)

    return [*actions, unplug]


DEFECT = Defect(
    name="failed-migration-loses-network",
    sentence="When the target pod of a migration goes, the pod that the guest stays in loses its networks as well.",
    rows=("R21",),
    point="agent.after_pod_removal",
    change=_and_unplug_the_source,
)
