# SPDX-License-Identifier: Apache-2.0
"""What a defect can change in a guest, or around it, at the end of its live migration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..dataplane.model import DataPlane
from ..dataplane.packet_loss import FrameMatch
from ..dataplane.wiring import Segment
from .domains import Domain, Domains
from .sandboxes import Sandbox


@dataclass(frozen=True)
class SwitchOver:
    """The state just after the guest has moved.

    ``changed`` holds, for each NIC whose network has changed, the old and the new segment; ``sandboxes`` are all pods
    by UID.
    """

    dataplane: DataPlane
    sandboxes: dict[str, Sandbox]
    domains: Domains
    domain: Domain
    target: Sandbox
    changed: dict[str, tuple[Segment, Segment]]

    @property
    def devices(self) -> list[str]:
        """The names inside the guest of the NICs whose network has changed."""
        return [device for nic in self.changed if (device := self.domain.device_of(nic))]

    async def inside(self, *argv: str) -> bytes:
        """Runs a command in the guest as root; returns its output."""
        _status, output = await self.dataplane.run_inside(self.domain.uid, list(argv))
        return output


Action = Callable[[SwitchOver], Awaitable[None]]


def besides(action: Action) -> Callable[..., list[Action]]:
    """A defect's change at ``agent.after_switch_over``: runs ``action`` too, if the migration changed a network."""

    async def after_a_swap(now: SwitchOver) -> None:
        if now.changed:
            await action(now)

    def change(actions: list[Action], **_: Any) -> list[Action]:
        return [*actions, after_a_swap]

    return change


def losing(*kinds: FrameMatch) -> Callable[..., list[Action]]:
    """A defect's change: after a swap, frames from the new network that match one of ``kinds`` are dropped."""

    async def drop(now: SwitchOver) -> None:
        for nic in now.changed:
            await now.dataplane.drop_frames(now.target.uid, now.domain.nics[nic].pod_interface, kinds)

    return besides(drop)


def keeping_the_old_network(*, losing: Sequence[FrameMatch] = ()) -> Callable[..., list[Action]]:
    """A defect's change: after a swap the NIC is also on its old network, except for frames that match ``losing``."""

    async def keep(now: SwitchOver) -> None:
        for nic, (left, _entered) in now.changed.items():
            await now.dataplane.join(now.target.uid, now.domain.nics[nic].pod_interface, left, losing)

    return besides(keep)


def networks_changed(domain: Domain, source: Sandbox, target: Sandbox) -> dict[str, tuple[Segment, Segment]]:
    """NIC name -> (old segment, new segment), for the NICs whose network has changed."""
    before, after = source.segments, target.segments
    changed = {}
    for name, nic in domain.nics.items():
        left, entered = before.get(nic.pod_interface), after.get(nic.pod_interface)
        if left and entered and left != entered:
            changed[name] = (left, entered)
    return changed
