"""Defects of migrations that fail, of edits at an awkward time, and of the gap that a swap leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from testplan.gate import Exit
from tests.detection.expectations import Expected, products, require_expected, require_row_violated

RUN_OPTIONS = ("--variable", "SWAP_TIMEOUT:15s", "--variable", "REACH_TIMEOUT:8s", "--variable", "SILENCE_WINDOW:3s")
GAP_OPTIONS = (*RUN_OPTIONS, "--variable", "REACH_TIMEOUT:15s")
REBOOT = "guest-rebooted-vmi-stays"
OUTAGE = "long-outage-after-swap"

EXPECTED: dict[str, Expected] = {
    "failed-migration-loses-network": Expected(
        Exit.PRODUCT_FAILED,
        {
            "VM Keeps Its Original Network When The Migration Fails": (
                "should reach its old network throughout the .* from its failed migration to the next",
                r"old-peer .*answered",
            )
        },
        scenario="nad-17",
    ),
    "failed-migration-forgotten": Expected(
        Exit.PRODUCT_FAILED,
        {
            "VM Keeps Its Place When The Migration Fails": ("expected MigrationRequired to stay True",),
            "Cluster Completes The Swap At Its Next Try": ("expected the cluster to migrate it by itself",),
            "VM Reaches Its New Network At Last": ("should reach each other", "new-peer", "0 of"),
        },
        scenario="nad-17",
    ),
    "failed-migration-not-retried": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Cluster Completes The Swap At Its Next Try": (
                "expected the cluster to migrate it by itself",
                "there is none",
            ),
            "VM Reaches Its New Network At Last": ("should reach each other", "new-peer", "0 of"),
        },
        scenario="nad-17",
    ),
    "failed-migration-needs-restart": Expected(
        Exit.PRODUCT_FAILED,
        {"Failed Migration Needs No Restart": ("expected RestartRequired never to be set",)},
        scenario="nad-17",
    ),
    "last-edit-lost": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Last Edit Is In Effect": ("expected the last edit to be in effect", 'the VMI\'s spec names "old-network"'),
            "VM Reaches Its Peer On The Last Network": ("should reach each other", "new-peer", "0 of"),
            "VM Is Silent On The Network Of The First Edit": ("should be silent", "old-peer", "answers came"),
        },
        scenario="nad-22",
    ),
    "second-edit-wedges-migration": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Last Edit Is In Effect": (r"is left in Running for good with migrationState\.completed=true",),
            "VM Reaches Its Peer On The Last Network": ("should reach each other", "new-peer", "0 of"),
            "VM Is Silent On The Network Of The First Edit": ("should be silent", "old-peer", "answers came"),
        },
        scenario="nad-22",
    ),
    "starting-vm-edit-lost": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Edit Takes Effect Once The VM Can Migrate": ('the VMI\'s spec names "old-network"',),
            "Started VM Reaches Its New Network": ("should reach each other", "new-peer", "0 of"),
            "Started VM Is Silent On The Network It Was Created With": ("should be silent", "old-peer", "answers came"),
        },
        scenario="nad-23",
    ),
    "starting-vm-needs-restart": Expected(
        Exit.PRODUCT_FAILED,
        {"Restart Is Not Asked For Any More": ("expected no restart to be required once the VM can migrate",)},
        scenario="nad-23",
    ),
    OUTAGE: Expected(
        Exit.PRODUCT_FAILED,
        {
            "Gap In Connectivity Is Shown": (
                r"expected no gap .* longer than 5.0 s",
                "IPv6, peers ask",
            )
        },
        scenario="nad-10",
    ),
}

REBOOTED = {
    "nad-22": Expected(
        Exit.PRODUCT_FAILED, {"VM Is Not Rebooted By Two Edits": ("vm-under-test", "boot id")}, scenario="nad-22"
    ),
    "nad-23": Expected(
        Exit.PRODUCT_FAILED,
        {"Starting VM Is Not Started Twice": ("its guest should have booted once",)},
        scenario="nad-23",
    ),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("defect", EXPECTED)
def test_defect_turns_the_right_tests_red(tmp_path: Path, defect: str) -> None:
    options = (*GAP_OPTIONS, "--variable", "GAP_THRESHOLD:5s") if defect == OUTAGE else RUN_OPTIONS
    require_expected(tmp_path, defect, EXPECTED[defect], *options)


@pytest.mark.timeout(240)
def test_gap_is_judged_only_against_a_threshold(tmp_path: Path) -> None:
    require_expected(tmp_path, OUTAGE, Expected(Exit.PROVEN, scenario="nad-10"), *GAP_OPTIONS)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("scenario", REBOOTED)
def test_reboot_is_seen_after_awkward_edits(tmp_path: Path, scenario: str) -> None:
    require_expected(tmp_path, REBOOT, REBOOTED[scenario], *RUN_OPTIONS)


@pytest.mark.parametrize("name", products(EXPECTED))
def test_defect_is_caught_by_a_test_that_carries_a_row_that_it_violates(name: str) -> None:
    require_row_violated(name, EXPECTED[name])
