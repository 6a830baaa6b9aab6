# SPDX-License-Identifier: Apache-2.0
"""Several suites in parallel: what ``--processes`` does with results, verdicts and signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testplan.gate import Exit
from testplan.results import read_results
from testplan.suites import longest_first, read_tests

from .conftest import ROOT

# Each suite tells that it began, and goes on when the other one has.
MEETING = """\
*** Settings ***
Library           OperatingSystem
Suite Teardown    Create File    ${{FOLDER}}/ended-{me}

*** Test Cases ***
Meets {other}
    [Metadata]    Requirements    R1
    Create File    ${{FOLDER}}/began-{me}
    Wait Until Created    ${{FOLDER}}/began-{other}    timeout=90s
    {last}
"""
LEAVES_FILES = """\
Create File    ${OUTPUT DIR}/gap.json    {}
    Log    <a href="gap.json">gap</a>    html=True
    Create File    ${OUTPUT DIR}/evidence/k3x9ab-1-meets/index.html    <a href="data.json">data</a>
    Create File    ${OUTPUT DIR}/evidence/k3x9ab-1-meets/data.json    {}
    Log    <a href="evidence/k3x9ab-1-meets/index.html">evidence</a>    html=True
"""


def write_suites(folder: Path, *texts: str) -> Path:
    suites = folder / "suites"
    suites.mkdir()
    for number, text in enumerate(texts):
        (suites / f"suite_{number}.robot").write_text(text, encoding="utf-8")
    return suites


@contextmanager
def started(folder: Path, suites: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """run_suites.py with two processes, in a working directory of its own."""
    (folder / "cwd").mkdir()
    command = [
        *(sys.executable, str(ROOT / "scripts/run_suites.py"), "--state", str(folder), "--processes", "2", "--"),
        *("--variable", f"FOLDER:{folder}", *options, str(suites)),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder / "cwd"
    ) as process:
        yield process


def test_two_suites_run_at_one_time_and_their_results_are_one(tmp_path: Path) -> None:
    suites = write_suites(
        tmp_path,
        MEETING.format(me="a", other="b", last=LEAVES_FILES),
        MEETING.format(me="b", other="a", last="Fail    NIC still on blue"),
    )
    with started(tmp_path, suites) as process:
        printed, errors = process.communicate(timeout=120)
    assert process.returncode == Exit.PRODUCT_FAILED, printed + errors
    assert "Verdict: FAIL: the product failed 1 of 2 tests" in printed
    assert re.search(r"^PASS +Suite 0 +1 passed, \d+ s$", printed, re.MULTILINE)
    assert re.search(r"^FAIL +Suite 1 +1 failed, \d+ s: Meets a$", printed, re.MULTILINE)
    results = tmp_path / "results" / "latest"
    outcomes = read_results(results / "output.xml").outcomes
    assert [(outcome.name, outcome.verdict) for outcome in outcomes] == [("Meets b", "PASS"), ("Meets a", "FAIL")]
    log = (results / "matrix.html").read_text(encoding="utf-8")
    links = set(re.findall(r'href="([^"#]+)#', log))
    assert "log.html" in links
    assert [link for link in links if not (results / link).is_file()] == []
    assert (results / "xunit.xml").is_file()
    (artifact,) = re.findall(
        r'<msg [^>]+>&lt;a href="([^"]+)"&gt;gap', (results / "output.xml").read_text(encoding="utf-8")
    )
    assert (results / artifact).read_text(encoding="utf-8") == "{}"
    (kept,) = re.findall(
        r'<msg [^>]+>&lt;a href="([^"]+)"&gt;evidence', (results / "output.xml").read_text(encoding="utf-8")
    )
    assert (results / kept).read_text(encoding="utf-8") == '<a href="data.json">data</a>'
    assert (results / kept).with_name("data.json").is_file()
    assert list((tmp_path / "cwd").iterdir()) == []


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.nightly), signal.SIGTERM])
def test_a_signal_ends_every_suite_as_it_would_end_one(tmp_path: Path, number: int) -> None:
    waits = "Run Process    cat    ${FOLDER}/never"
    os.mkfifo(tmp_path / "never")
    texts = [
        MEETING.format(me=me, other=other, last=f"Create File    ${{FOLDER}}/met-{me}\n    {waits}").replace(
            "OperatingSystem\n", "OperatingSystem\nLibrary           Process\n"
        )
        for me, other in (("a", "b"), ("b", "a"), ("z", "z"))
    ]
    with started(tmp_path, write_suites(tmp_path, *texts)) as process:
        for met in ("met-a", "met-b"):
            wait_for_file(tmp_path / met, process)
        process.send_signal(number)
        printed, errors = process.communicate(timeout=120)
        # What Robot leaves running ends with its input.
        os.close(os.open(tmp_path / "never", os.O_RDWR | os.O_NONBLOCK))
    assert process.returncode == Exit.INTERRUPTED, printed + errors
    assert sorted(path.name for path in tmp_path.glob("ended-*")) == ["ended-a", "ended-b"]
    outcomes = read_results(tmp_path / "results" / "latest" / "output.xml").outcomes
    assert [outcome.name for outcome in outcomes] == ["Meets b", "Meets a"]


def wait_for_file(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert process.poll() is None and time.monotonic() < deadline, f"{path} does not come"
        time.sleep(0.02)


def test_without_pabot_one_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pabot.py").write_text("raise ModuleNotFoundError(\"No module named 'pabot'\", name='pabot')\n")
    command = [sys.executable, str(ROOT / "scripts/run_suites.py"), "--state", str(tmp_path), "--processes", "2"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=90)
    assert run.returncode == 64
    assert run.stderr == "error: --processes needs pabot: pip install robotframework-pabot\n"


def test_long_suites_start_first_and_those_that_want_the_cluster_for_themselves_last() -> None:
    order = longest_first()
    tests = read_tests()
    assert sorted(order) == sorted({test.suite for test in tests})
    tags = {test.suite: test.tags for test in tests}
    ranks = [("disruptive" in tags[name], "tier2" not in tags[name]) for name in order]
    assert ranks == sorted(ranks)
