# SPDX-License-Identifier: Apache-2.0
"""The search for banned words: what it finds, and where it does not look."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.lint import wording

LISTED = wording.WORDS.read_text(encoding="utf-8")
WORD = next(word for word in yaml.safe_load(LISTED) if word.isalpha())
"""One that is banned. It must not stand here itself."""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository that is searched in place of this one."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    monkeypatch.setattr(wording, "ROOT", tmp_path)
    return tmp_path


def write(checkout: Path, name: str, text: str, *, tracked: bool = True) -> None:
    path = checkout / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if tracked:
        subprocess.run(["git", "-C", str(checkout), "add", name], check=True)


def test_every_pattern_compiles_and_has_a_replacement() -> None:
    rules = wording.rules(LISTED)
    assert len(rules) > 10
    assert all(isinstance(pattern, re.Pattern) and instead.strip() for pattern, instead in rules)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("libraries/livenad/leases.py", f'"""Leases."""\n\n# They are read {WORD}.\n'),
        ("docs/page.md", f"# Leases\n\nThe run reads them {WORD}, and ends.\n"),
        ("suites/p0/one.robot", f"*** Test Cases ***\nOne\n    Read Leases {WORD.title()}\n"),
    ],
)
def test_a_banned_word_is_found_with_file_and_line(
    checkout: Path, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    write(checkout, name, text)
    assert wording.main() == 1
    found, total = capsys.readouterr().out.splitlines()
    assert found.lower().startswith(f'{name}:3: "{WORD}"; write instead: ')
    assert total == "1 banned words"


@pytest.mark.parametrize(
    "name",
    ["tests/unit/data/flow.yaml", "tests/matrix/recordings/run.txt", "tests/emulator/wire/answer.yaml", "LICENSE"],
)
def test_recordings_and_the_license_are_not_searched(checkout: Path, name: str) -> None:
    write(checkout, name, f"Read it {WORD}.\n")
    assert wording.main() == 0


def test_files_that_git_does_not_track_are_not_searched(checkout: Path) -> None:
    write(checkout, "notes.md", f"Read it {WORD}.\n", tracked=False)
    assert wording.main() == 0


def test_only_whole_words_count_and_each_is_reported() -> None:
    banned = wording.rules("'spare keys?': 'key'\n'key': 'code'")
    assert list(wording.hits("a.md", "keyword, spare keyboard", banned)) == []
    assert list(wording.hits("a.md", "\nSpare keys open a key box", banned)) == [
        'a.md:2: "Spare keys"; write instead: key',
        'a.md:2: "key"; write instead: code',
    ]
