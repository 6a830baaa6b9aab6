# SPDX-License-Identifier: Apache-2.0
"""When evidence is kept: at the first failing step, once, and never so that it hurts; and what ends with a suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import KubeVirtLibrary.listener as listening
import pytest
from KubeVirtLibrary.listener import SuiteListener
from livenad.context import Session
from livenad.errors import ProductFault
from livenad.recorded_checks import RecordedChecks
from livenad.report.evidence.evidence_page import Failure
from robot import result as model


class PaperRun:
    """A run that is open and has nothing."""

    run_id = "k3x9ab"
    opened_in = "Top"

    def __init__(self) -> None:
        self.suite: Any = SimpleNamespace(opened_in="Top.S", checks=RecordedChecks(), unobserved=[])


DATA = SimpleNamespace(full_name="Top.S")


@pytest.fixture
def listener() -> SuiteListener:
    session = Session()
    session.run = PaperRun()  # type: ignore[assignment]
    return SuiteListener(session)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Failure]]:
    """The failures of which evidence was kept."""
    found: list[Failure] = []

    def collect(run: Any, failure: Failure, folder: Path, allowance: Any) -> Path:
        if "broken" in failure.message:
            raise OSError("disk full")
        found.append(failure)
        return folder / "index.html"

    monkeypatch.setattr("livenad.report.evidence.collecting.collect", collect)
    monkeypatch.setattr(listening, "output_folder", lambda: tmp_path)
    monkeypatch.setattr(listening, "close_suite", lambda run: None)
    yield found


def step(parent: Any, name: str, status: str, message: str = "", type_: str = "KEYWORD") -> Any:
    keyword = model.Keyword(name=name, type=type_, status=status, parent=parent)
    keyword.message = message
    return keyword


def new_test(listener: SuiteListener, suite: model.TestSuite, name: str, status: str) -> model.TestCase:
    test = suite.tests.create(name=name, status=status)
    listener.start_test(None, test)
    return test


def test_first_failing_step_of_each_test_and_no_other(listener: SuiteListener, kept: list[Failure]) -> None:
    """The innermost one: what it is in may clean up before it ends."""
    suite = model.TestSuite(name="S")
    listener.start_suite(None, suite)
    test = new_test(listener, suite, "One & Two", "FAIL")
    outer = step(test, "Outer", "FAIL", "NIC is on blue")
    for item in (
        step(test, "Good", "PASS"),
        step(outer, "Inner", "FAIL", "NIC is on blue"),
        step(outer, "Put Settings Back", "PASS", type_="TEARDOWN"),
        outer,
        step(test, "Later", "FAIL", "y"),
    ):
        listener.end_body_item(None, item)
    listener.end_test(None, test)
    assert kept == [Failure("S.One & Two", "Inner", "NIC is on blue")]
    assert test.metadata["Evidence"] == "[evidence/k3x9ab-1-one-two/index.html|kept]"


@pytest.mark.parametrize("catcher", ["Run Keyword And Ignore Error", "Wait Until Keyword Succeeds", "TRY"])
def test_failure_that_is_caught_is_none(listener: SuiteListener, kept: list[Failure], catcher: str) -> None:
    """Unless what catches it fails in the end."""
    suite = model.TestSuite(name="S")
    listener.start_suite(None, suite)
    test = new_test(listener, suite, "One", "FAIL")
    if catcher == "TRY":
        outer: Any = model.TryBranch(type="TRY", status="PASS", parent=test)
    else:
        outer = step(test, catcher, "PASS")
    inner = step(outer, "Inner", "FAIL", "caught")
    listener.end_body_item(None, inner)
    listener.end_body_item(None, outer)
    assert kept == []
    for item in (inner, step(test, catcher, "FAIL", "it never held")):
        listener.end_body_item(None, item)
    assert [failure.message for failure in kept] == ["it never held"]


def test_failure_that_a_step_outlived_is_not_that_of_the_test(listener: SuiteListener, kept: list[Failure]) -> None:
    suite = model.TestSuite(name="S")
    listener.start_suite(None, suite)
    test = new_test(listener, suite, "One", "FAIL")
    outer = step(test, "Catches In Its Own Way", "PASS")
    for item in (step(outer, "Inner", "FAIL", "x"), outer, step(test, "Check", "FAIL", "y")):
        listener.end_body_item(None, item)
    listener.end_test(None, test)
    assert [failure.step for failure in kept] == ["Inner", "Check"]
    assert test.metadata["Evidence"] == "[evidence/k3x9ab-2-one/index.html|kept]"


def test_evidence_of_a_recorded_check_is_that_of_its_moment(listener: SuiteListener, kept: list[Failure]) -> None:
    """It fails in the setup of the suite; the test that tells it comes when the VM has been restarted."""
    suite = model.TestSuite(name="S")
    listener.start_suite(None, suite)
    checks = listener._session.run.suite.checks  # type: ignore[union-attr]
    for title in ("silence", "traffic"):
        arrange = step(suite, "Arrange", "PASS", type_="SETUP")
        recording = step(arrange, "Record Check", "PASS")
        checks.making = title
        if title == "silence":
            listener.end_body_item(None, step(recording, "Guests Should Not Reach Each Other", "FAIL", "it answered"))
        checks.record(title, "it answered" if title == "silence" else None)
        listener.end_body_item(None, recording)
        listener.end_body_item(None, arrange)
    assert kept == [Failure('S, recorded check "silence"', "Guests Should Not Reach Each Other", "it answered")]
    test = new_test(listener, suite, "One", "FAIL")
    outer = step(test, "Says It", "FAIL", "it answered")
    with pytest.raises(ProductFault):
        checks.require_passed("silence")
    listener.end_body_item(None, step(outer, "Recorded Check Should Pass", "FAIL", "it answered"))
    listener.end_body_item(None, outer)
    listener.end_test(None, test)
    assert test.metadata["Evidence"] == "[evidence/k3x9ab-1-silence/index.html|kept]"
    assert len(kept) == 1
    listener.end_suite(DATA, suite)
    assert "Evidence" not in suite.metadata


def test_nothing_of_what_passed_or_was_skipped_or_stopped(listener: SuiteListener, kept: list[Failure]) -> None:
    suite = model.TestSuite(name="S")
    listener.start_suite(None, suite)
    for status, message in (("SKIP", "capability ipv6 is not there: no"), ("PASS", ""), ("NOT RUN", "")):
        test = new_test(listener, suite, status, status)
        listener.end_body_item(None, step(test, "Step", status, message))
        listener.end_test(None, test)
        assert "Evidence" not in test.metadata
    stopped = new_test(listener, suite, "Stopped", "FAIL")
    listener.end_body_item(None, step(stopped, "Step", "FAIL", "Execution terminated by signal"))
    assert kept == []


def test_setup_of_a_suite_counts_for_all_its_tests(listener: SuiteListener, kept: list[Failure]) -> None:
    suite = model.TestSuite(name="S")
    listener.start_suite(None, suite)
    listener.end_body_item(None, step(suite, "Arrange", "FAIL", "LAB ERROR: no", "SETUP"))
    test = new_test(listener, suite, "One", "FAIL")
    listener.end_test(None, test)
    listener.end_body_item(None, step(suite, "Close", "FAIL", "teardown", "TEARDOWN"))
    listener.end_suite(DATA, suite)
    assert [failure.step for failure in kept] == ["Arrange"]
    assert test.metadata["Evidence"] == suite.metadata["Evidence"] == "[evidence/k3x9ab-1-s/index.html|kept]"


def test_what_goes_wrong_is_told_and_raises_nothing(listener: SuiteListener, kept: list[Failure]) -> None:
    suite = model.TestSuite(name="S")
    listener.start_suite(None, suite)
    test = new_test(listener, suite, "One", "FAIL")
    listener.end_body_item(None, step(test, "Step", "FAIL", "broken"))
    listener.end_test(None, test)
    assert kept == [] and "Evidence" not in test.metadata


def test_what_a_suite_opened_ends_with_it_and_not_earlier(
    listener: SuiteListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []

    def close_suite(run: PaperRun) -> None:
        ended.append("namespace")
        run.suite = None

    monkeypatch.setattr(listening, "close_suite", close_suite)
    monkeypatch.setattr(listening, "close_quietly", lambda session: ended.append("cluster"))
    for name in ("Top.Another", "Top.S", "Top.S", "Top"):
        listener.end_suite(SimpleNamespace(full_name=name), model.TestSuite(name="x"))
        ended.append(name)
    assert ended == ["Top.Another", "namespace", "Top.S", "Top.S", "cluster", "Top"]


def test_nothing_is_done_without_an_open_cluster(kept: list[Failure]) -> None:
    listener, suite = SuiteListener(Session()), model.TestSuite(name="S")
    listener.start_suite(None, suite)
    test = new_test(listener, suite, "One", "FAIL")
    listener.end_body_item(None, step(test, "Step", "FAIL", "TEST ERROR: no"))
    listener.end_test(None, test)
    listener.end_suite(DATA, suite)
    assert kept == [] and "Evidence" not in test.metadata


def test_report_shows_what_a_test_that_passed_could_not_observe(listener: SuiteListener) -> None:
    suite = model.TestSuite(name="S")
    told = []
    for lacks, status in ((["UDP (web has no python3)"] * 2, "PASS"), ([], "PASS"), (["UDP (web has no ip)"], "FAIL")):
        test = new_test(listener, suite, "One", status)
        listener._session.run.suite.unobserved += lacks  # type: ignore[union-attr]
        listener.end_test(None, test)
        told.append(test.metadata.get("Not observed"))
    assert told == ["UDP (web has no python3)", None, None]
