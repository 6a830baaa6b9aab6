# SPDX-License-Identifier: Apache-2.0
"""A recorded check: when it was made and what it saw, or the error that it failed with."""

from __future__ import annotations

import pytest
from KubeVirtLibrary import log
from livenad.errors import LabError, ProductFault, TestError
from livenad.recorded_checks import RecordedChecks


def test_a_check_that_passed_says_when_and_what_it_saw() -> None:
    checks = RecordedChecks()
    checks.record("silence", None, "0 of 74 requests answered")
    said = checks.require_passed("silence")
    assert said.startswith('Check "silence", made at ')
    assert said.endswith(", 0.0 s ago: 0 of 74 requests answered")


def test_a_check_that_logs_nothing_still_says_that_it_passed() -> None:
    checks = RecordedChecks()
    checks.record("silence", None)
    assert checks.require_passed("silence").endswith(": it passed")


@pytest.mark.parametrize(
    ("message", "error"), [("it was heard", ProductFault), ("LAB ERROR: dead", LabError), ("TEST ERROR: no", TestError)]
)
def test_a_check_that_failed_fails_with_its_message(message: str, error: type[Exception]) -> None:
    checks = RecordedChecks()
    checks.record("silence", message, "not told")
    with pytest.raises(error, match=f"^{message}$"):
        checks.require_passed("silence")


def test_lines_of_steps_are_heard_while_somebody_listens() -> None:
    with log.heard() as outer:
        log.step("first")
        with log.heard() as inner:
            log.folded("second", "more", "text")
        log.step("third")
    log.step("fourth")
    assert inner == ["second"]
    assert outer == ["first", "second", "third"]
