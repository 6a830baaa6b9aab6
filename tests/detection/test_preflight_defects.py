"""What makes a cluster unfit turns the right check of the preflight red: always the lab's fault, with its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from testplan.gate import Exit
from tests.detection.expectations import Expected, require_expected

EXPECTED: dict[str, Expected] = {
    "kubevirt-stays-deploying": Expected(
        Exit.LAB_ERROR,
        {"KubeVirt And Multus Are Installed": ("LAB ERROR: ", "is in phase Deploying, not Deployed; wait for it")},
        scenario="nad-25",
        suites="preflight",
    ),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("defect", EXPECTED)
def test_defect_turns_the_right_tests_red(tmp_path: Path, defect: str) -> None:
    require_expected(tmp_path, defect, EXPECTED[defect])


def test_one_node_is_refused_with_an_explanation(tmp_path: Path) -> None:
    said = (
        "LAB ERROR: ",
        "one node only: VMs can run on embedded-1; .* two schedulable nodes or more",
        "add or uncordon",
    )
    expected = Expected(
        Exit.LAB_ERROR,
        {"Two Nodes Can Take Over Each Other's VMs": said},
        scenario="nad-25",
        cluster=("--nodes", "1"),
        suites="preflight",
    )
    require_expected(tmp_path, "", expected)


def test_expected_capability_that_is_missing_is_named_with_its_remedy(tmp_path: Path) -> None:
    said = ("LAB ERROR: ", "capability dynamic-networks-controller .* is not there", "install the Multus Dynamic")
    expected = Expected(
        Exit.LAB_ERROR,
        {"Capabilities That The User Expects Are There": said},
        scenario="nad-25",
        suites="preflight",
    )
    require_expected(tmp_path, "", expected, "--variable", "EXPECTED_CAPABILITIES:dynamic-networks-controller, ipv6")
