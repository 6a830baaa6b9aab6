# SPDX-License-Identifier: Apache-2.0
"""The mutants that once survived are killed, each by the test that was written for it; and the tool itself can lose."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from tests.mutants.list_mutants import replacement, without_annotations
from tests.mutants.runner import KILLED, ROOT, SURVIVED, TIMEOUT, UNREACHED, Mutant

NAMED = yaml.safe_load((Path(__file__).parent / "named.yaml").read_text(encoding="utf-8"))
COUNTS = """\
def add(one: int, other: int) -> int:
    return one + other


LIMIT = 3


def unused() -> int:
    return 1
"""
TESTS = "import counts\n\n\ndef test_it() -> None:\n    assert counts.add(0, 0) == 0\n    assert counts.LIMIT == 3\n"


def outcomes(mutants: Sequence[Mutant], tests: Sequence[str], folder: Path) -> list[str]:
    job = folder / "job.json"
    job.write_text(json.dumps({"tests": list(tests), "mutants": [vars(one) for one in mutants]}))
    command = [sys.executable, "-m", "tests.mutants.runner", str(job)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "left out" not in done.stderr
    return [json.loads(line)["outcome"] for line in done.stdout.splitlines()]


def mutant(path: str | Path, was: str, now: str) -> Mutant:
    source = (ROOT / path).read_text(encoding="utf-8")
    assert source.count(was) == 1, f"{was!r} stands in {path} {source.count(was)} times"
    start = source.index(was)
    return Mutant(str(path), "named", source.count("\n", 0, start) + 1, start, start + len(was), now)


def test_each_mutant_that_once_survived_is_killed(tmp_path: Path) -> None:
    mutants = [mutant(entry["module"], entry["was"], entry["now"]) for entry in NAMED]
    found = outcomes(mutants, sorted({entry["test"] for entry in NAMED}), tmp_path)
    lives = [entry["what"] for entry, outcome in zip(NAMED, found, strict=True) if outcome not in (KILLED, TIMEOUT)]
    assert lives == []


def test_a_mutant_lives_that_no_test_notices(tmp_path: Path) -> None:
    path, tests = tmp_path / "counts.py", tmp_path / "test_counts.py"
    path.write_text(COUNTS)
    tests.write_text(TESTS)
    (tmp_path / "conftest.py").write_text(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n")
    mutants = [
        mutant(path, "one + other", "one - other"),
        mutant(path, "one + other", "one + other + 1"),
        mutant(path, "LIMIT = 3", "LIMIT = 4"),
        mutant(path, "return 1", "return 2"),
        mutant(path, "    return one + other", "    while True:\n        pass"),
    ]
    assert outcomes(mutants, [str(tests)], tmp_path) == [SURVIVED, KILLED, KILLED, UNREACHED, TIMEOUT]


def test_a_change_of_an_annotation_is_no_mutant() -> None:
    assert without_annotations("x: int | None = 1") == without_annotations("x: int & None = 1")
    assert without_annotations("x = 1") != without_annotations("x = 2")


@pytest.mark.parametrize(
    ("source", "changed"), [("a < b", "a <= b"), ("a <= b", "a < b"), ("if x:", "if not x:"), ("10", "9")]
)
def test_a_replacement_makes_the_mutant(source: str, changed: str) -> None:
    start, end, text = replacement(source, changed)
    assert Mutant("any.py", "any", 1, start, end, text).applied(source) == changed


def test_everything_named_is_a_known_field() -> None:
    known: set[str] = {"what", "module", "was", "now", "test"}
    assert all(set(entry) == known for entry in NAMED)
