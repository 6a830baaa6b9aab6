"""When evidence is kept: at the first failing step, once, and never so that it hurts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import KubeVirtLibrary.evidence as listening
import pytest
from livenad.context import Run
from livenad.report.evidence.evidence_page import Failure
from robot import result as model


class PaperRun:
    """A run that is open and has nothing."""

    run_id = "k3x9ab"
    namespace = None


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Failure]]:
    """The failures of which evidence was kept."""
    found: list[Failure] = []

    def collect(run: Any, guests: Any, failure: Failure, folder: Path, allowance: Any) -> Path:
        if "broken" in failure.message:
            raise OSError("disk full")
        found.append(failure)
        return folder / "index.html"

    monkeypatch.setattr(Run, "_current", PaperRun())
    monkeypatch.setattr(listening, "collect", collect)
    monkeypatch.setattr(listening, "BuiltIn", type("BuiltIn", (), {"get_variable_value": lambda *_: str(tmp_path)}))
    yield found


def step(parent: Any, name: str, status: str, message: str = "", type_: str = "KEYWORD") -> Any:
    keyword = model.Keyword(name=name, type=type_, status=status, parent=parent)
    keyword.message = message
    return keyword


def new_test(listener: listening.EvidenceListener, suite: model.TestSuite, name: str, status: str) -> model.TestCase:
    test = suite.tests.create(name=name, status=status)
    listener.start_test(None, test)
    return test


def test_first_failing_step_of_each_test_and_no_other(kept: list[Failure]) -> None:
    listener, suite = listening.EvidenceListener(), model.TestSuite(name="S")
    listener.start_suite(None, suite)
    test = new_test(listener, suite, "One & Two", "FAIL")
    outer = step(test, "Outer", "FAIL", "NIC is on blue")
    for item in (
        step(test, "Good", "PASS"),
        step(outer, "Inner", "FAIL", "x"),
        outer,
        step(test, "Later", "FAIL", "y"),
    ):
        listener.end_body_item(None, item)
    listener.end_test(None, test)
    assert kept == [Failure("S.One & Two", "Outer", "NIC is on blue")]
    assert test.metadata["Evidence"] == "[evidence/k3x9ab-1-one-two/index.html|kept]"


def test_nothing_of_what_passed_or_was_skipped_or_stopped(kept: list[Failure]) -> None:
    listener, suite = listening.EvidenceListener(), model.TestSuite(name="S")
    listener.start_suite(None, suite)
    for status, message in (("SKIP", "capability ipv6 is not there: no"), ("PASS", ""), ("NOT RUN", "")):
        test = new_test(listener, suite, status, status)
        listener.end_body_item(None, step(test, "Step", status, message))
        listener.end_test(None, test)
        assert "Evidence" not in test.metadata
    stopped = new_test(listener, suite, "Stopped", "FAIL")
    listener.end_body_item(None, step(stopped, "Step", "FAIL", "Execution terminated by signal"))
    assert kept == []


def test_setup_of_a_suite_counts_for_all_its_tests(kept: list[Failure]) -> None:
    listener, suite = listening.EvidenceListener(), model.TestSuite(name="S")
    listener.start_suite(None, suite)
    listener.end_body_item(None, step(suite, "Arrange", "FAIL", "LAB ERROR: no", "SETUP"))
    test = new_test(listener, suite, "One", "FAIL")
    listener.end_test(None, test)
    listener.end_body_item(None, step(suite, "Close", "FAIL", "teardown", "TEARDOWN"))
    listener.end_suite(None, suite)
    assert [failure.step for failure in kept] == ["Arrange"]
    assert test.metadata["Evidence"] == suite.metadata["Evidence"] == "[evidence/k3x9ab-1-s/index.html|kept]"


def test_what_goes_wrong_is_told_and_raises_nothing(kept: list[Failure]) -> None:
    listener, suite = listening.EvidenceListener(), model.TestSuite(name="S")
    listener.start_suite(None, suite)
    test = new_test(listener, suite, "One", "FAIL")
    listener.end_body_item(None, step(test, "Step", "FAIL", "broken"))
    listener.end_test(None, test)
    assert kept == [] and "Evidence" not in test.metadata
