# SPDX-License-Identifier: Apache-2.0
"""A new user's steps that need neither a cluster nor packages; ``python -m tests.walk`` takes all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.walk.__main__ import Walker, walker
from tests.walk.steps import STEPS, Step


@pytest.fixture(scope="module")
def user() -> Iterator[Walker]:
    with walker() as found:
        yield found


@pytest.mark.parametrize("step", [step for step in STEPS if not step.needs], ids=lambda step: step.name)
def test_a_step_ends_as_it_should(user: Walker, step: Step) -> None:
    assert user.take(step) == ""


def test_a_step_that_goes_wrong_is_noticed(user: Walker) -> None:
    assert user.take(Step("", "./run.sh --help", 1, "")).startswith("ended with 0, expected 1")
    assert user.take(Step("", "./run.sh --help", 0, "Gebrauch")).startswith('does not say "Gebrauch"')
