"""Defects that show under other settings of the cluster, or while live update is off."""

from __future__ import annotations

from pathlib import Path

import pytest

from testplan.gate import Exit
from tests.detection.expectations import Expected, products, require_expected, require_row_violated

RUN_OPTIONS = (
    *("--variable", "ALLOW_DISRUPTIVE:yes", "--variable", "QUIET_WINDOW:4s"),
    *("--variable", "SWAP_TIMEOUT:12s", "--variable", "BOOT_TIMEOUT:20s"),
    *("--variable", "REACH_TIMEOUT:8s", "--variable", "SILENCE_WINDOW:3s"),
)

EXPECTED: dict[str, Expected] = {
    "required-migration-unsignalled": Expected(
        Exit.PRODUCT_FAILED,
        {"Edit Is Signalled By A Required Migration": ("expected MigrationRequired on the VMI", "absent")},
        scenario="nad-18",
    ),
    "migrates-without-methods": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Cluster Makes No Migration By Itself": ("vm-under-test", "expected (no migration|to stay)"),
            "Migration By Hand Completes The Swap": ("vm-under-test", "expected (one migration|to have left node)"),
        },
        scenario="nad-18",
    ),
    "old-network-after-manual-migration": Expected(
        Exit.PRODUCT_FAILED,
        {"Migration By Hand Completes The Swap": ("expected to be on .*new-network", "old-network")},
        scenario="nad-18",
    ),
    "gate-off-goes-live": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Edit Asks For A Restart": ("expected RestartRequired on the VM", "absent"),
            "Edit Does Not Go Live": ("expected the VMI not to take the edit over", "new-network"),
            "VM Stays In Its Place And On Its Old Network": ("expected (no migration|to stay)",),
        },
        scenario="nad-19",
        cluster=("--kubevirt", "1.8"),
    ),
    "gate-off-edit-unnoticed": Expected(
        Exit.PRODUCT_FAILED,
        {"Edit Asks For A Restart": ("expected RestartRequired on the VM", "absent")},
        scenario="nad-19",
        cluster=("--kubevirt", "1.8-gate"),
    ),
    "restart-request-outlives-restart": Expected(
        Exit.PRODUCT_FAILED,
        {"Restart Settles The Edit": ("expected nothing to be asked for any more", "RestartRequired=True")},
        scenario="nad-19",
        cluster=("--kubevirt", "1.7"),
    ),
    "restart-forgets-swap": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Restarted VM Is On The Network Of The Edit": ("expected to be on .*new-network", "old-network"),
            "Restarted VM Reaches Its Peer On The New Network": ("should reach each other", "new-peer", "0 of"),
            "Restarted VM Is Silent On Its Old Network": ("should be silent", "old-peer", "answers came"),
        },
        scenario="nad-19",
        cluster=("--kubevirt", "1.8"),
    ),
    "stage-holds-swap-back": Expected(
        Exit.PRODUCT_FAILED,
        {
            "Swap Completes Under Stage": ("no migration object was made",),
            "One Migration Is Made Under Stage": ("migration",),
            "Restart Is Never Asked For Under Stage": ("expected RestartRequired never to be set",),
        },
        scenario="nad-24",
    ),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("defect", EXPECTED)
def test_defect_turns_the_right_tests_red(tmp_path: Path, defect: str) -> None:
    require_expected(tmp_path, defect, EXPECTED[defect], *RUN_OPTIONS)


@pytest.mark.parametrize("name", products(EXPECTED))
def test_defect_is_caught_by_a_test_that_carries_a_row_that_it_violates(name: str) -> None:
    require_row_violated(name, EXPECTED[name])
