# SPDX-License-Identifier: Apache-2.0
"""The VLAN pool: each VLAN is leased for its bridge or physical network, so that two runs never share one."""

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
    """The VLANs of variable VLANS. Those of a closed suite are free again when its guests are gone."""

    def __init__(self, book: LeaseBook, vlans: Sequence[int]) -> None:
        self._book = book
        self._vlans = tuple(vlans)
        self._segments: dict[Segment, str] = {}
        self._taken: set[str] | None = None

    def lease(self, carrier: str, namespace: str) -> Segment:
        """Lease a free VLAN of ``carrier`` for a suite's namespace. PoolExhausted when there is none."""
        while True:
            segment = self._lease_free(carrier, namespace)
            if segment is not None:
                return segment
            self._book.watch_for_expired()
            if not self._book.remove_expired():
                raise self._exhausted(carrier)

    def lease_same(self, carrier: str, vlan: int, namespace: str) -> Segment:
        """Lease the VLAN ``vlan`` of ``carrier``. LabError when another run has it."""
        segment = Segment(carrier, vlan)
        if segment in self._segments or (holder := self._take(segment, namespace)) is None:
            return segment
        self._book.watch_for_expired()
        if not self._book.remove_expired() or (holder := self._take(segment, namespace)) is not None:
            raise LabError(
                f"{segment} is used by {holder_text(holder)}, and vlan_of requires that VLAN; run again later, "
                "or give each run its own pool by variable VLANS"
            )
        return segment

    @property
    def is_used(self) -> bool:
        """Whether a VLAN is leased."""
        return bool(self._segments)

    def give_back(self, gone: Callable[[str], bool]) -> None:
        """Release the VLANs of namespaces that are gone."""
        self._taken = None
        for segment in [segment for segment, place in self._segments.items() if gone(place)]:
            self._book.give_back(segment.lease)
            del self._segments[segment]

    def _lease_free(self, carrier: str, namespace: str) -> Segment | None:
        """By what was listed before: a VLAN that another run took since is refused. Listed again if none is free."""
        if self._taken is not None and (segment := self._take_free(carrier, namespace)) is not None:
            return segment
        self._taken = {str(meta(item, "name")) for item in self._book.entries(VLAN)}
        return self._take_free(carrier, namespace)

    def _take_free(self, carrier: str, namespace: str) -> Segment | None:
        taken = self._taken or set()
        elsewhere = {segment.vlan for segment in self._segments if segment.carrier != carrier}
        # Two bridges may be on one switch, so a VLAN that is leased on another backend is used last.
        for vlan in sorted(self._vlans, key=lambda vlan: vlan in elsewhere):
            segment = Segment(carrier, vlan)
            if segment.lease not in taken and segment not in self._segments:
                if self._take(segment, namespace) is None:
                    return segment
                taken.add(segment.lease)
        return None

    def _take(self, segment: Segment, namespace: str) -> Object | None:
        # The VLAN of an aborted run is not taken before its lease is removed, as its guests may still use it.
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
                state = ", which was aborted and left a namespace" if self._book.is_expired(item) else ""
                who = "this run, for suites whose guests are being removed" if ours else holder_text(item) + state
                holders.setdefault(who, []).append(vlan)
        listed = "; ".join(f"{vlans_text(vlans)} by {who}" for who, vlans in list(holders.items())[:_FEW])
        more = "" if len(holders) <= _FEW else f"; and {len(holders) - _FEW} more runs"
        return PoolExhausted(
            f"no VLAN of {carrier} is free: all of the pool VLANS={vlans_text(self._vlans)} are leased in namespace "
            f"{self._book.namespace}: {listed}{more}; enlarge the pool with --variable VLANS:<ranges>, wait for these "
            "runs, or remove what aborted runs left with the keyword `Delete Orphaned Resources`"
        )
