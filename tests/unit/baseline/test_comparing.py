# SPDX-License-Identifier: Apache-2.0
"""Every difference is named, what is listed as meant is none, and what was ever seen is as good as the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.baseline.__main__ import Unknown, chosen, main
from tests.baseline.comparing import differences, lines
from tests.baseline.record import Record, Records, Seen, load, write
from tests.baseline.wordings import Wording, WordingError, load_wordings, reworded


def record(test: str = "Test", status: str = "FAIL", *messages: str, gate: int = 1) -> Record:
    return Record(gate=[gate], tests={("nad-01", test): [Seen(status, message) for message in messages or ("",)]})


BEFORE: Records = {"1.9/kubernetes": record("Test", "FAIL", "VM a: expected b after 3 s")}


@pytest.mark.parametrize(
    ("after", "kinds"),
    [
        ({"1.9/kubernetes": record("Test", "FAIL", "VM a: expected b after 5 s")}, []),
        ({"1.9/kubernetes": record("Test", "FAIL", "VM a: expected c")}, ["message"]),
        ({"1.9/kubernetes": record("Test", "PASS", gate=0)}, ["status", "status"]),
        ({"1.9/kubernetes": record("Another", "FAIL", "VM a: expected b after 3 s")}, ["new", "missing"]),
        ({}, ["missing"]),
        ({**BEFORE, "main/openshift": record()}, ["new"]),
    ],
)
def test_differences_are_named(after: Records, kinds: list[str]) -> None:
    assert [one.kind for one in differences(BEFORE, after)] == kinds


def test_whatever_was_seen_before_may_be_seen_again() -> None:
    before = {"a": record("Test", "FAIL", "one", "other")}
    assert differences(before, {"a": record("Test", "FAIL", "other")}) == []
    assert [one.after for one in differences({"a": record("Test", "FAIL", "other")}, before)] == [(("FAIL", "one"),)]


def test_what_is_meant_to_be_said_differently_is_no_difference() -> None:
    wordings = [
        Wording("Test", "Renamed", "names"),
        Wording(r"/VM (\w): expected/", r"VM \1 must be", "words"),
        Wording("never said", "", "stale"),
    ]
    after = {"1.9/kubernetes": record("Renamed", "FAIL", "VM a must be b after 9 s")}
    assert differences(BEFORE, after, wordings) == []
    assert [bool(wording.used) for wording in wordings] == [True, True, False]


def test_a_wording_of_one_scenario_leaves_the_others_alone() -> None:
    tests = {(scenario, "Test"): [Seen("FAIL", "Test is red")] for scenario in ("nad-01", "nad-02")}
    after = {("nad-01", "Test"): [Seen("FAIL", "Test is red")], ("nad-02", "Renamed"): [Seen("FAIL", "Renamed is red")]}
    wording = Wording("Test", "Renamed", "unique names", scenario="nad-02")
    assert differences({"a": Record(gate=[1], tests=tests)}, {"a": Record(gate=[1], tests=after)}, [wording]) == []
    assert wording.used == 2
    assert reworded("Test", [wording]) == "Test"


def test_the_same_difference_of_several_runs_is_told_once() -> None:
    before = {name: record("Test", "FAIL", "old") for name in "ab"}
    after = {name: record("Test", "FAIL", "new") for name in "ab"}
    assert lines(differences(before, after)) == ["MESSAGE  nad-01 Test, in a, b", "    - FAIL: old", "    + FAIL: new"]


def test_another_time_adds_what_is_different() -> None:
    one = record("Test", "FAIL", "after 3 s")
    for message in ("after 4 s", "never", "never"):
        one.add(record("Test", "FAIL", message, gate=2))
    assert one.tests == {("nad-01", "Test"): [Seen("FAIL", "after 3 s"), Seen("FAIL", "never")]}
    assert (one.times, one.gate) == (4, [1, 2])


def test_the_file_brings_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "before.json"
    write(path, BEFORE)
    assert load(path) == BEFORE
    assert '"message": "VM a: expected b after <time>"' in path.read_text()
    assert [file.name for file in tmp_path.iterdir()] == ["before.json"]


def test_the_command_ends_with_one_when_something_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after, wordings = (tmp_path / name for name in ("before", "after", "wordings"))
    write(before, BEFORE)
    write(after, {"1.9/kubernetes": record("Test", "FAIL", "VM a: expected c after 1 s")})
    assert main(["compare", str(before), str(before)]) == 0
    assert main(["compare", str(before), str(after)]) == 1
    wordings.write_text("- {before: expected b, after: expected c, why: c}\n- {before: x y, after: z, why: z}\n")
    assert main(["compare", str(before), str(after), "--wordings", str(wordings)]) == 0
    assert "UNUSED   wording 'x y'" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "- {before: a, after: b}",
        "- {before: a, after: 1, why: c}",
        "- a",
        "- {before: /(/, after: b, why: c}",
        "- {before: a, after: b, why: c, scenario: ''}",
        "- {before: a, after: b, why: c, scenario: 7}",
    ],
)
def test_broken_wordings_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wordings.yaml"
    path.write_text(text)
    with pytest.raises(WordingError):
        load_wordings(path)


def test_runs_are_chosen_by_name_or_pattern() -> None:
    runs = {name: lambda _: Record() for name in ("1.9/kubernetes", "main/kubernetes", "main/openshift")}
    assert list(chosen(runs, "main/openshift,1.9/*")) == ["1.9/kubernetes", "main/openshift"]
    assert chosen(runs, "") == {}
    with pytest.raises(Unknown, match=r"no such run: 1\.0"):
        chosen(runs, "1.0,main/*")
