# SPDX-License-Identifier: Apache-2.0
"""Connections that must live through a change, and the MACs that other guests know: lines and verdict."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from livenad.invariants import open_connections
from livenad.invariants.judge_connections import (
    Connection,
    all_alive,
    compare_connections,
    compare_neighbours,
    described,
    parse_connections,
    parse_neighbours,
)
from livenad.invariants.open_connections import paths_to_peers

from tests.unit.support.topology import three_guests

OTHER = Connection(0, "other", "new-peer", "10.10.3.10", "10.10.3.12")
MOVED = Connection(1, "secondary", "old-peer", "10.10.0.10", "10.10.0.11")
STATE = "C 0 5.00 99.90 0.60 42.00 -\nC 1 5.10 40.00 0.20 12.00 -\nT 100.00\n"


def compared(text: str, moved: tuple[str, ...] = ("secondary",)) -> list[str]:
    found = compare_connections("demo/web", [OTHER, MOVED], parse_connections(text), moved)
    return [str(one) for one in found.findings]


def test_connection_over_a_nic_that_was_not_moved_must_carry_data_and_the_other_one_is_told() -> None:
    assert compared(STATE) == []
    states = parse_connections(STATE)
    assert described([OTHER, MOVED], states, ["secondary"]) == [
        'connection through NIC "other" (10.10.3.10) to new-peer (10.10.3.12): carries data; longest pause in the data '
        "0.6 s, which ended 58 s ago",
        'connection through NIC "secondary" (10.10.0.10) to old-peer (10.10.0.11): silent for 1 min 0 s; longest pause '
        "in the data 0.2 s, which ended 1 min 28 s ago (not judged: this NIC was moved)",
    ]
    assert not all_alive([OTHER, MOVED], states, [])
    assert all_alive([OTHER, MOVED], states, ["secondary"])


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("C 0 5.00 97.90 0.60 42.00 -", "is not: silent for 2.1 s"),
        ("C 0 5.00 99.90 0.60 42.00 Connection_reset_by_peer", "is not: Connection reset by peer"),
    ],
)
def test_connection_that_is_silent_or_closed_is_a_finding(state: str, told: str) -> None:
    both = f"{state}\nC 1 5.10 99.90 0.20 12.00 -\nT 100.00\n"
    (found,) = compared(both)
    assert found.startswith(
        'guest demo/web\'s connection through NIC "other" (10.10.3.10) to new-peer (10.10.3.12) was'
    )
    assert told in found
    assert compared(both, moved=("other",)) == []


def test_state_that_is_gone_is_a_finding_for_a_nic_that_was_not_moved() -> None:
    (found,) = compared("")
    assert found.endswith("was open, is not: gone with the process that held it; was the guest restarted?")
    assert described([OTHER], {}, [])[0].endswith("gone with the process that held it; was the guest restarted?")


def test_each_nic_is_connected_to_a_vm_on_its_network() -> None:
    records = three_guests()
    vm, old, new = (records[name] for name in ("vm", "old-peer", "new-peer"))
    assert {(path.source_nic.name, path.target.name) for path in paths_to_peers(vm, [new, old])} == {
        ("secondary", "old-peer"),
        ("other", "new-peer"),
    }
    assert paths_to_peers(vm, []) == []


NOW = "10.10.0.10 02:00:00:00:00:02 eth1\nfe80::9 02:00:00:00:00:77 eth1\n"
MACS = {"10.10.0.10": "02:00:00:00:00:02", "fd00::10": "02:00:00:00:00:02"}


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (NOW, []),
        ("", []),
        (
            NOW.replace(":02 eth1", ":03 eth1"),
            ["neighbour 10.10.0.10 on eth1 was not set, is 02:00:00:00:00:03, expected"],
        ),
        (NOW.replace("10.10.0.10", "10.10.0.99"), ["neighbour 10.10.0.99 on eth1 was not set, is 02:00:00:00:00:02"]),
        ("fd00::10 02:00:00:00:00:05 eth2\n", ["neighbour fd00::10 on eth2 was not set"]),
    ],
)
def test_peers_know_the_vm_by_its_mac_alone(now: str, told: list[str]) -> None:
    found = compare_neighbours("demo/peer", {}, parse_neighbours(now), MACS).findings
    assert len(found) == len(told)
    assert all(part in str(one) for part, one in zip(told, found, strict=True))


def test_what_a_peer_knew_before_is_no_finding() -> None:
    own = parse_neighbours("fe80::ff:fe00:2 02:00:00:00:00:02 eth1\n")
    assert not compare_neighbours("demo/peer", {}, own, MACS).findings
    odd = parse_neighbours("10.10.0.99 02:00:00:00:00:02 eth1\n")
    assert not compare_neighbours("demo/peer", odd, odd, MACS).findings


def test_connections_are_opened_once_however_often_the_session_breaks(tmp_path: Path) -> None:
    script = open_connections._HOLD.format(folder=tmp_path / "held", command="echo opened")
    said = [subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, text=True, check=True).stdout for _ in "12"]
    assert said == ["opened\n", ""]
