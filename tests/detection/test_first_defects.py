"""The first defects: each turns exactly the right tests red, with a message that says what was expected and seen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emulator.decisions import all_defects
from testplan.gate import Exit
from testplan.results import Verdict
from testplan.suites import read_tests
from tests.embedded import run_robot

COMPLETES = "Swap Completes By Live Migration Within Its Deadline"
NOT_REBOOTED = "VM And Guest Are Not Rebooted"
NO_RESTART = "Restart Is Never Asked For"
ONE_MIGRATION = "Cluster Makes Exactly One Migration For The Edit"
INTERFACE = "Guest Keeps Its Interface"
REACHES = "VM Reaches Its Peer On The New Network"
SILENT = "VM Is Silent On The Previous Network"
OTHERS = "Other NIC And Pod Network Still Work"

RUN_OPTIONS = ("--include", "nad-01", "--variable", "SWAP_TIMEOUT:15s", "--variable", "REACH_TIMEOUT:15s")


@dataclass(frozen=True)
class Expected:
    """What a defect must do to the suite: its verdict, and of each red test what its message must say (patterns)."""

    exit: Exit
    red: dict[str, tuple[str, ...]] = field(default_factory=dict)


EXPECTED: dict[str, Expected] = {
    "": Expected(Exit.PROVEN),
    "migration-never-requested": Expected(
        Exit.PRODUCT_FAILED,
        {
            COMPLETES: ("vm-under-test", "no migration object was made", "MigrationRequired"),
            ONE_MIGRATION: ("vm-under-test", "migration"),
            REACHES: ('NIC "secondary"', "should reach each other", "0 of"),
            SILENT: ("should be silent", "old-peer"),
        },
    ),
    "restart-required-blinks": Expected(Exit.PRODUCT_FAILED, {NO_RESTART: ("vm-under-test", "RestartRequired")}),
    "target-pod-gets-old-network": Expected(
        Exit.PRODUCT_FAILED,
        {
            COMPLETES: ("vm-under-test", "old-network", "expected .*new-network"),
            REACHES: ('NIC "secondary"', "should reach each other", "0 of"),
            SILENT: ("should be silent", "old-peer"),
        },
    ),
    "attached-to-both-networks": Expected(
        Exit.PRODUCT_FAILED, {SILENT: ("should be silent to each other", "old-peer", "answers came")}
    ),
    "mac-changes-in-guest-only": Expected(Exit.PRODUCT_FAILED, {INTERFACE: ("vm-under-test", "MAC")}),
    "guest-rebooted-vmi-stays": Expected(Exit.PRODUCT_FAILED, {NOT_REBOOTED: ("vm-under-test", "boot id")}),
    "peer-guest-dies": Expected(Exit.LAB_ERROR, {SILENT: ("LAB ERROR: ", "old-peer")}),
}


def test_every_defect_has_an_expectation() -> None:
    assert set(EXPECTED) - {""} == set(all_defects())


@pytest.mark.timeout(240)
@pytest.mark.parametrize("defect", EXPECTED, ids=lambda name: name or "no-defect")
def test_defect_turns_the_right_tests_red(tmp_path: Path, defect: str) -> None:
    expected = EXPECTED[defect]
    run = run_robot(tmp_path, *RUN_OPTIONS, cluster=("--defect", defect) if defect else ())
    seen = {name: outcome.message for name, outcome in run.outcomes.items() if outcome.verdict is not Verdict.PASS}
    assert sorted(seen) == sorted(expected.red), f"{seen}\n{run.printed}"
    for test, patterns in expected.red.items():
        for pattern in patterns:
            assert re.search(pattern, seen[test], re.DOTALL), f"{test}: {pattern!r} is not in: {seen[test]}"
    assert run.judgement.exit == expected.exit


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if expected.exit is Exit.PRODUCT_FAILED])
def test_defect_is_caught_by_a_test_that_carries_a_row_that_it_violates(name: str) -> None:
    red = EXPECTED[name].red
    carried = {row for test in read_tests() if test.name in red for row in test.requirements}
    assert carried.intersection(all_defects()[name].rows)
