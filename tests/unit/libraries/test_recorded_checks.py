# SPDX-License-Identifier: Apache-2.0
"""A check that a test tells later says what was seen, and whose fault it was, in the namespace of its suite."""

from __future__ import annotations

import pytest
from KubeVirtLibrary import recorded_checks
from KubeVirtLibrary.base import SESSION
from livenad.api.history import History
from livenad.errors import LabError, ProductFault, TestError

from tests.unit.libraries.conftest import Call
from tests.unit.support.open_suite import open_suite


def unobserved() -> list[str]:
    """What the checks of the test could not observe."""
    assert SESSION.run
    assert SESSION.run.suite
    return SESSION.run.suite.unobserved


class Robot:
    """Stands in for Robot's BuiltIn: runs nothing and gives the outcome that its argument names."""

    def run_keyword_and_ignore_error(self, name: str, *arguments: object) -> tuple[str, object]:
        if "without python3" in arguments:
            unobserved().append("UDP (web has no python3)")
        return {"Holds": ("PASS", None), "Fails": ("FAIL", arguments[0] if arguments else "")}[name]


@pytest.fixture
def call(keywords: Call, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setattr(recorded_checks, "BuiltIn", Robot)
    open_suite("demo", History(), {})
    return keywords


def test_what_held_when_it_was_checked_passes(call: Call) -> None:
    call("Record Check", "silence", "Holds")
    call("Recorded Check Should Pass", "silence")


def test_recording_a_failure_fails_nothing_until_a_test_tells_it(call: Call) -> None:
    call("Record Check", "silence", "Fails", "VM demo/web should be silent")
    with pytest.raises(ProductFault, match=r"^VM demo/web should be silent$"):
        call("Recorded Check Should Pass", "silence")


def test_fault_of_the_lab_or_of_the_suite_stays_one(call: Call) -> None:
    call("Record Check", "silence", "Fails", "LAB ERROR: the peer is dead")
    with pytest.raises(LabError, match=r"^LAB ERROR: the peer is dead$"):
        call("Recorded Check Should Pass", "silence")
    call("Record Check", "silence", "Fails", "TEST ERROR: no such NIC")
    with pytest.raises(TestError, match=r"^TEST ERROR: no such NIC$"):
        call("Recorded Check Should Pass", "silence")


def test_failure_without_a_message_does_not_pass(call: Call) -> None:
    call("Record Check", "silence", "Fails", "")
    with pytest.raises(ProductFault):
        call("Recorded Check Should Pass", "silence")


def test_check_of_another_suite_is_not_told(call: Call) -> None:
    call("Record Check", "silence", "Holds")
    open_suite("another", History(), {})
    call("Record Check", "traffic", "Holds")
    with pytest.raises(TestError, match='check "silence" was not recorded in this suite; recorded are: "traffic"'):
        call("Recorded Check Should Pass", "silence")


def test_what_a_check_could_not_observe_is_told_by_the_test_that_judges_it(call: Call) -> None:
    call("Record Check", "silence", "Holds", "without python3")
    assert unobserved() == []
    call("Recorded Check Should Pass", "silence")
    assert unobserved() == ["UDP (web has no python3)"]
