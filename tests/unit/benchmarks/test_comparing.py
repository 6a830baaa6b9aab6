# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: what counts as worse, and how figures are shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.comparing import worse
from tests.benchmarks.figures import SECTIONS, Ratio, figure, number, ratio, rows
from tests.benchmarks.report import as_markdown, as_text, published, sections_of

BEFORE = [Ratio("share", 0.2, "lower"), Ratio("peers to ours", 20.0, "higher")]


@pytest.mark.parametrize(
    ("now", "count"),
    [
        ([Ratio("share", 0.29, "lower"), Ratio("peers to ours", 14.0, "higher")], 0),
        ([Ratio("share", 0.31, "lower")], 1),
        ([Ratio("peers to ours", 13.0, "higher")], 1),
        ([Ratio("share", 0.05, "lower"), Ratio("peers to ours", 90.0, "higher")], 0),
        ([Ratio("a new one", 9.0, "lower")], 0),
    ],
)
def test_only_ratios_that_got_half_as_bad_again_are_worse(now: list[Ratio], count: int) -> None:
    found = worse(now, BEFORE)
    assert len(found) == count
    assert all("times worse" in line for line in found)


def test_ratio_is_of_medians() -> None:
    slow, fast = figure("b", "slow", "ms", [10, 30, 20]), figure("b", "fast", "ms", [1, 2, 90])
    assert ratio("slow to fast", slow, fast, better="higher").value == 10


def test_nothing_measured_is_no_figure() -> None:
    with pytest.raises(ValueError, match="nothing was measured of: waits"):
        figure("b", "waits", "ms", [])


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0123, "0.0123"), (9.876, "9.88"), (23.45, "23.4"), (1234, "1,234")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_tables_show_spread_and_only_sections_with_figures() -> None:
    shown = [figure("c", "over ssh", "ms", range(1, 101))]
    assert rows(shown)[0] == ("over ssh", "50.5", "1", "100", "100", "ms", "100")
    for page in (as_text(shown, BEFORE), as_markdown(shown, BEFORE, {"c": "A note."})):
        assert f"c. {SECTIONS['c']}" in page
        assert SECTIONS["a"] not in page
        assert "peers to ours" in page


def test_published_ratios_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "ratios.json"
    assert published(file) == []
    file.write_text(json.dumps([one.as_data() for one in BEFORE]), encoding="utf-8")
    assert published(file) == BEFORE


def test_sections_that_were_not_measured_stay_as_they_are() -> None:
    first = as_markdown([figure("a", "share", "%", [1.0]), figure("g", "start", "s", [2.0])], [], {"a": "Why."}, load=3)
    again = as_markdown([figure("g", "start", "s", [4.0])], [], {}, first, load=9.25)
    former, now = sections_of(first), sections_of(again)
    assert now["a"] == former["a"]
    assert "Why." in now["a"]
    assert "beside a load of 9.2" in now["g"]
    assert "| start | 4 |" in now["g"]
    assert sections_of(as_markdown([], BEFORE, {}, again)) == now
