# SPDX-License-Identifier: Apache-2.0
"""Checks that are made at one moment and judged later: what was said then is said again, as what it was."""

from __future__ import annotations

import pytest
from livenad.errors import LabError, ProductFault, TestError
from livenad.recorded_checks import RecordedChecks


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("guest vm did not answer", ProductFault),
        ("LAB ERROR: the console is silent", LabError),
        ('TEST ERROR: VM "x" is not defined', TestError),
    ],
)
def test_a_failed_check_fails_as_it_did_when_it_was_made(message: str, error: type[Exception]) -> None:
    checks = RecordedChecks()
    checks.record("silence", message)
    with pytest.raises(error) as caught:
        checks.require_passed("silence")
    assert type(caught.value) is error
    assert str(caught.value) == message


def test_a_check_that_passed_passes_and_the_last_of_a_title_counts() -> None:
    checks = RecordedChecks()
    checks.record("silence", "it answered")
    checks.record("silence", None)
    checks.require_passed("silence")


def test_a_check_without_a_message_is_told_by_its_title() -> None:
    checks = RecordedChecks()
    checks.record("silence", "")
    with pytest.raises(ProductFault, match='"silence" failed when it was recorded'):
        checks.require_passed("silence")


def test_a_check_that_was_not_recorded_is_told_with_those_that_were() -> None:
    checks = RecordedChecks()
    with pytest.raises(TestError, match='check "silence" was not recorded in this suite; recorded are: none'):
        checks.require_passed("silence")
    checks.record("calm", None)
    checks.record("noise", "loud")
    with pytest.raises(TestError, match='recorded are: "calm", "noise"'):
        checks.require_passed("silence")
