"""Defects that show on localnet networks: some are of localnet alone, others must be caught there as anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.decisions import all_defects
from testplan.gate import Exit
from tests.detection.expectations import Expected, products, require_expected, require_row_violated

RUN_OPTIONS = (
    *("--variable", "SWAP_TIMEOUT:12s", "--variable", "BOOT_TIMEOUT:20s"),
    *("--variable", "REACH_TIMEOUT:8s", "--variable", "SILENCE_WINDOW:3s"),
)
COMPLETES = "Swap To The Other Localnet Completes By Live Migration"
KEEPS = "VM Is Not Rebooted And Keeps Its Interface On Localnet"
REACHES = "VM Reaches Its Peer On The New Localnet"
SILENT = "VM Is Silent On The Previous Localnet"

EXPECTED: dict[str, Expected] = {
    "localnet-keeps-old-vlan": Expected(
        Exit.PRODUCT_FAILED,
        {
            REACHES: ("should reach each other", "new-peer", "0 of"),
            SILENT: ("should be silent to each other", "old-peer", "answers came"),
        },
        scenario="nad-15",
    ),
    "localnet-port-left-behind": Expected(
        Exit.PRODUCT_FAILED,
        {SILENT: ("should be silent to each other", "old-peer", "answers came")},
        scenario="nad-15",
    ),
    "target-pod-gets-old-network": Expected(
        Exit.PRODUCT_FAILED,
        {
            COMPLETES: ("network-status", "expected .*new-network"),
            REACHES: ("should reach each other", "new-peer", "0 of"),
            SILENT: ("should be silent to each other", "old-peer", "answers came"),
        },
        scenario="nad-15",
    ),
    "guest-rebooted-vmi-stays": Expected(Exit.PRODUCT_FAILED, {KEEPS: ("boot",)}, scenario="nad-15"),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("defect", EXPECTED)
def test_defect_turns_the_right_tests_red(tmp_path: Path, defect: str) -> None:
    require_expected(tmp_path, defect, EXPECTED[defect], *RUN_OPTIONS)


@pytest.mark.parametrize("name", [name for name in products(EXPECTED) if "R26" in all_defects()[name].rows])
def test_defect_is_caught_by_a_test_that_carries_a_row_that_it_violates(name: str) -> None:
    require_row_violated(name, EXPECTED[name])
