# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import networks
from ..fault_points import Defect
from ..nodeagent.spec_sync import Action, SpecSync

_cut: set[str] = set()


async def _unplug(now: SpecSync) -> None:
    """The edit alone takes the NIC off its network; the migration gives it the new one."""
    if (now.vmi["status"].get("migrationState") or {}).get("completed"):
        return
    mine = {attachment.interface: attachment for attachment in now.sandbox.attachments}
    for network in networks(now.vmi["spec"]):
        attachment = mine.get(now.pod_interfaces.get(network["name"], ""))
        wanted = (network.get("multus") or {}).get("networkName", "")
        if attachment and wanted.rpartition("/")[2] != attachment.name and now.sandbox.uid not in _cut:
            _cut.add(now.sandbox.uid)
            await now.dataplane.detach(now.sandbox.uid, attachment.interface)


def _at_once(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _unplug]


DEFECT = Defect(
    name="missing-nad-cuts-old-network",
    sentence="A VM is taken off its old network when its spec is edited, before anything else is known to work.",
    rows=("R20", "R21"),
    point="agent.after_spec_sync",
    change=_at_once,
)
