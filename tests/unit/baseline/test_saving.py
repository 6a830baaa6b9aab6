# SPDX-License-Identifier: Apache-2.0
"""Each run is kept as soon as it ends; a restart makes only those that the file lacks."""

from __future__ import annotations

from pathlib import Path

from testplan.results import Outcome, Verdict
from tests.baseline.record import GATE, Key, Record, Seen, load
from tests.baseline.runs import PRINTED, record
from tests.baseline.saving import save


def outcome(verdict: Verdict, message: str = "") -> Outcome:
    return Outcome("Test", "Suites", "s1-t1", verdict, message, 0.0, ("p1", "nad-06"), {})


def saved(runs: dict[str, str], into: Path, *, again: bool = False) -> tuple[int, list[str]]:
    """Lets each run say this; "" stands for one that breaks. How many broke, and which were made."""
    made: list[str] = []

    def make(name: str) -> Record:
        made.append(name)
        if not runs[name]:
            raise TimeoutError(name)
        return record([outcome(Verdict.FAIL, runs[name])])

    several = {name: (lambda _, name=name: make(name)) for name in runs}
    failed = save(several, into, into.parent / "results", parallel=1, again=again, keep=False, tell=lambda line: None)
    return failed, made


def test_what_is_there_is_not_run_again(tmp_path: Path) -> None:
    into = tmp_path / "file.json"
    assert saved({"a": "one", "b": ""}, into) == (1, ["a", "b"])
    assert list(load(into)) == ["a"]
    assert saved({"a": "other", "b": "one"}, into) == (0, ["b"])
    assert list(load(into)) == ["a", "b"]


def test_alternatives_are_added_when_asked_for(tmp_path: Path) -> None:
    into = tmp_path / "file.json"
    saved({"a": "one after 3 s"}, into)
    saved({"a": "one after 4 s"}, into, again=True)
    saved({"a": "other"}, into, again=True)
    found = load(into)["a"]
    assert (found.times, found.tests["nad-06", "Test"]) == (3, [Seen("FAIL", "one after 3 s"), Seen("FAIL", "other")])


def test_a_run_is_kept_by_the_tags_of_its_tests_with_the_verdict_of_the_gate() -> None:
    assert dict(record([outcome(Verdict.PASS)]).entries("a")) == {
        Key("a", "", GATE): [Seen("0")],
        Key("a", "nad-06", "Test"): [Seen("PASS")],
    }
    assert record([outcome(Verdict.LAB_ERROR, "LAB ERROR: x")]).gate == [2]


def test_what_a_run_printed_stands_for_results_that_it_did_not_leave() -> None:
    assert dict(record([], "no room").entries("a"))[Key("a", "", PRINTED)] == [Seen("", "no room")]
