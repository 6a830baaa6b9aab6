# SPDX-License-Identifier: Apache-2.0
"""No verdict on a recording of a real control plane says anything else than before, unless it was meant to."""

from __future__ import annotations

import pytest

from tests.unit.rejudge.every_verdict import NAMES, kept, said

REMEDY = "if it was changed on purpose: python -m tests.unit.rejudge.every_verdict"


@pytest.mark.parametrize("name", NAMES)
def test_verdicts_on_a_recording_say_what_they_said(name: str) -> None:
    different = [f"was {was}, is {now}" for was, now in zip(kept()[name], said(name), strict=True) if was != now]
    assert not different, REMEDY


def test_every_recording_is_judged_and_not_all_alike() -> None:
    assert set(kept()) == set(NAMES)
    lines = [line for of_one in kept().values() for line in of_one]
    for told in (": PASS: ", " FAIL (ProductFault): ", " FAIL (NotReached overdue): ", " LAB ERROR (LabError): "):
        assert any(told in line for line in lines), told
