"""VLANs from the pool: each is leased for its bridge or physical network, so that no two runs ever share one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from livenad.api.kinds import Object, meta
from livenad.errors import LabError
from livenad.networks.leasebook import VLAN, LeaseBook, holder_text, lease_name
from livenad.setting_readers import vlans_text

_FEW = 5


class PoolExhausted(LabError):
    """All VLANs of the pool are leased."""


@dataclass(frozen=True)
class Segment:
    """A VLAN of a bridge or physical network, leased by this run."""

    carrier: str
    vlan: int

    @property
    def lease(self) -> str:
        """Name of its lease."""
        return lease_name(self.carrier, self.vlan)

    def __str__(self) -> str:
        return f"VLAN {self.vlan} of {self.carrier}"


class VlanPool:
    """The VLANs that the user lets us use. What a closed suite had is free again once its guests are gone."""

    def __init__(self, book: LeaseBook, vlans: Sequence[int]) -> None:
        self._book = book
        self._vlans = tuple(vlans)
        self._segments: dict[Segment, str] = {}

    def lease(self, carrier: str, namespace: str) -> Segment:
        """A VLAN of ``carrier`` that nobody has, for a suite's namespace. PoolExhausted when there is none."""
        while True:
            segment = self._lease_free(carrier, namespace)
            if segment is not None:
                return segment
            self._book.watch_for_expired()
            if not self._book.remove_expired():
                raise self._exhausted(carrier)

    def lease_same(self, carrier: str, vlan: int, namespace: str) -> Segment:
        """The VLAN ``vlan`` of ``carrier`` and no other. LabError when another run has it."""
        segment = Segment(carrier, vlan)
        if segment in self._segments or (holder := self._take(segment, namespace)) is None:
            return segment
        self._book.watch_for_expired()
        if not self._book.remove_expired() or (holder := self._take(segment, namespace)) is not None:
            raise LabError(
                f"{segment} is used by {holder_text(holder)}, and a network on the VLAN of another one was asked for; "
                "run again later, or give the runs pools of their own by variable VLANS"
            )
        return segment

    @property
    def is_used(self) -> bool:
        """Whether anything is leased."""
        return bool(self._segments)

    def give_back(self, gone: Callable[[str], bool]) -> None:
        """Give back what was leased for namespaces that are gone."""
        for segment in [segment for segment, place in self._segments.items() if gone(place)]:
            self._book.give_back(segment.lease)
            del self._segments[segment]

    def _lease_free(self, carrier: str, namespace: str) -> Segment | None:
        taken = {str(meta(item, "name")): item for item in self._book.entries(VLAN)}
        elsewhere = {segment.vlan for segment in self._segments if segment.carrier != carrier}
        # Two bridges may lead to one switch, so a VLAN that we have elsewhere is used last.
        for vlan in sorted(self._vlans, key=lambda vlan: vlan in elsewhere):
            segment = Segment(carrier, vlan)
            if segment.lease not in taken and self._take(segment, namespace) is None:
                return segment
        return None

    def _take(self, segment: Segment, namespace: str) -> Object | None:
        # That of a dead run is taken when it is cleared, and not before: its guests may still be on the VLAN.
        holder = self._book.take(segment.lease, VLAN, str(segment), from_expired=False)
        if holder is None:
            self._segments[segment] = namespace
        return holder

    def _exhausted(self, carrier: str) -> PoolExhausted:
        pool = {Segment(carrier, vlan).lease: vlan for vlan in self._vlans}
        holders: dict[str, list[int]] = {}
        for item in self._book.entries(VLAN):
            if (vlan := pool.get(str(meta(item, "name")))) is not None:
                ours = self._book.is_ours(item)
                state = ", which is dead and has left a namespace" if self._book.is_expired(item) else ""
                who = "this run, for suites whose guests go" if ours else holder_text(item) + state
                holders.setdefault(who, []).append(vlan)
        listed = "; ".join(f"{vlans_text(vlans)} by {who}" for who, vlans in list(holders.items())[:_FEW])
        more = "" if len(holders) <= _FEW else f"; and {len(holders) - _FEW} runs more"
        return PoolExhausted(
            f"no VLAN of {carrier} is free: all of the pool VLANS={vlans_text(self._vlans)} are leased in namespace "
            f"{self._book.namespace}: {listed}{more}; enlarge the pool with --variable VLANS:<ranges>, wait for these "
            "runs, or remove what dead runs left with the keyword `Delete OrphanedResources`"
        )
