"""Defects that show on a VM that cannot be live-migrated."""

from __future__ import annotations

from pathlib import Path

import pytest

from testplan.gate import Exit
from tests.detection.expectations import Expected, products, require_expected, require_row_violated

RUN_OPTIONS = (
    *("--variable", "SWAP_TIMEOUT:12s", "--variable", "BOOT_TIMEOUT:20s"),
    *("--variable", "REACH_TIMEOUT:8s", "--variable", "SILENCE_WINDOW:3s"),
)
SAYS = "Cluster Says That The Edit Is Not In Effect"
STAYS = "VM That Cannot Migrate Stays In Its Place"
RUNS_ON = "Guest Of The VM Runs On Unchanged"
REACHES = "VM Still Reaches Its Old Network"
SILENT = "VM Is Silent On The Network That It Was Not Moved To"

EXPECTED: dict[str, Expected] = {
    "immovable-vm-pretended": Expected(
        Exit.PRODUCT_FAILED,
        {
            SAYS: (
                "as long as the edit is not in effect; MigrationRequired of the VirtualMachineInstance",
                "was gone",
            )
        },
        scenario="nad-12",
    ),
    "immovable-vm-restarted": Expected(
        Exit.PRODUCT_FAILED,
        {
            SAYS: ("expected RestartRequired .* or MigrationRequired", "neither"),
            STAYS: ("expected VMI phase Running all the time|expected to run on without a restart",),
            RUNS_ON: ("boot id was", "it rebooted"),
            REACHES: ("should reach each other", "old-peer", "0 of"),
            SILENT: ("should be silent to each other", "new-peer", "answers came"),
        },
        scenario="nad-12",
    ),
    "immovable-vm-moved-in-place": Expected(
        Exit.PRODUCT_FAILED,
        {SILENT: ("should be silent to each other", "new-peer", "answers came")},
        scenario="nad-12",
    ),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("defect", EXPECTED)
def test_defect_turns_the_right_tests_red(tmp_path: Path, defect: str) -> None:
    require_expected(tmp_path, defect, EXPECTED[defect], *RUN_OPTIONS)


@pytest.mark.parametrize("name", products(EXPECTED))
def test_defect_is_caught_by_a_test_that_carries_a_row_that_it_violates(name: str) -> None:
    require_row_violated(name, EXPECTED[name])
