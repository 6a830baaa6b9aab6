"""Defects that show when NICs come and go, or are edited in ways that a running VM cannot follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from testplan.gate import Exit
from tests.detection.expectations import Expected, products, require_expected, require_row_violated

RUN_OPTIONS = (
    *("--variable", "SWAP_TIMEOUT:15s", "--variable", "REACH_TIMEOUT:8s", "--variable", "SILENCE_WINDOW:3s"),
    *("--variable", "SIGN_TIMEOUT:5s"),
)
WITH_CONTROLLER = ("--dynamic-networks-controller",)

EXPECTED: dict[str, Expected] = {
    "hot-plug-broken-after-swap": Expected(
        Exit.PRODUCT_FAILED,
        {
            "NIC Is Plugged Into A Swapped VM": (
                'swapped-vm, NIC "plugged", plugged into "other-network": expected to be done within 15 s',
                "the VMI's spec does not have it",
            )
        },
        scenario="nad-14",
    ),
    "plugged-nic-is-not-swapped": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Plugged NIC Is Swapped": ('NIC "plugged"', "no migration object was made", 'still says "old-network"'),
            "Plugged NIC Is Silent On The Network That It Was Plugged Into": (
                "should be silent",
                "old-peer",
                "answers",
            ),
        },
        scenario="nad-14",
    ),
    "unplugged-nic-stays-in-guest": Expected(
        Exit.PRODUCT_FAILED,
        {
            "NIC Is Unplugged From A Running VM": (
                'vm-under-test: its guest should have lost NIC "spare"',
                "still has",
            ),
            "NIC Is Unplugged From A Swapped VM": ('swapped-vm: its guest should have lost NIC "spare"', "still has"),
        },
        scenario="nad-14",
    ),
    "binding-applied-live": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Change Of Binding Asks For A Restart": ("rebound-vm", "expected RestartRequired"),
            "Change Of Binding Is Not Applied Live": ("rebound-vm", "the VMI's spec was another one", "sriov"),
        },
        scenario="nad-20",
    ),
    "mixed-edit-needs-no-restart": Expected(
        Exit.PRODUCT_FAILED,
        {"Mixed Edit Asks For A Restart": ("mixed-edit-vm", "expected RestartRequired", "RestartRequired absent")},
        scenario="nad-20",
    ),
    "source-pod-is-rewritten": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Swap Goes By Live Migration": ("no migration object was made", "on no network"),
            "Source Pod Asks For Its Networks As Before": ("to keep the annotation", "new-network", "old-network"),
            "VM Reaches Its Peer On The New Network": ("should reach each other", "0 of"),
        },
        scenario="nad-21",
        cluster=WITH_CONTROLLER,
    ),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("defect", EXPECTED)
def test_defect_turns_the_right_tests_red(tmp_path: Path, defect: str) -> None:
    require_expected(tmp_path, defect, EXPECTED[defect], *RUN_OPTIONS)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("scenario", ["nad-14", "nad-21"])
def test_beside_the_controller_all_is_well(tmp_path: Path, scenario: str) -> None:
    """It plugs NICs in place, and leaves swaps to live migration."""
    well = Expected(Exit.PROVEN, scenario=scenario, cluster=WITH_CONTROLLER)
    require_expected(tmp_path, "", well, *RUN_OPTIONS)


@pytest.mark.parametrize("name", products(EXPECTED))
def test_defect_is_caught_by_a_test_that_carries_a_row_that_it_violates(name: str) -> None:
    require_row_violated(name, EXPECTED[name])
