"""Defects that show in other acts than one swap: migrations by hand, restarts, edits that move nothing, ways back."""

from __future__ import annotations

from pathlib import Path

import pytest

from testplan.gate import Exit
from tests.detection.expectations import Expected, products, require_expected, require_row_violated

RUN_OPTIONS = (
    *("--variable", "SWAP_TIMEOUT:12s", "--variable", "BOOT_TIMEOUT:20s"),
    *("--variable", "REACH_TIMEOUT:8s", "--variable", "SILENCE_WINDOW:3s"),
)

EXPECTED: dict[str, Expected] = {
    "old-network-after-manual-migration": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Swapped VM Stays On Its New Network": ("expected to be on .*new-network", "old-network"),
            "Swapped VM Does Not Come Back To Its Old Network": ("should be silent", "old-peer", "answers came"),
        },
        scenario="nad-02",
    ),
    "restart-forgets-swap": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Restarted VM Is On Its New Network": ("expected to be on .*new-network", "old-network"),
            "Restarted VM Reaches Its Peer On The New Network": ("should reach each other", "new-peer", "0 of"),
            "Restarted VM Is Silent On The Previous Network": ("should be silent", "old-peer", "answers came"),
        },
        scenario="nad-03",
    ),
    "qualified-name-migrates": Expected(
        Exit.PRODUCT_FAILED,
        {"Qualified Form Of The Same Network Starts No Migration": ("qualified-name", "expected")},
        scenario="nad-04",
    ),
    "revert-comes-too-late": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Revert Before The Migration Cancels It": ("reverted-edit", "expected its VMI to follow the spec"),
            "Reverted VM Hears Nothing Of The Other Network": ("should be silent", "new-peer", "answers came"),
        },
        scenario="nad-04",
    ),
    "bystanders-are-migrated": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Edit That Changes Nothing Starts No Migration": ("same-network", "expected no migration|expected to stay"),
            "Qualified Form Of The Same Network Starts No Migration": (
                "qualified-name",
                "expected no migration|expected to stay",
            ),
            "Revert Before The Migration Cancels It": ("reverted-edit", "expected no migration|expected to stay"),
        },
        scenario="nad-04",
    ),
    "way-back-is-no-change": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Way Back Completes By Live Migration": ("no migration object was made",),
            "Cluster Makes One Migration For Each Edit": ("expected 2 migrations", "there are 1"),
            "VM Reaches Its Peer On The First Network Again": ("should reach each other", "old-peer", "0 of"),
            "VM Is Silent On The Network Between": ("should be silent", "new-peer", "answers came"),
        },
        scenario="nad-05",
    ),
    "stopped-edit-leaves-migration": Expected(
        Exit.PRODUCT_FAILED,
        {"Edit Leaves No Condition And No Migration": ("vm-under-test", "MigrationRequired")},
        scenario="nad-06",
    ),
    "nad-namespace-ignored": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Swap Completes By Live Migration Within Its Deadline": ("expected .*-1/old-network",),
            "VM Reaches Its Peer On The New Network": ("should reach each other", "new-peer", "0 of"),
            "VM Is Silent On The Previous Network": ("should be silent", "old-peer", "answers came"),
        },
        scenario="nad-07",
    ),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("defect", EXPECTED)
def test_defect_turns_the_right_tests_red(tmp_path: Path, defect: str) -> None:
    require_expected(tmp_path, defect, EXPECTED[defect], *RUN_OPTIONS)


@pytest.mark.parametrize("name", products(EXPECTED))
def test_defect_is_caught_by_a_test_that_carries_a_row_that_it_violates(name: str) -> None:
    require_row_violated(name, EXPECTED[name])
