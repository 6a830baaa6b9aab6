# SPDX-License-Identifier: Apache-2.0
"""The answers of a reader who knew names and first lines only; how they were asked for: see the package."""

from __future__ import annotations

import pytest

from tests.keyword_choice import ANSWERS, NEEDED, answers, keywords, questionnaire, tasks


def test_tasks_are_twenty_five_and_expect_keywords_that_there_are() -> None:
    known = keywords()
    assert len(tasks()) == 25
    for task, expected in tasks():
        assert set(expected) <= set(known), task


def test_the_questionnaire_names_no_answer() -> None:
    asked = questionnaire().partition("Which one keyword")[2]
    assert not [name for name in keywords() if name in asked]


@pytest.mark.skipif(not ANSWERS.exists(), reason="no reader was asked yet: python -m tests.keyword_choice")
def test_reader_picks_the_right_keyword() -> None:
    given = answers()
    assert len(given) == len(tasks())
    wrong = {task: answer for (task, expected), answer in zip(tasks(), given, strict=True) if answer not in expected}
    assert len(given) - len(wrong) >= NEEDED, wrong
