"""The first defects: each turns exactly the right tests red, with a message that says what was expected and seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from testplan.gate import Exit
from tests.detection.expectations import Expected, products, require_expected, require_row_violated

COMPLETES = "Swap Completes By Live Migration Within Its Deadline"
NOT_REBOOTED = "VM And Guest Are Not Rebooted"
NO_RESTART = "Restart Is Never Asked For"
ONE_MIGRATION = "Cluster Makes Exactly One Migration For The Edit"
INTERFACE = "Guest Keeps Its Interface"
REACHES = "VM Reaches Its Peer On The New Network"
SILENT = "VM Is Silent On The Previous Network"
OTHERS = "Other NIC And Pod Network Still Work"

RUN_OPTIONS = ("--variable", "SWAP_TIMEOUT:15s", "--variable", "REACH_TIMEOUT:15s")


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
    "restart-required-blinks": Expected(
        Exit.PRODUCT_FAILED,
        {NO_RESTART: ("vm-under-test", "RestartRequired")},
        cause=r"RestartRequired=True",
    ),
    "target-pod-gets-old-network": Expected(
        Exit.PRODUCT_FAILED,
        {
            COMPLETES: ("vm-under-test", "old-network", "expected .*new-network"),
            REACHES: ('NIC "secondary"', "should reach each other", "0 of"),
            SILENT: ("should be silent", "old-peer"),
        },
        cause=r"pod virt-launcher-vm-under-test-\w+ on \S+ has \w+ on \S+/old-network, expected \S+/new-network",
    ),
    "attached-to-both-networks": Expected(
        Exit.PRODUCT_FAILED, {SILENT: ("should be silent to each other", "old-peer", "answers came")}
    ),
    "mac-changes-in-guest-only": Expected(Exit.PRODUCT_FAILED, {INTERFACE: ("vm-under-test", "MAC")}),
    "guest-rebooted-vmi-stays": Expected(
        Exit.PRODUCT_FAILED, {NOT_REBOOTED: ("vm-under-test", "boot id")}, cause=r"boot id was|rebooted"
    ),
    "peer-guest-dies": Expected(Exit.LAB_ERROR, {SILENT: ("LAB ERROR: ", "old-peer")}, cause=r"old-peer"),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("defect", EXPECTED, ids=lambda name: name or "no-defect")
def test_defect_turns_the_right_tests_red(tmp_path: Path, defect: str) -> None:
    require_expected(tmp_path, defect, EXPECTED[defect], *RUN_OPTIONS)


@pytest.mark.parametrize("name", products(EXPECTED))
def test_defect_is_caught_by_a_test_that_carries_a_row_that_it_violates(name: str) -> None:
    require_row_violated(name, EXPECTED[name])
