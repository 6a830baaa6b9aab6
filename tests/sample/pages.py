# SPDX-License-Identifier: Apache-2.0
"""The recorded run as files: what is kept of it, and the pages that are made of that."""

from __future__ import annotations

import io
import re
import shutil
from contextlib import chdir
from pathlib import Path
from typing import Any

from robot.api import ExecutionResult
from robot.rebot import rebot

from scripts.run_suites import EMBEDDED_TITLE, SIGNOFF, SUMMARY
from testplan.__main__ import judge_run, write_reports
from testplan.statistics import tag_options

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "docs" / "sample"
RUN = "sample"
"""Stands for the run's id, so that the names of files stay as they are when the run is made again."""

MADE = ("log.html", "report.html", "signoff.html", "matrix.html", "matrix.md", "xunit.xml", "cases.xml")
LEFT_OUT = "history.jsonl"
COMPRESSED = ".gz"
_HEADS = 50
"""Down to where the heads of charts reach."""

_TIME_OF_MAKING = re.compile(r'(?<=window\.output\["generated"\] = )\d+')
_PYTHON = re.compile(r"\(Python [\w.+]+ on \w+\)")
_WAY_TO_SUITES = re.compile(r'(?<="\*)(?:\.\./)+(?:[^"]*/)?(?=suites)')


def keep(results: Path, sample: Path = SAMPLE) -> None:
    """Takes the recorded part of a run's results, without this machine's paths and without what is large."""
    run_id = ExecutionResult(results / "output.xml").suite.metadata["Run"]
    for old in sample.iterdir():
        if old.name != "README.md":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for path in sorted(results.rglob("*")):
        name = str(path.relative_to(results))
        if path.is_file() and name not in MADE and path.name != LEFT_OUT:
            target = sample / name.replace(run_id, RUN)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == COMPRESSED:
                shutil.copy(path, target)
                continue
            text = path.read_text(encoding="utf-8").replace(f"{ROOT}/", "").replace(run_id, RUN)
            target.write_text(_unlinked(text) if path.name == "index.html" else text, encoding="utf-8")


def make(sample: Path = SAMPLE) -> None:
    """Makes log, report and the pages of the plan from the result file, as run.sh does at the end of a run."""
    output = sample / "output.xml"
    tests = ExecutionResult(output).suite.all_tests
    judgement, results = judge_run(output)
    assert results is not None, judgement
    title = f"{EMBEDDED_TITLE}; {results.where.partition('; ')[2]}"
    options: dict[str, Any] = {
        **tag_options(test.tags for test in tests),
        "prerebotmodifier": f"{SUMMARY}:log.html:{SIGNOFF}",
    }
    # Sources of suites are links where they are found from here.
    with chdir(ROOT), io.StringIO() as console:
        rebot(
            *(str(output),),
            **{"outputdir": str(sample), "logtitle": title, "reporttitle": title, "stdout": console, **options},
        )
    write_reports(results, judgement, folder=sample, log=sample / "log.html", report=sample / "report.html")


def constant(page: str) -> str:
    """A page without when and by which Python it was made, and without the way to the suites."""
    return _PYTHON.sub("(Python)", _WAY_TO_SUITES.sub("", _TIME_OF_MAKING.sub("0", page)))


def _unlinked(page: str) -> str:
    """The first page of evidence without a link to the file that the sample leaves out."""
    link, why = f'<a href="{LEFT_OUT}">{LEFT_OUT}</a>', "left out of this sample"
    return re.sub(f"({re.escape(link)}.*?)</td></tr>", rf"{LEFT_OUT}\1 <i>({why})</i></td></tr>", page).replace(
        link, ""
    )


def looks(evidence: str) -> set[str]:
    """What first pages of evidence have in common: styles, headings, names of columns, facts, files and lanes."""
    found = {f"{tag}: {text}" for tag in ("style", "h2", "th", "dt") for text in _inside(tag, evidence)}
    found |= {f"folded: {text}" for text in _inside("summary", evidence) if text != "The rest of the message"}
    files = re.findall(r"<tr><td>(?:<a [^>]*>)?([a-z-]+\.\w+)", evidence)
    found |= {f"file: {name}" for name in files if not name.startswith("log-")}
    # Below the heads of the charts, which tell of the run. A generated name, and an event, differ from run to run.
    lanes = [text for y, text in re.findall('<text x="8" y="(\\d+)"[^>]*>([^<]*)<', evidence) if int(y) > _HEADS]
    labels = (re.sub(r"^(migration|pod) .*", r"\1", text) for text in lanes)
    return found | {f"lane: {text}" for text in labels if not text.startswith("event ")}


def _inside(tag: str, html: str) -> list[str]:
    return re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", html, re.DOTALL)
