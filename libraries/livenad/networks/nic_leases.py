# SPDX-License-Identifier: Apache-2.0
"""A spare NIC for this run: found, leased, and waited for while another run has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NoReturn

from livenad.api.history import DELETED, History
from livenad.api.kinds import LEASE, NODE_STATE, Object, dig, meta
from livenad.api.recorder import HEARTBEAT_SECONDS, Heartbeat, silent
from livenad.api.temporary_watch import following
from livenad.errors import BadInput, LabError
from livenad.networks.leasebook import EXCLUSIVE, NIC, PURPOSE_LABEL, SUITE, LeaseBook, holder_text, lease_name
from livenad.networks.nmstate_policies import POLICY
from livenad.networks.spare_nics import candidates, objections, only_on_request, ports_of, spare_nics
from livenad.networks.suite_lock import EXCLUSIVE_NAME
from livenad.ownership.labels import run_of
from livenad.text import human

_LAG_SECONDS = 15.0
"""For how long NMState may still report what a run that has ended had made."""

_CIRCLE_SECONDS = 300.0
"""For how long a NIC is waited for while the runs that have one may wait for this run: for a NIC, or for its suite."""

States = Mapping[str, Object]


class NoSpareNic(LabError):
    """There is no unused NIC on all workers."""


class NicLeases:
    """The NICs of one run. ``wanted``: the only ones that may be used; empty: any spare one."""

    def __init__(self, book: LeaseBook, wanted: tuple[str, ...], within: float, heartbeat: Heartbeat = silent) -> None:
        self._book = book
        self._wanted = wanted
        self._within = within
        self._heartbeat = heartbeat
        self._held: list[str] = []

    def take(self, read_states: Callable[[], States]) -> str:
        """A spare NIC, as soon as there is one; while living runs have some, it is waited for.

        Raises NoSpareNic, or BadInput when the user names one that is not spare.
        """
        states = read_states()
        self._check_wanted(states)
        found = self._try(states)
        if found or not self._book.others(NIC):
            return found or self._none(states)
        began = seen = time.monotonic()
        with following(
            self._book.cluster, (LEASE, self._book.namespace, PURPOSE_LABEL), (NODE_STATE, None, "")
        ) as news:
            while not found:
                known, now = len(news), time.monotonic()
                leases = self._book.others(NIC)
                holders = sorted({holder_text(lease) for lease in leases})
                in_circle = bool(self._held) or self._wait_for_us({run_of(lease) for lease in leases})
                deadline = began + (min(self._within, _CIRCLE_SECONDS) if in_circle else self._within)
                seen = now if holders else seen
                if now >= deadline or now >= seen + _LAG_SECONDS:
                    return self._none(states)
                if holders:
                    self._heartbeat(f"waiting for a spare NIC, of {', '.join(holders)}; {human(deadline - now)} left")
                news.wait(partial(_is_news, news, known), min(deadline, now + HEARTBEAT_SECONDS))
                states = read_states()
                found = self._try(states)
        return found

    def give_back(self, nic: str) -> None:
        """The NIC is as it was: others may have it."""
        self._book.give_back(lease_name("nic", nic))
        self._held.remove(nic)

    def _wait_for_us(self, holders: set[str]) -> bool:
        """Whether each run that has a NIC is kept from its next suite by the suite of this run.

        The one waits to run alone, or this run runs alone and the other has no suite.
        """
        alone = {run_of(lease) for lease in self._book.others(EXCLUSIVE)}
        if self._book.holds(EXCLUSIVE_NAME):
            return not holders & {run_of(lease) for lease in self._book.others(SUITE)}
        return holders <= alone

    def _check_wanted(self, states: States) -> None:
        others = {str(meta(lease, "name")) for lease in self._book.others(NIC)}
        for nic in self._wanted:
            ours_or_theirs = nic in self._held or lease_name("nic", nic) in others
            if not ours_or_theirs and (why := objections(states, nic)):
                raise BadInput(f'variable SPARE_NIC names "{nic}", expected a spare NIC: {"; ".join(why)}')

    def _try(self, states: States) -> str:
        """A NIC that is ours now, "" when others have all of them."""
        others = {str(meta(lease, "name")) for lease in self._book.others(NIC)}
        claimed = self._claimed()
        for nic in self._wanted or spare_nics(states):
            name = lease_name("nic", nic)
            if nic in self._held or name in others:
                continue
            if (
                nic not in claimed
                and not objections(states, nic)
                and self._book.take(name, NIC, f"NIC {nic} of all workers") is None
            ):
                self._held.append(nic)
                return nic
        return ""

    def _claimed(self) -> set[str]:
        """NICs that policies build something upon, whether it has come true on the nodes or not."""
        policies = self._book.cluster.list(POLICY).items
        return ports_of([dig(item, "spec", "desiredState", "interfaces") for item in policies])

    def _none(self, states: States) -> NoReturn:
        names = {lease_name("nic", nic): nic for nic in candidates(states)}
        leased = {names.get(str(meta(lease, "name")), ""): holder_text(lease) for lease in self._book.others(NIC)}
        told = []
        for nic in candidates(states):
            ours = "used by this run" if nic in self._held else ""
            theirs = f"used by {leased[nic]}" if nic in leased else ""
            unfit = "; ".join(objections(states, nic)) or ("" if nic in self._wanted else only_on_request(nic))
            told.append(f"{nic}: {ours or theirs or unfit or 'named by a policy'}")
        raise NoSpareNic(
            f"no spare NIC on all of {', '.join(states)}: {'. '.join(told)}. Needed is an ethernet NIC of one name "
            "that is up and has no address, route or bridge; name it with --variable SPARE_NIC:<name>, remove what "
            "aborted runs left with ./run.sh --delete-leftovers, or choose another NODE_NETWORK"
        )


def _is_news(news: History, known: int) -> bool:
    """Whether a NIC may have become spare: a lease went, or NMState looked at a node again. Renewals are none."""
    left = any(record.type == DELETED for record in news.records(LEASE, since=known))
    return left or bool(news.records(NODE_STATE, since=known))
