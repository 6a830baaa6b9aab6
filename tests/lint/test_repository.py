# SPDX-License-Identifier: Apache-2.0
"""The files that surround the code: hooks, templates, records and the list of changes say what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from KubeVirtLibrary import __version__

ROOT = Path(__file__).resolve().parents[2]
RECORDS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def test_every_hook_is_a_stage_of_the_quick_lane() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    stages = (ROOT / "test.sh").read_text(encoding="utf-8")
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert hooks
    for hook in hooks:
        program, *arguments = hook["entry"].removeprefix(".venv/bin/").split()
        # By the Python of the environment there, and here by its name.
        called = " ".join(arguments[:2]) if program == "python" else program
        assert called in stages, hook["id"]


@pytest.mark.parametrize("path", [path for path in TEMPLATES if path.name != "config.yml"], ids=lambda path: path.name)
def test_a_template_asks_for_what_it_needs(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= form.keys()
    assert any(field.get("validations", {}).get("required") for field in form["body"])
    assert len({field["id"] for field in form["body"]}) == len(form["body"])


def test_records_are_numbered_without_gaps_and_listed() -> None:
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))
    listed = re.findall(
        r"^\| \[\d{4}\]\((.+)\) \| (.+) \|$", (ROOT / "docs/adr/README.md").read_text("utf-8"), re.MULTILINE
    )
    titles = [(path.name, path.read_text(encoding="utf-8").splitlines()[0].partition(". ")[2]) for path in RECORDS]
    assert listed == titles


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_a_record_says_what_was_decided_and_what_was_not(path: Path) -> None:
    headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == ["Problem", "Decision", "Consequences", "Not chosen"]


def test_the_list_of_changes_has_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", text, re.MULTILINE)[:2] == ["Unreleased", __version__]


def test_the_control_plane_has_one_clock() -> None:
    """That of `emulator.pace`, which tests run in virtual time."""
    folders = [ROOT / "emulator" / name for name in ("controlplane", "defects", "kube")]
    others = [path for folder in folders for path in folder.rglob("*.py") if "monotonic" in path.read_text("utf-8")]
    assert others == []
