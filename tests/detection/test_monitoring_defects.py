"""Defects that show in the cluster's monitoring alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from testplan.gate import Exit
from tests.detection.expectations import Expected, products, require_expected, require_row_violated

RUN_OPTIONS = (
    *("--variable", "SWAP_TIMEOUT:12s", "--variable", "BOOT_TIMEOUT:20s"),
    *("--variable", "MONITORING_TIMEOUT:10s"),
)
RUNNING = "Monitoring Of The Running VM Shows The New Network"
DEFINED = "Monitoring Of The VM's Definition Shows The New Network"
OLD = "No Series With The Old Network Remains"
OTHERS = "Monitoring Of The Other NICs Is Unchanged"

EXPECTED: dict[str, Expected] = {
    "metric-stays-stale": Expected(
        Exit.PRODUCT_FAILED,
        {
            RUNNING: ('expected kubevirt_vmi_vnic_info to show NIC "secondary" on "new-network"', 'on "old-network"'),
            OLD: ("expected no series with the old network", "kubevirt_vmi_vnic_info"),
        },
        scenario="nad-16",
    ),
    "vm-metric-stays-stale": Expected(
        Exit.PRODUCT_FAILED,
        {
            DEFINED: ('expected kubevirt_vm_vnic_info to show NIC "secondary" on "new-network"', 'on "old-network"'),
            OLD: ("expected no series with the old network", "kubevirt_vm_vnic_info"),
        },
        scenario="nad-16",
    ),
    "metric-keeps-old-series": Expected(
        Exit.PRODUCT_FAILED,
        {OLD: ("expected no series with the old network", "kubevirt_vmi_vnic_info", "still shows")},
        scenario="nad-16",
    ),
    "metric-vanishes": Expected(
        Exit.PRODUCT_FAILED, {RUNNING: ("new-network", 'shows no series of NIC "secondary"')}, scenario="nad-16"
    ),
    "metrics-mix-up-nics": Expected(
        Exit.PRODUCT_FAILED,
        {
            RUNNING: ('to show NIC "secondary" on "new-network"', 'shows NIC "secondary" on "other-network"'),
            OTHERS: ('stay .*"other" on "other-network"', 'shows .*NIC "other" on "new-network"'),
        },
        scenario="nad-16",
    ),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("defect", EXPECTED)
def test_defect_turns_the_right_tests_red(tmp_path: Path, defect: str) -> None:
    require_expected(tmp_path, defect, EXPECTED[defect], *RUN_OPTIONS)


@pytest.mark.parametrize("name", products(EXPECTED))
def test_defect_is_caught_by_a_test_that_carries_a_row_that_it_violates(name: str) -> None:
    require_row_violated(name, EXPECTED[name])
