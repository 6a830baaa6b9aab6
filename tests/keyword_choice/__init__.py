# SPDX-License-Identifier: Apache-2.0
"""Whether a reader who has not seen the code picks the right keyword from names and first lines of documentation.

``python -m tests.keyword_choice`` prints what that reader gets: the list of keywords, and the tasks without answers.
What the reader answered is kept in ``answers.yaml``, one keyword for each task in the order of ``tasks.yaml``.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from robot.libdoc import LibraryDocumentation

from scripts.keyword_pages import LIBRARIES

FOLDER = Path(__file__).parent
TASKS = FOLDER / "tasks.yaml"
ANSWERS = FOLDER / "answers.yaml"
NEEDED = 23
"""Right answers among the 25."""


def keywords() -> dict[str, str]:
    """The first line of each keyword's documentation, by its name, in alphabetical order over both libraries."""
    found = {keyword.name: keyword.short_doc for name in LIBRARIES for keyword in LibraryDocumentation(name).keywords}
    return dict(sorted(found.items()))


def tasks() -> list[tuple[str, list[str]]]:
    """Each task, and the keywords that do it."""
    rows = yaml.safe_load(TASKS.read_text(encoding="utf-8"))
    return [(row["task"], row["expected"]) for row in rows]


def answers() -> list[str]:
    """What the reader answered. FileNotFoundError when no reader was asked yet."""
    return [str(answer) for answer in yaml.safe_load(ANSWERS.read_text(encoding="utf-8"))["answers"]]


def questionnaire() -> str:
    """All that the reader gets to see."""
    lines = ["Keywords, each with the first line of its documentation:", ""]
    lines += [f"- {name}: {line}" for name, line in keywords().items()]
    lines += ["", "Which one keyword does it?", ""]
    lines += [f"{number}. {task}" for number, (task, _) in enumerate(tasks(), 1)]
    return "\n".join(lines) + "\n"
