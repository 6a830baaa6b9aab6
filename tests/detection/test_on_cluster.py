# SPDX-License-Identifier: Apache-2.0
"""What may go wrong by chance on the embedded cluster: what is drawn, and what is made of a run."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from emulator.fault_points import fault_points_for
from testplan.results import Outcome, Verdict
from tests.detection import guest_changes, on_cluster, random_runs
from tests.detection.on_cluster import BUSY, Drawn, described, draw, draw_noise
from tests.detection.outcomes import (
    ALARM,
    GREEN,
    LEFT_OUT,
    MOST_EXCLUDED,
    NO_EFFECT,
    NOTICED,
    UNNOTICED,
    WRONG_BLAME,
    Tried,
    is_left_out,
    report,
    report_noise,
)
from tests.detection.random_runs import _of_defect, _of_noise
from tests.detection.table import load_table


def test_the_same_seed_draws_the_same_of_all_parts_and_the_cluster_takes_it() -> None:
    drawn = draw(300, 3)
    assert [one.title for one in drawn] == [one.title for one in draw(300, 3)] != [one.title for one in draw(300, 4)]
    parts = Counter(one.title.partition(" ")[0] for one in drawn)
    assert min(parts["guest"], parts["frames"], parts["Pod"] + parts["VirtualMachine"]) > 20
    for one in (*drawn, *draw_noise(60, 3)):
        if one.what is not None:
            fault_points_for([described(one, Path("/nowhere"))])


def test_few_are_excluded() -> None:
    drawn = draw(400, 1001)
    out = [one for one in drawn if is_left_out(one.title)]
    assert len(out) <= MOST_EXCLUDED * len(drawn)


def test_noise_is_only_what_the_table_says_p0_passes_in_spite_of() -> None:
    passes = {case.defect for case in load_table() if case.verdict is Verdict.PASS}
    assert set(BUSY) <= passes


def test_what_draws_knows_nothing_of_what_is_judged() -> None:
    for module in (on_cluster, guest_changes):
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name for name in names if name.startswith(("livenad", "KubeVirt", "Guest"))}


def outcome(verdict: Verdict) -> Outcome:
    return Outcome("T", "S", "s1-t1", verdict, "what it says", 0.0, (), {})


@pytest.mark.parametrize(
    ("red", "done", "expected"),
    [
        ([Verdict.LAB_ERROR, Verdict.FAIL], [{"done": "x"}], NOTICED),
        ([Verdict.LAB_ERROR], [{"done": "x"}], WRONG_BLAME),
        ([], [{"done": "x"}], UNNOTICED),
        ([], [{"done": "x"}, {"healed": True}], NO_EFFECT),
        ([], [{"done": "x"}, {"healed": True}, {"healed": False}], UNNOTICED),
        ([], [{"done": ""}], NO_EFFECT),
        ([], [], NO_EFFECT),
    ],
)
def test_what_is_made_of_a_run(red: list[Verdict], done: list[dict[str, object]], expected: str) -> None:
    assert _of_defect([outcome(one) for one in red], done)[0] == expected
    assert _of_noise([outcome(one) for one in red])[0] == (ALARM if red else GREEN)


def test_noise_runs_where_a_defect_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left_out = Drawn("Pod metadata.labels.example.com/odd53 added, at its third write", {"field": {}})
    monkeypatch.setattr(random_runs, "_run", lambda *_, noise: (GREEN if noise else UNNOTICED, "", ""))
    assert [one.outcome for one in random_runs.run_all([left_out], tmp_path / "noise", 1, noise=True)] == [GREEN]
    assert [one.outcome for one in random_runs.run_all([left_out], tmp_path / "random", 1)] == [LEFT_OUT]


def test_a_draw_below_the_goal_or_with_an_alarm_fails(capsys: pytest.CaptureFixture[str]) -> None:
    noticed, unnoticed = Tried("a", NOTICED), Tried("frames of b", UNNOTICED, done="b was sent")
    assert report([noticed] * 19 + [unnoticed], "x") == 0
    assert report([noticed] * 18 + [unnoticed], "x") == 1
    assert "UNNOTICED  frames of b\n    done: b was sent" in capsys.readouterr().out
    assert report_noise([Tried("a", GREEN)], "x") == 0
    assert report_noise([Tried("a", GREEN), Tried("late b", ALARM, "LAB ERROR T: c")], "x") == 1
    assert "FALSE ALARM  late b" in capsys.readouterr().out
