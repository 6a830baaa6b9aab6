"""Defects that show in other topologies than that of the first scenario, each in the suite that is there for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from testplan.gate import Exit
from tests.detection.expectations import Expected, products, require_expected, require_row_violated

RUN_OPTIONS = ("--variable", "SWAP_TIMEOUT:20s", "--variable", "REACH_TIMEOUT:10s", "--variable", "SILENCE_WINDOW:3s")

EXPECTED: dict[str, Expected] = {
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
