# SPDX-License-Identifier: Apache-2.0
"""Opens connections from a guest to its peers; reads what became of them, and the MACs that peers know."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from livenad.errors import LabError
from livenad.guest.guests import Guests
from livenad.guest.in_parallel import in_parallel
from livenad.guest.shells import Deadline
from livenad.invariants.judge_connections import (
    Connection,
    ConnectionState,
    Held,
    Neighbours,
    all_alive,
    parse_connections,
    parse_neighbours,
)
from livenad.model import VmRecord
from livenad.reachability.paths import Path, shared_paths
from livenad.reachability.traffic import PYTHON, command

HELD_SECONDS = 7200
OPENING_SECONDS = 3.0
PEER_SECONDS = 10.0

_HOLD = r"""# connections that must live through the change
[ -d {folder} ] && exit 0
mkdir {folder} && {command}
"""
_READ = r"""# state of open connections
cat {folder}/state
"""
_NEIGHBOURS = r"""# MACs that the guest knows
while read -r a _ f m _ d; do case $f in 0x0 | flags | HW) ;; 0x*) echo "$a $m $d" ;; esac; done </proc/net/arp
command -v ip >/dev/null && ip -6 neigh show | while read -r a _ d k m _; do [ "$k" = lladdr ] && echo "$a $m $d"; done
:
"""


def paths_to_peers(record: VmRecord, others: Sequence[VmRecord]) -> list[Path]:
    """For each NIC of a VM one path to another VM on the same network."""
    found: dict[str, Path] = {}
    for other in others:
        for path in shared_paths(record, other):
            if path.source_nic.network is not None and path.source_nic.network == path.target_nic.network:
                found.setdefault(path.source_nic.name, path)
    return list(found.values())


def open_connections(guests: Guests, record: VmRecord, others: Sequence[VmRecord]) -> Held:
    """Connect each NIC of the VM to a peer on its network, and read the MACs that the peers know. Raises LabError."""
    paths = paths_to_peers(record, others)
    peers = list(dict.fromkeys(path.target.name for path in paths))
    if not peers:
        return Held(lacks="no other VM is on one of its networks")
    known = read_neighbours(guests, peers)
    if without := [name for name in (record.name, *peers) if PYTHON in guests.missing_tools(name)]:
        return Held(lacks=f"{without[0]} has no {PYTHON}", known=known)

    def answer(peer: str) -> None:
        guests.shell(peer).run(command({}), repeatable=True)

    failures: dict[str, LabError] = {}
    in_parallel(peers, answer, failures)
    for failure in failures.values():
        raise failure
    folder = f"/dev/shm/.connections-{secrets.token_hex(6)}"  # noqa: S108 - its name cannot be guessed
    connections = [
        Connection(
            number, path.source_nic.name, path.target.name, str(path.source_address.ip), str(path.target_address.ip)
        )
        for number, path in enumerate(paths)
    ]
    order = {
        "targets": [(one.number, one.source, one.target) for one in connections],
        "state": f"{folder}/state",
        "seconds": HELD_SECONDS,
    }
    guests.shell(record.name).run(_HOLD.format(folder=folder, command=command(order)), repeatable=True)
    held = Held(connections, folder, known=known)
    states = read_connections(
        guests, record.name, held, lambda states: len(states) == len(connections), OPENING_SECONDS
    )
    shut = [one for one in connections if one.number not in states or not states[one.number].opened]
    lacks = "; ".join(f"no {one} could be opened" for one in shut)
    return replace(held, connections=[one for one in connections if one not in shut], lacks=lacks)


def read_connections(
    guests: Guests,
    vm: str,
    held: Held,
    done: Callable[[dict[int, ConnectionState]], bool],
    patience: float,
) -> dict[int, ConnectionState]:
    """Read their states until they are as wanted, at most ``patience`` seconds. LabError from the guest."""
    deadline, pause = Deadline(patience), threading.Event()
    while True:
        said = guests.shell(vm).run(_READ.format(folder=held.folder), check=False, repeatable=True)
        states = parse_connections(said.stdout)
        if (states and done(states)) or deadline.passed:
            return states
        pause.wait(0.1)


def states_after(
    guests: Guests, vm: str, held: Held, moved: Collection[str], patience: float
) -> dict[int, ConnectionState]:
    """The states once all connections over NICs that were not moved carry data or are closed."""
    if not held.connections:
        return {}
    return read_connections(guests, vm, held, lambda states: all_alive(held.connections, states, moved), patience)


def read_neighbours(guests: Guests, peers: Sequence[str]) -> dict[str, Neighbours]:
    """The MACs that each peer knows. One that gives no shell in time is left out: others judge whether it lives."""
    found: dict[str, Neighbours] = {}

    def read(peer: str) -> None:
        found[peer] = parse_neighbours(guests.shell(peer).run(_NEIGHBOURS, PEER_SECONDS, repeatable=True).stdout)

    in_parallel(peers, read, {})
    return found
