# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import networks
from ..fault_points import Defect
from ..nodeagent.spec_sync import Action, SpecSync


async def _halt(now: SpecSync) -> None:
    """No pod is on the network of the spec: nothing shows that it exists."""
    known = {attachment.name for sandbox in now.sandboxes.values() for attachment in sandbox.attachments}
    wanted = [str((network.get("multus") or {}).get("networkName", "")) for network in networks(now.vmi["spec"])]
    if any(name and name.rpartition("/")[2] not in known for name in wanted):
        await now.dataplane.halt(now.vmi["metadata"]["uid"])


def _if_unknown(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _halt]


DEFECT = Defect(
    name="missing-nad-kills-vm",
    sentence="A VM whose new network does not exist is shut down.",
    rows=("R20",),
    point="agent.after_spec_sync",
    change=_if_unknown,
)
