"""What a defect may do to a guest, or around it, at the end of its live migration."""

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
    """The situation just after the guest has been moved.

    ``changed`` holds, for each NIC whose network is another one now, the segment it left and the one it entered;
    ``sandboxes`` are all pods by UID.
    """

    dataplane: DataPlane
    sandboxes: dict[str, Sandbox]
    domains: Domains
    domain: Domain
    target: Sandbox
    changed: dict[str, tuple[Segment, Segment]]

    @property
    def devices(self) -> list[str]:
        """The names inside the guest of the NICs whose network is another one now."""
        return [device for nic in self.changed if (device := self.domain.device_of(nic))]

    async def inside(self, *argv: str) -> bytes:
        """Runs a command in the guest as root; its output."""
        _status, output = await self.dataplane.run_inside(self.domain.uid, list(argv))
        return output


Action = Callable[[SwitchOver], Awaitable[None]]


def besides(action: Action) -> Callable[..., list[Action]]:
    """A defect's change at ``agent.after_switch_over`` that does ``action`` after a swap: a move to another network."""

    async def after_a_swap(now: SwitchOver) -> None:
        if now.changed:
            await action(now)

    def change(actions: list[Action], **_: Any) -> list[Action]:
        return [*actions, after_a_swap]

    return change


def losing(*kinds: FrameMatch) -> Callable[..., list[Action]]:
    """A defect's change: after a swap, frames of these kinds that come from the new network are lost."""

    async def drop(now: SwitchOver) -> None:
        for nic in now.changed:
            await now.dataplane.drop_frames(now.target.uid, now.domain.nics[nic].pod_interface, kinds)

    return besides(drop)


def keeping_the_old_network(*, losing: Sequence[FrameMatch] = ()) -> Callable[..., list[Action]]:
    """A defect's change: after a swap the NIC is still on the network it left, too, but for frames ``losing``."""

    async def keep(now: SwitchOver) -> None:
        for nic, (left, _entered) in now.changed.items():
            await now.dataplane.join(now.target.uid, now.domain.nics[nic].pod_interface, left, losing)

    return besides(keep)


def networks_changed(domain: Domain, source: Sandbox, target: Sandbox) -> dict[str, tuple[Segment, Segment]]:
    """NIC name -> (segment left, segment entered), for the NICs that changed network."""
    before, after = source.segments, target.segments
    changed = {}
    for name, nic in domain.nics.items():
        left, entered = before.get(nic.pod_interface), after.get(nic.pod_interface)
        if left and entered and left != entered:
            changed[name] = (left, entered)
    return changed
