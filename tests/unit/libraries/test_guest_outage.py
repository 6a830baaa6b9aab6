# SPDX-License-Identifier: Apache-2.0
"""Keywords on the outage over a change: what has to come before them, and the threshold."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from GuestLibrary import outage
from livenad.api.history import History
from livenad.errors import BadInput, LabError, ProductFault, TestError
from livenad.outage.judge_outage import Direction
from livenad.reachability.samples import Sample, Series

from tests.unit.libraries.conftest import Call
from tests.unit.support.open_suite import open_suite
from tests.unit.support.topology import three_guests


def series(target: str, answered_from: float, answered_until: float) -> Series:
    """Requests every 0.2 s for 10 s, answered in a span only."""
    times = [number * 0.2 for number in range(50)]
    samples = tuple(Sample(at, at + 0.01, answered_from <= at < answered_until) for at in times)
    return Series("vm", target, "10.10.0.11", "ICMP", samples)


class Monitor:
    """The old network answers for ``left`` seconds, the new one after ``arrived``."""

    vm = "vm"
    window = SimpleNamespace(began=0.0)

    def __init__(self, left: float, arrived: float) -> None:
        self._direction = Direction("out", 4, series("old-peer", 0, left), series("new-peer", arrived, 99))

    def directions(self) -> list[Direction]:
        return [self._direction]


@pytest.fixture
def monitored(keywords: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The outages of the suite; files lie in ``tmp_path``."""
    suite = open_suite("demo", History(), three_guests())
    monkeypatch.setattr(outage, "output_folder", lambda: tmp_path)
    found: dict[str, Any] = suite.outages
    found["vm"] = Monitor(4.0, 5.0)
    return found


def test_outage_is_shown_stored_and_held_against_the_threshold(
    keywords: Call, monitored: dict[str, Any], tmp_path: Path
) -> None:
    keywords("Outage Should Be Below", "vm")
    keywords("Outage Should Be Below", "vm", "2 s")
    stored = json.loads((tmp_path / "gap-demo-vm.json").read_text())
    assert (stored["vm"], stored["threshold"], stored["gaps"][0]["gap_seconds"]) == ("vm", 2.0, 1.2)
    with pytest.raises(ProductFault, match=r"longer than 1\.0 s \(GAP_THRESHOLD\); the longest is 1\.2 s"):
        keywords("Outage Should Be Below", "vm", "1 s")


def test_gap_that_had_not_ended_is_no_short_one(keywords: Call, monitored: dict[str, Any]) -> None:
    """It is open for 6 s when the monitoring ends: longer than 5 s, and nothing is known of 10 s."""
    monitored["vm"] = Monitor(4.0, 99.0)
    keywords("Outage Should Be Below", "vm")
    with pytest.raises(ProductFault, match=r"the longest is at least 6\.0 s"):
        keywords("Outage Should Be Below", "vm", "5 s")
    with pytest.raises(LabError, match=r"was still open when the monitoring ended, .* longer than 10 s"):
        keywords("Outage Should Be Below", "vm", "10 s")


def test_old_network_that_never_answered_is_the_labs_fault(keywords: Call, monitored: dict[str, Any]) -> None:
    monitored["vm"] = Monitor(0.0, 5.0)
    with pytest.raises(LabError, match="cannot be measured: its old network never answered"):
        keywords("Outage Should Be Below", "vm")


@pytest.mark.parametrize("threshold", ["soon", "0", "-1 s"])
def test_threshold_that_is_no_time_names_the_variable(
    keywords: Call, monitored: dict[str, Any], threshold: str
) -> None:
    with pytest.raises(BadInput, match=f'variable GAP_THRESHOLD is "{threshold}"'):
        keywords("Outage Should Be Below", "vm", threshold)


@pytest.mark.parametrize(
    ("keyword", "named"),
    [
        ("Outage Should Be Below", {}),
        ("Stop Outage Monitoring", {"within": timedelta(seconds=1)}),
        ("Old Network Should Have Been Kept", {}),
    ],
)
def test_vm_that_was_not_monitored_cannot_be_judged(
    keywords: Call, monitored: dict[str, Any], keyword: str, named: dict[str, Any]
) -> None:
    with pytest.raises(
        TestError, match="VM old-peer was not monitored; call `Start Outage Monitoring` before its change"
    ):
        keywords(keyword, "old-peer", **named)


def test_network_is_kept_only_until_a_migration_that_was_made_to_fail(
    keywords: Call, monitored: dict[str, Any]
) -> None:
    with pytest.raises(
        TestError, match="no migration of VM vm was made to fail; call `Induce Migration Failure` first"
    ):
        keywords("Old Network Should Have Been Kept", "vm")


def test_monitoring_of_an_unknown_peer_is_a_test_error(keywords: Call, monitored: dict[str, Any]) -> None:
    with pytest.raises(TestError, match='VM "x" is not defined in this suite; defined: vm, old-peer, new-peer'):
        keywords("Start Outage Monitoring", "vm", nic="secondary", old_peer="old-peer", new_peer="x")
