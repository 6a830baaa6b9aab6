# SPDX-License-Identifier: Apache-2.0
"""Each keyword has a short example that is correct Robot data: its names, arguments and types are valid."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.forked import run_forked
from tests.keyword_examples import LIBRARIES, examples, minimal_suites, suite_of

EXAMPLES = examples()
LONGEST = 4


def dry_run(folder: Path, **suites: str) -> subprocess.CompletedProcess[str]:
    """Robot's dry run of suites by name."""
    for name, text in suites.items():
        (folder / f"{name}.robot").write_text(text, encoding="utf-8")
    nowhere = [word for name in ("--output", "--log", "--report") for word in (name, "NONE")]
    return run_forked("robot", ["--dryrun", *nowhere, str(folder)], folder=folder)


@pytest.mark.parametrize("name", EXAMPLES)
def test_keyword_ends_with_a_short_example_of_itself(name: str) -> None:
    assert 1 <= len(EXAMPLES[name]) <= LONGEST
    assert any(name in line.split("    ") for line in EXAMPLES[name])


def test_examples_and_minimal_suites_are_valid(tmp_path: Path) -> None:
    done = dry_run(tmp_path, Examples=suite_of(EXAMPLES), **minimal_suites())
    assert done.returncode == 0, done.stdout
    assert f"{len(EXAMPLES) + len(LIBRARIES)} passed" in done.stdout


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("Star VMs", "No keyword with name 'Star VMs' found"),
        ("Stop VM    web    soon=yes", "expected 1 argument, got 2"),
        ("Wait Until VMs Are Ready    within=a while", "Argument 'within' got value 'a while'"),
    ],
)
def test_dry_run_finds_a_wrong_example(tmp_path: Path, step: str, said: str) -> None:
    """A wrong name, argument and type: the test above proves something."""
    done = dry_run(tmp_path, Wrong=suite_of({"Wrong": [step]}))
    assert done.returncode == 1
    assert said in done.stdout


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: str(library.name))
def test_introduction_lists_each_keyword_once(library: Any) -> None:
    rows = [line for line in library.doc.splitlines() if line.startswith("| ") and line.endswith(" |")]
    listed = [part for row in rows for part in row.split("`")[1::2]]
    assert sorted(listed) == sorted(keyword.name for keyword in library.keywords)


def test_both_libraries_have_one_version() -> None:
    assert len({library.version for library in LIBRARIES}) == 1
