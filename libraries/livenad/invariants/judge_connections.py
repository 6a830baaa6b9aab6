# SPDX-License-Identifier: Apache-2.0
"""Connections that were opened before a change and must carry data after it, and who has which MAC for others. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from livenad.invariants.comparison import Comparison, Difference
from livenad.text import human

_GONE = "gone with the process that held it; was the guest restarted?"
SILENT_SECONDS = 2.0
"""For how long an open connection may carry nothing: a line goes there and back every 0.2 s."""


@dataclass(frozen=True)
class Connection:
    """A connection by TCP from a NIC of the recorded VM to a peer; ``number`` is its line in the guest's state."""

    number: int
    nic: str
    peer: str
    source: str
    target: str

    def __str__(self) -> str:
        return f'connection through NIC "{self.nic}" ({self.source}) to {self.peer} ({self.target})'


@dataclass(frozen=True)
class ConnectionState:
    """What the guest says of a connection at its uptime ``now``; all in seconds of that uptime.

    ``opened`` and ``answered`` are 0 where it never was; ``gap`` is the longest time between two answers, which ended
    at ``gap_ended``.
    """

    opened: float
    answered: float
    gap: float
    gap_ended: float
    error: str
    now: float

    @property
    def silent(self) -> float:
        """Seconds since the last answer."""
        return self.now - self.answered

    @property
    def alive(self) -> bool:
        """Whether it carries data."""
        return self.opened > 0 and not self.error and self.silent <= SILENT_SECONDS


def parse_connections(text: str) -> dict[int, ConnectionState]:
    """What the program in the guest has written, by the number of the connection; nothing if its file is gone."""
    lines = [line.split() for line in text.splitlines() if line]
    now = next((float(words[1]) for words in lines if words[0] == "T"), None)
    if now is None:
        return {}
    found = {}
    for words in lines:
        if words[0] == "C":
            opened, answered, gap, ended = map(float, words[2:6])
            error = "" if words[6] == "-" else words[6].replace("_", " ")
            found[int(words[1])] = ConnectionState(opened, answered, gap, ended, error, now)
    return found


def compare_connections(
    guest: str, connections: Sequence[Connection], states: Mapping[int, ConnectionState], moved: Collection[str]
) -> Comparison:
    """Connections over NICs that were not moved must carry data; those over ``moved`` NICs are told."""
    result = Comparison()
    for one in connections:
        state = states.get(one.number)
        result.compared += 1
        if state is not None and state.alive:
            continue
        what = _GONE if state is None else state.error or f"silent for {human(state.silent)}"
        finding = "" if one.nic in moved else f"is not: {what}"
        result.differences.append(Difference(f"guest {guest}'s", str(one), "open", what, finding=finding))
    return result


def described(
    connections: Sequence[Connection], states: Mapping[int, ConnectionState], moved: Collection[str]
) -> list[str]:
    """A line for each connection: whether it lives, and its longest silence. Over ``moved`` NICs it is not judged."""
    lines = []
    for one in connections:
        state = states.get(one.number)
        if state is None:
            lines.append(f"{one}: {_GONE}")
            continue
        gap = f"longest pause in the data {state.gap:.1f} s" + (
            f", which ended {human(state.now - state.gap_ended)} ago" if state.gap else ""
        )
        life = "carries data" if state.alive else state.error or f"silent for {human(state.silent)}"
        judged = " (not judged: this NIC was moved)" if one.nic in moved else ""
        lines.append(f"{one}: {life}; {gap}{judged}")
    return lines


Neighbours = dict[tuple[str, str], str]
"""MACs by address and interface, as a guest knows them of others."""


@dataclass(frozen=True)
class Held:
    """Connections of a recorded VM, whose state is in a folder of its guest; and the MACs that its peers knew then.

    ``lacks`` says why there are no connections, "" for no reason.
    """

    connections: Sequence[Connection] = ()
    folder: str = ""
    lacks: str = ""
    known: dict[str, Neighbours] = field(default_factory=dict)


def parse_neighbours(text: str) -> Neighbours:
    """Lines ``<address> <MAC> <interface>``."""
    lines = [line.split() for line in text.splitlines()]
    return {(words[0], words[2]): words[1].lower() for words in lines if len(words) == 3}


def compare_neighbours(peer: str, before: Neighbours, now: Neighbours, macs: Mapping[str, str]) -> Comparison:
    """A peer knows each address of the VM by the MAC of its NIC, and no other one that is not link-local has that MAC.

    ``macs`` are those of the VM's NICs by address.
    """
    result = Comparison()
    for (address, device), mac in sorted(now.items()):
        wanted = macs.get(address)
        foreign = wanted is None and mac in macs.values() and before.get((address, device)) != mac
        # A guest gives itself a link-local address on each NIC, and may speak by it at any time.
        if wanted is None and (not foreign or ip_address(address).is_link_local):
            continue
        result.compared += 1
        if mac != wanted:
            path = f"neighbour {address} on {device}"
            expected = f"expected {wanted}" if wanted else "a MAC of the VM"
            result.differences.append(
                Difference(f"guest {peer}'s", path, before.get((address, device)), mac, finding=f"is {mac}, {expected}")
            )
    return result


def all_alive(connections: Iterable[Connection], states: Mapping[int, ConnectionState], moved: Collection[str]) -> bool:
    """Whether no further wait can make a difference: all connections that must carry data do, or are closed."""
    judged = [states[one.number] for one in connections if one.nic not in moved and one.number in states]
    return all(state.alive or state.error for state in judged)


@dataclass(frozen=True)
class Around:
    """The connections of a guest and their states after a change of the NICs ``moved``; and what its peers know.

    ``peers`` are, by name, what each knew before and knows now; ``macs`` those of the VM's NICs by address.
    """

    guest: str
    connections: Sequence[Connection] = ()
    states: Mapping[int, ConnectionState] = field(default_factory=dict)
    moved: Sequence[str] = ()
    peers: Mapping[str, tuple[Neighbours, Neighbours]] = field(default_factory=dict)
    macs: Mapping[str, str] = field(default_factory=dict)

    def compare(self) -> Comparison:
        """Every connection, and every address of the VM that a peer knows."""
        found = compare_connections(self.guest, self.connections, self.states, self.moved)
        for peer, (before, now) in self.peers.items():
            found = found.with_all_of(compare_neighbours(peer, before, now, self.macs))
        return found
