# SPDX-License-Identifier: Apache-2.0
"""A network of the edit does not exist, or not yet."""

from __future__ import annotations

from typing import Any

from ..controlplane.accessors import networks
from ..fault_points import Defect
from ..nodeagent.spec_sync import Action, SpecSync


def _never(_again: bool, **_: Any) -> bool:
    return False


LATE_NAD_UNNOTICED = Defect(
    name="late-nad-unnoticed",
    sentence="A pod whose NAD was missing once is never tried again, so a NAD that comes late changes nothing.",
    rows=("R20",),
    point="agent.sandbox_retry",
    change=_never,
)


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


MISSING_NAD_CUTS_OLD_NETWORK = Defect(
    name="missing-nad-cuts-old-network",
    sentence="A VM is taken off its old network when its spec is edited, before anything else is known to work.",
    rows=("R20", "R21"),
    point="agent.after_spec_sync",
    change=_at_once,
)


async def _halt(now: SpecSync) -> None:
    """No pod is on the network of the spec: nothing shows that it exists."""
    known = {attachment.name for sandbox in now.sandboxes.values() for attachment in sandbox.attachments}
    wanted = [str((network.get("multus") or {}).get("networkName", "")) for network in networks(now.vmi["spec"])]
    if any(name and name.rpartition("/")[2] not in known for name in wanted):
        await now.dataplane.halt(now.vmi["metadata"]["uid"])


def _if_unknown(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _halt]


MISSING_NAD_KILLS_VM = Defect(
    name="missing-nad-kills-vm",
    sentence="A VM whose new network does not exist is shut down.",
    rows=("R20",),
    point="agent.after_spec_sync",
    change=_if_unknown,
)
