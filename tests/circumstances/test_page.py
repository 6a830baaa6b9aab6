# SPDX-License-Identifier: Apache-2.0
"""The page says what the marks say, and a mark says what its test asserts."""

from __future__ import annotations

from tests.circumstances.marks import TRIED, marks_of, read_marks
from tests.circumstances.page import PAGE, page

MARK = '@pytest.mark.circumstance("it rains", topic="{topic}", sees="{sees}", verdict="{verdict}", source="{source}")\n'
GOOD = {"topic": "nodes", "sees": "get ... wet", "verdict": "LAB ERROR", "source": TRIED}


def mistakes(body: str = 'def test_it():\n    assert "you get all wet" in message\n', **changed: str) -> list[str]:
    (mark,) = marks_of(MARK.format_map(GOOD | changed) + body, "tests/test_rain.py")
    return mark.mistakes()


def test_page_is_up_to_date() -> None:
    marks = read_marks()
    assert not [line for one in marks for line in one.mistakes()]
    assert PAGE.read_text(encoding="utf-8") == page(marks), "run: python -m tests.circumstances"


def test_titles_differ() -> None:
    titles = [one.title for one in read_marks()]
    assert sorted(titles) == sorted(set(titles))


def test_mark_is_checked() -> None:
    assert not mistakes()
    assert not mistakes(source="https://github.com/kubevirt/kubevirt/issues/1")
    assert mistakes(sees="get ... dry") == ["tests/test_rain.py::test_it: the test has no text with: dry"]
    assert not mistakes("def test_it(sees):\n    sees(message)\n", sees="get ... dry")
    for changed in ({"topic": "weather"}, {"verdict": "SUN"}, {"source": "hearsay"}):
        assert len(mistakes(**changed)) == 1


def test_rows_name_source_and_test() -> None:
    text = MARK.format_map(GOOD | {"source": "https://github.com/kubevirt/kubevirt/issues/7"}) + "def test_it(): ..."
    row = "| it rains | get ... wet | LAB ERROR | [kubevirt/kubevirt#7](https://github.com/kubevirt/kubevirt/issues/7) "
    assert row + "| [test_it](../tests/test_rain.py) |" in page(list(marks_of(text, "tests/test_rain.py")))
