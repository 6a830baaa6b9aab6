# SPDX-License-Identifier: Apache-2.0
"""A keyword whose wait never ends is ended by its Robot timeout, and the gate calls that a LAB ERROR."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from GuestLibrary import GuestLibrary
from KubeVirtLibrary import KubeVirtLibrary
from robot.api import ExecutionResult
from robot.api.parsing import Keyword, KeywordCall, While, get_model
from robot.parsing.model.statements import Fixture

from testplan.gate import Word, judge
from testplan.plan import load_plan
from testplan.results import Verdict, read_results

ROOT = Path(__file__).parents[3]
LIBRARY = """
import threading
from datetime import timedelta
from KubeVirtLibrary import last_resort
from KubeVirtLibrary.base import KeywordComponent, LibraryBase
from robot.api.deco import keyword

last_resort.GRACE_SECONDS = 0.3


class Keywords(KeywordComponent):
    @keyword(tags=["commands"])
    def hang(self, *, within: timedelta = timedelta()) -> None:
        try:
            threading.Event().wait(60)
        except Exception:
            pass

    @keyword(tags=["networks"])
    def wait_for_others(self) -> None:
        threading.Event().wait(0.5)

    @keyword(tags=["commands"])
    def limit(self, *, within: timedelta = timedelta(minutes=2)) -> None:
        pass


class Hanging(LibraryBase):
    def __init__(self) -> None:
        super().__init__(Keywords)
"""
SETTINGS = "*** Settings ***\nLibrary    KubeVirtLibrary\nLibrary    Hanging.py\n"
SUITES = {
    "body": """*** Variables ***
${LIMIT}    0.2 s
${LEASE_TIMEOUT}    7 min
*** Test Cases ***
Test That Hangs
    Run Keyword And Ignore Error    Hang    within=${LIMIT}
Test With A Timeout Of Its Own
    [Timeout]    0.1 s
    Hang
Test After It
    Wait For Others
    Limit
    Limit    within=1 min
Test Whose Teardown Hangs
    No Operation
    [Teardown]    Hang
""",
    "setup": "Suite Setup    Hang\n*** Test Cases ***\nTest Below It\n    No Operation\n",
    "teardown": "Suite Teardown    Hang\n*** Test Cases ***\nTest Before It\n    No Operation\n",
}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hanging")
    (folder / "Hanging.py").write_text(LIBRARY, encoding="utf-8")
    suites = folder / "suites"
    suites.mkdir()
    for name, text in SUITES.items():
        (suites / f"{name}.robot").write_text(SETTINGS + text, encoding="utf-8")
    pythonpath = [word for path in (ROOT / "libraries", folder) for word in ("--pythonpath", str(path))]
    command = [sys.executable, "-m", "robot", "--outputdir", str(folder), *pythonpath, str(suites)]
    subprocess.run(command, capture_output=True, check=False, timeout=30, cwd=folder)
    return folder / "output.xml"


@pytest.mark.circumstance(
    "a library call hangs for ever in a test, a setup or a teardown",
    topic="input",
    sees="Keyword timeout ... exceeded.",
    verdict="LAB ERROR",
    source="https://github.com/robotframework/robotframework/issues/2877",
)
def test_hang_anywhere_is_a_lab_error(output: Path) -> None:
    results = read_results(output)
    found = {outcome.name: (outcome.verdict, outcome.first_line) for outcome in results.outcomes}
    expected = "Keyword timeout 300 milliseconds exceeded."
    assert found == {
        "Test That Hangs": (Verdict.LAB_ERROR, "Keyword timeout 500 milliseconds exceeded."),
        "Test With A Timeout Of Its Own": (Verdict.LAB_ERROR, "Test timeout 100 milliseconds exceeded."),
        "Test After It": (Verdict.PASS, ""),
        "Test Whose Teardown Hangs": (Verdict.LAB_ERROR, expected),
        "Test Below It": (Verdict.LAB_ERROR, expected),
        "Test Before It": (Verdict.LAB_ERROR, expected),
    }
    assert judge(results, load_plan(), []).word is Word.LAB_ERROR


def test_timeout_rests_on_the_keywords_own_limits(output: Path) -> None:
    tests = {test.name: test for test in ExecutionResult(output).suite.all_tests}
    told = [(step.name, step.args, step.timeout) for step in tests["Test After It"].body]
    assert told == [
        ("Wait For Others", (), "17 minutes 300 milliseconds"),
        ("Limit", (), "2 minutes 300 milliseconds"),
        ("Limit", ("within=1 min",), "1 minute 300 milliseconds"),
    ]


WAITLESS = {"log", "evaluate", "append to list"}
"""Keywords of Robot's own that the suites call."""


def test_suites_call_only_what_has_a_timeout_or_does_not_wait() -> None:
    """So the timeouts of keywords bound every test, setup and teardown."""
    scenario = ROOT / "libraries" / "KubeVirtLibrary" / "scenario.resource"
    files = [*(ROOT / "suites").rglob("*.robot"), *(ROOT / "resources").glob("*.resource"), scenario]
    nodes = [node for path in files for node in ast.walk(get_model(path))]
    steps = [node for node in nodes if isinstance(node, KeywordCall)]
    fixtures = [node.name for node in nodes if isinstance(node, Fixture) and node.name]
    called = {name.lower() for name in (*(step.keyword for step in steps), *fixtures)}
    called |= {step.args[1].lower() for step in steps if step.keyword == "Record Check"}
    defined = {node.name.lower() for node in nodes if isinstance(node, Keyword)}
    ours = {name.lower() for library in (KubeVirtLibrary(), GuestLibrary()) for name in library.keywords}
    assert len(called) > 50
    assert called - ours - defined - WAITLESS == set()
    assert not [node for node in nodes if isinstance(node, While)]
