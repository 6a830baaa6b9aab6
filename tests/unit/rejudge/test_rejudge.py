# SPDX-License-Identifier: Apache-2.0
"""Verdicts saved with a suite's evidence, and made again from it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from KubeVirtLibrary import KubeVirtLibrary
from KubeVirtLibrary.base import SESSION
from livenad.api.history import History
from livenad.api.kinds import VM
from livenad.context import SuiteContext
from livenad.errors import BadInput, ProductFault
from livenad.rejudge.command import main
from livenad.rejudge.loading import load, rejudge
from livenad.rejudge.saving import FILE, MOST_STATES, save
from livenad.report.evidence.redaction import Redaction
from livenad.verdict_log import VerdictLog

from tests.unit.support.histories import Alteration
from tests.unit.support.open_suite import open_replay

DATA = Path(__file__).parents[1] / "data"
SECONDS = timedelta(seconds=60)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[Path, SuiteContext]]:
    """Opens a recording, calls keywords, and saves what they judged."""

    def make(recording: str = "swap-main", alter: Alteration | None = None) -> tuple[Path, SuiteContext]:
        monkeypatch.setattr(SESSION, "run", None)
        suite, library = open_replay(recording, alter), KubeVirtLibrary()
        suite.recorder.catch_up = lambda **_: 0  # type: ignore[method-assign]
        for name, arguments in (
            ("NIC Change Should Have Completed", {"nic": "net1", "within": SECONDS}),
            ("VM Should Have Been Migrated", {}),
            ("VM Should Not Have Restarted", {}),
        ):
            with suppress(ProductFault):
                library.run_keyword(name, ["vm1"], arguments)
        path = tmp_path / "evidence" / "one" / FILE
        assert save(path, suite.recorder.history, suite.verdicts, Redaction(["s3cr3t-value"]).text, {}) == ""
        return path, suite

    return make


def test_each_verdict_is_made_again_with_status_and_message(judged: Callable[..., Any], capsys: Any) -> None:
    path, suite = judged()
    assert [one.outcome.status for one in suite.verdicts.all()] == ["PASS"] * 3
    assert main(["rejudge", str(path.parent)]) == 0
    assert capsys.readouterr().out == "3 verdicts made again: 3 the same, 0 different\n"


def _failed(events: Any) -> Any:
    for event in events:
        if (
            event["kind"] == "VirtualMachineInstanceMigration"
            and event["object"].get("status", {}).get("phase") == "Succeeded"
        ):
            event["object"]["status"]["phase"] = "Failed"
    return events


def test_a_fault_is_made_again_as_well(judged: Callable[..., Any]) -> None:
    path, suite = judged(alter=_failed)
    assert "FAIL" in [one.outcome.status for one in suite.verdicts.all()]
    assert all(one.same for one in rejudge(load(path)))


def test_a_verdict_that_says_something_else_is_told_and_can_be_accepted(
    judged: Callable[..., Any], capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = judged()
    monkeypatch.setattr("livenad.network_change.completion.is_automatic", lambda _: False)
    monkeypatch.setattr("livenad.migrations.judge_migrations.is_automatic", lambda _: False)
    assert main(["rejudge", str(path)]) == 1
    told = capsys.readouterr().out
    assert "DIFFERENT" in told
    assert "was  PASS" in told
    assert "is   FAIL" in told
    assert main(["rejudge", "--accept", str(path)]) == 0
    assert main(["rejudge", str(path)]) == 0


def test_recorded_flows_are_judged_by_the_same_command(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livenad.rejudge.flows.table", _two(_table()))
    assert main(["rejudge", str(DATA / "flows")]) == 0
    assert "2 verdicts made again: 2 the same" in capsys.readouterr().out


def _table() -> Callable[[Path], dict[str, Any]]:
    from livenad.rejudge.flows import table

    return table


def _two(table: Callable[[Path], dict[str, Any]]) -> Callable[[Path], dict[str, Any]]:
    chosen = ("main-ab_basic", "main-l1_migration_fails")
    return lambda folder: {name: flow for name, flow in table(folder).items() if name in chosen}


def test_a_flow_unlike_its_table_is_told(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    table = _two(_table())
    both = {name: {"edits": flow["edits"]} for name, flow in table(DATA / "flows").items()}
    monkeypatch.setattr("livenad.rejudge.flows.table", lambda _: both)
    assert main(["rejudge", str(DATA / "flows")]) == 1
    assert "DIFFERENT  main-l1_migration_fails, green in the table; found: migration" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "has neither verdicts.jsonl.gz nor flows.yaml"),
        (b"no gzip", "is not a whole file of verdicts"),
        (gzip.compress(b"{}\n"), 'its first line should have "format": "livenad verdicts"'),
        (gzip.compress(b'{"format":"livenad verdicts","version":7}\n'), "has version 7; this livenad reads version 1"),
    ],
    ids=["none", "broken", "another", "later"],
)
def test_what_is_no_evidence_is_one_clear_error(content: bytes | None, told: str, tmp_path: Path, capsys: Any) -> None:
    if content is not None:
        (tmp_path / FILE).write_bytes(content)
    assert main(["rejudge", str(tmp_path)]) == 64
    assert told in capsys.readouterr().err


def test_credentials_are_in_no_line(tmp_path: Path) -> None:
    history, log = History(), VerdictLog(History())
    for number, secret in enumerate(("one", "two")):
        volume = {"name": "c", "cloudInitNoCloud": {"userData": f"password: {secret}"}}
        metadata = {"name": "web", "uid": "u", "resourceVersion": str(number), "annotations": {"a": "s3cr3t-value"}}
        history.append(VM, "MODIFIED", {"metadata": metadata, "spec": {"volumes": [volume], "token": 5}})
    log.of_samples(said, "password=hunter22, s3cr3t-value")
    save(tmp_path / FILE, history, log, Redaction(["s3cr3t-value"]).text, {})
    text = gzip.decompress((tmp_path / FILE).read_bytes()).decode()
    assert "s3cr3t" not in text
    assert "hunter22" not in text
    assert "password: " not in text
    states = [one[-1] for one in load(tmp_path / FILE).states]
    users = [state["spec"]["volumes"][0]["cloudInitNoCloud"]["userData"] for state in states]
    assert users[0] != users[1]


def said(text: str) -> str:
    return text


def test_a_verdict_that_cannot_be_found_again_is_told(tmp_path: Path) -> None:
    log = VerdictLog(History())
    log.of_samples(said, "well")
    save(tmp_path / FILE, History(), log, str, {})
    (one,) = rejudge(load(tmp_path / FILE))
    assert not one.same
    assert "it was saved without what it was made of: " in one.now.message


def test_a_verdict_with_the_arguments_of_another_version_is_told(
    judged: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = judged()
    monkeypatch.setattr("livenad.rejudge.loading.decode", lambda data: data)
    told = [one.now.message for one in rejudge(load(path))]
    assert all("it cannot be made again by this version: " in line for line in told)


@pytest.mark.parametrize(
    "name", ["os:system", "livenad.errors:LabError", "livenad.secret_text:gone", "livenad.text:human"]
)
def test_only_verdicts_of_livenad_are_called(name: str) -> None:
    from livenad.rejudge.codec import function_of

    with pytest.raises(BadInput, match="is not a verdict of this version"):
        function_of(name)


def test_a_history_that_is_too_long_is_left_out_and_told(tmp_path: Path) -> None:
    history = History()
    history._length = MOST_STATES + 1
    told = save(tmp_path / FILE, history, VerdictLog(history), str, {})
    assert told == "verdicts of this suite cannot be made again: more than 50,000 states"
    assert load(tmp_path / FILE).left_out == "more than 50,000 states"


def test_a_state_that_came_after_a_verdict_but_stands_before_it_does_not_count(tmp_path: Path) -> None:
    def vm(version: int, asked: str) -> dict[str, Any]:
        metadata = {"name": "web", "uid": "u", "resourceVersion": str(version)}
        return {"metadata": metadata, "status": {"conditions": [{"type": "RestartRequired", "status": asked}]}}

    from livenad.changes import Change
    from livenad.conditions.judge_conditions import judge_never_set

    history = History()
    history.append(VM, "ADDED", vm(1, "False"))
    change = Change(
        action="restart", what="it", vm="web", namespace="n", index=0, at=0, vmi_uid="", node="", migrations=frozenset()
    )
    log = VerdictLog(history)
    history.append(VM, "MODIFIED", vm(5, "False"))
    assert "in no state" in log.of_history(judge_never_set, change, ["RestartRequired"])
    history.append(VM, "MODIFIED", vm(3, "True"))
    with pytest.raises(ProductFault):
        log.of_history(judge_never_set, change, ["RestartRequired"])
    save(tmp_path / FILE, history, log, str, {})
    assert [(one.was.status, one.same) for one in rejudge(load(tmp_path / FILE))] == [("PASS", True), ("FAIL", True)]


def test_evidence_of_runs_is_judged_as_it_was() -> None:
    """Copy the folder of evidence of a run to ``data/evidence``, and it is a test."""
    files = sorted((DATA / "evidence").rglob(FILE))
    assert files
    different = [f"was {one.was}, is {one.now}" for path in files for one in rejudge(load(path)) if not one.same]
    assert not different, "if it was changed on purpose: python -m livenad rejudge --accept tests/unit/data/evidence"


def test_lines_are_json_of_one_kind_each(judged: Callable[..., Any]) -> None:
    path, _ = judged()
    head, *lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    assert head["version"] == 1
    assert {key for line in lines for key in line} == {"state", "verdict"}
