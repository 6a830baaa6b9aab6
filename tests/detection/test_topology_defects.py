"""Defects that show in other topologies than that of the first scenario, each in the suite that is there for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from testplan.gate import Exit
from tests.detection.expectations import Expected, products, require_expected, require_row_violated

RUN_OPTIONS = ("--variable", "SWAP_TIMEOUT:20s", "--variable", "REACH_TIMEOUT:10s", "--variable", "SILENCE_WINDOW:3s")

EXPECTED: dict[str, Expected] = {
    "edit-role-may-migrate": Expected(
        Exit.PRODUCT_FAILED,
        {"VM Owner May Not Make Migrations": ("expected to be forbidden to create a migration object", "was allowed")},
        scenario="nad-13",
    ),
    "late-nad-unnoticed": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Swap Completes Once The NAD Exists": ("late-network", "migration .* is Scheduling"),
            "VM Reaches Its Peer On The Late Network": ("should reach each other", "new-peer", "0 of"),
            "VM Has Left Its Old Network At Last": ("should be silent to each other", "old-peer", "answers came"),
        },
        scenario="nad-11",
    ),
    "immovable-vm-edit-unnoticed": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Cluster Says That The Edit Is Not In Effect": (
                "expected RestartRequired .* or MigrationRequired",
                "neither",
            )
        },
        scenario="nad-12",
    ),
    "ipv6-lost-after-migration": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Guest Keeps The Addresses Of Both Families": ("vm-under-test", "fd00:10:10::10/64.* is gone"),
            "VM Reaches Its New Network By IPv6": ("should reach each other", "fd00:10:10::12", "0 of"),
            "VM Is Silent On Its Old Network By IPv6": ("silence proves nothing", "should reach new-peer"),
        },
        scenario="nad-10",
    ),
    "only-one-nic-moves": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Both NICs Complete Their Swap": ('NIC "other"', "new-network", "expected .*old-network"),
            "Second NIC Reaches Its New Network": ('NIC "other"', "should reach each other", "old-peer"),
            "Second NIC Is Silent On Its Old Network": ('NIC "other"', "should be silent", "new-peer"),
        },
        scenario="nad-08",
    ),
    "bridge-stays-after-migration": Expected(
        Exit.PRODUCT_FAILED,
        {
            "VM Reaches Its Peer On The Other Bridge": ("should reach each other", "new-peer", "0 of"),
            "VM Is Silent On The Previous Bridge": ("should be silent to each other", "old-peer", "answers came"),
        },
        scenario="nad-09",
    ),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("defect", EXPECTED)
def test_defect_turns_the_right_tests_red(tmp_path: Path, defect: str) -> None:
    require_expected(tmp_path, defect, EXPECTED[defect], *RUN_OPTIONS)


@pytest.mark.parametrize("name", products(EXPECTED))
def test_defect_is_caught_by_a_test_that_carries_a_row_that_it_violates(name: str) -> None:
    require_row_violated(name, EXPECTED[name])
