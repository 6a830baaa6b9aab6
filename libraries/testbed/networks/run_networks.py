"""The networks of a run: made for a suite's namespace, and given back when its guests are gone."""

from __future__ import annotations

from typing import ClassVar
from weakref import WeakKeyDictionary

from testbed.cluster.api_errors import ApiError
from testbed.errors import BadInput, LabError
from testbed.networks.carriers import Carriers
from testbed.networks.leasebook import RUN, LeaseBook, lease_name
from testbed.networks.manifests import bridge_nad, localnet_nad
from testbed.networks.places import Carrier, Place, Technique
from testbed.networks.pool import Segment, VlanPool
from testbed.networks.suite_lock import SuiteLock
from testbed.objects.kinds import NAD, NAMESPACE, Object, meta
from testbed.objects.labels import RUN_LABEL
from testbed.objects.removal import await_gone
from testbed.recording.recorder import Heartbeat, silent
from testbed.run import Run

_REMOVAL_SECONDS = 120.0


class RunNetworks:
    """Keeps what was leased and made for the networks of one run. Used by the keywords' thread alone."""

    _known: ClassVar[WeakKeyDictionary[Run, RunNetworks]] = WeakKeyDictionary()

    def __init__(self, run: Run, heartbeat: Heartbeat = silent) -> None:
        settings = run.settings
        self._run = run
        self.book = LeaseBook(run.cluster, run.ledger.lease, run.run_id, settings.lease_namespace)
        self.lock = SuiteLock(self.book, settings.lease_timeout, heartbeat)
        self.pool = VlanPool(self.book, settings.vlans)
        self.carriers = Carriers(run)
        self._life = lease_name("run", run.run_id)
        self._made: dict[str, tuple[Place, Segment]] = {}

    @classmethod
    def of(cls, run: Run, heartbeat: Heartbeat = silent) -> RunNetworks:
        """The networks of a run."""
        found = cls._known.get(run)
        if found is None:
            found = cls._known[run] = cls(run, heartbeat)
        return found

    @classmethod
    def known(cls, run: Run) -> RunNetworks | None:
        """The networks of a run, None when it has used none."""
        return cls._known.get(run)

    def begin_suite(self, *, exclusive: bool) -> None:
        """Wait until a suite may begin beside those of other runs, and say so to all of them."""
        if not self.book.holds(self._life):
            self.book.take(self._life, RUN, "a run that lives")
        if exclusive:
            self.lock.alone()
        else:
            self.lock.share()
        self._sweep()

    def end_suite(self) -> None:
        """Let suites of other runs begin. The VLANs stay ours while guests may still be on them."""
        self._made.clear()
        self.lock.leave()

    def create(self, name: str, place: Place, vlan_of: str, namespace: str) -> str:
        """Lease a VLAN and make a network on it in ``namespace``; gives what it is, in words.

        ``vlan_of`` is a network of this suite (``name`` or ``namespace/name``) whose VLAN is to be used.
        """
        carrier = self.carriers.get(place)
        suite = self._run.require_namespace()
        segment = self._segment(carrier, suite, vlan_of)
        self._run.ledger.create(NAD, self._nad(carrier, segment, name, namespace))
        self._made[f"{namespace}/{name}"] = (place, segment)
        return f"{carrier.technique.value} {carrier.name}, VLAN {segment.vlan}"

    def close(self) -> list[str]:
        """Give everything back at the end of the run, whose namespaces are gone; a line for what stays."""
        left = []
        for give_back in (self.lock.leave, self._sweep, self._end_run):
            try:
                give_back()
            except LabError as error:
                left.append(str(error))
        self._known.pop(self._run, None)
        return left

    def _end_run(self) -> None:
        if self.book.holds(self._life):
            self.book.give_back(self._life)

    def _segment(self, carrier: Carrier, suite: str, vlan_of: str) -> Segment:
        if vlan_of:
            known = self._made.get(vlan_of if "/" in vlan_of else f"{suite}/{vlan_of}")
            if known is None:
                listed = ", ".join(self._made) or "none"
                raise BadInput(f'vlan_of="{vlan_of}" is no network of this suite; `Create Network` made: {listed}')
            return self.pool.lease_same(carrier.pool, known[1].vlan, suite)
        try:
            return self.pool.lease(carrier.pool, suite)
        except LabError:
            going = [name for name in self._run.namespaces if name != suite and not name.startswith(f"{suite}-")]
            await_gone(self._run.cluster, going, _REMOVAL_SECONDS)
            self._sweep()
            return self.pool.lease(carrier.pool, suite)

    def _nad(self, carrier: Carrier, segment: Segment, name: str, namespace: str) -> Object:
        if carrier.technique is Technique.linux_bridge:
            return bridge_nad(name, namespace, carrier.name, segment.vlan, carrier.resource)
        network = f"{namespace}-{name}"
        return localnet_nad(name, namespace, carrier.name, segment.vlan, network)

    def _sweep(self) -> None:
        """Give back the VLANs of suites whose namespaces are gone."""
        if self.pool.is_used:
            there = self._namespaces()
            self.pool.give_back(lambda place: place not in there)

    def _namespaces(self) -> set[str]:
        """Our namespaces that exist; all of them where that may not be asked."""
        try:
            listed = self._run.cluster.list(NAMESPACE, labels=f"{RUN_LABEL}={self._run.run_id}").items
        except ApiError as error:
            if error.status == 403:
                return set(self._run.namespaces)
            raise
        return {str(meta(item, "name")) for item in listed}
