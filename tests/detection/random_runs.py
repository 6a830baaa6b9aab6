# SPDX-License-Identifier: Apache-2.0
"""P0 on the embedded cluster, once for each thing drawn by chance; what came of it is kept, so that it can go on."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from testplan.results import Outcome, Verdict
from tests.detection.judging import PATIENCE, TOO_BUSY
from tests.detection.on_cluster import Drawn, described
from tests.detection.outcomes import (
    ALARM,
    GREEN,
    LEFT_OUT,
    NO_EFFECT,
    NOTICED,
    UNNOTICED,
    WRONG_BLAME,
    Tried,
    is_left_out,
)
from tests.detection.table import VARIABLES
from tests.embedded import ROOT, run_robot

P0 = "linux_bridge_vlan_change"
RESULTS = ROOT / "results" / "detection"


def run_all(drawn: Sequence[Drawn], folder: Path, processes: int, *, noise: bool = False) -> list[Tried]:
    """What came of each, in the order of the draw. Those whose result is in ``folder`` are not run again.

    Each ``noise`` runs: also what is excluded from the defects must be no alarm.
    """
    folder.mkdir(parents=True, exist_ok=True)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()

    def one(numbered: tuple[int, Drawn]) -> Tried:
        number, what = numbered
        kept = folder / f"{number:03d}.json"
        if kept.is_file() and (known := Tried(**json.loads(kept.read_text(encoding="utf-8")))).title == what.title:
            return known
        began = time.monotonic()
        known_before = None if noise else _without_run(what)
        outcome, message, done = known_before or _run(what, folder / f"{number:03d}", noise=noise)
        ran = Tried(what.title, outcome, message, done, round(time.monotonic() - began, 1), commit)
        kept.write_text(json.dumps(asdict(ran), indent=1) + "\n", encoding="utf-8")
        print(f"{ran.outcome.upper():15} {ran.seconds:5.1f} s  {ran.title}", flush=True)
        return ran

    with ThreadPoolExecutor(processes) as pool:
        return list(pool.map(one, enumerate(drawn, 1)))


def _without_run(what: Drawn) -> tuple[str, str, str] | None:
    if is_left_out(what.title):
        return LEFT_OUT, "", ""
    return (NO_EFFECT, "", "there is nothing of the kind") if what.what is None else None


def _run(what: Drawn, folder: Path, *, noise: bool) -> tuple[str, str, str]:
    report = folder / "deviation.jsonl"
    options = [word for name, value in VARIABLES.items() for word in ("--variable", f"{name}:{value}")]
    for _ in range(2):
        folder.mkdir(parents=True, exist_ok=True)
        report.unlink(missing_ok=True)
        cluster = ("--defect", described(what, report))
        run = run_robot(folder, *options, "--suite", P0, cluster=cluster, timeout=PATIENCE)
        outcomes = run.results.outcomes if run.results else []
        if not any(TOO_BUSY in one.message for one in outcomes):
            break
    done = report.read_text(encoding="utf-8").splitlines() if report.is_file() else []
    if not outcomes:
        return WRONG_BLAME, f"the run gave no results: {run.printed[-500:]}", "; ".join(done)
    red = [one for one in outcomes if one.verdict is not Verdict.PASS]
    outcome, message = _of_noise(red) if noise else _of_defect(red, [json.loads(line) for line in done])
    return outcome, message, "; ".join(done)


def _of_defect(red: Sequence[Outcome], done: Sequence[dict[str, object]]) -> tuple[str, str]:
    """The last line of ``done`` that says so tells whether a field is right again."""
    if failed := [one for one in red if one.verdict is Verdict.FAIL]:
        return NOTICED, _said(failed[0])
    if red:
        return WRONG_BLAME, _said(red[0])
    healed = [bool(line["healed"]) for line in done if "healed" in line]
    in_effect = any(line.get("done") for line in done) and not (healed and healed[-1])
    return UNNOTICED if in_effect else NO_EFFECT, ""


def _of_noise(red: Sequence[Outcome]) -> tuple[str, str]:
    return (ALARM, _said(red[0])) if red else (GREEN, "")


def _said(one: Outcome) -> str:
    return f"{one.verdict} {one.name}: {one.first_line[:400]}"
