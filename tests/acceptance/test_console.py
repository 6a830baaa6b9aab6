# SPDX-License-Identifier: Apache-2.0
"""What a run shows while it lasts: a line for each suite, warnings, the verdict, and nothing else."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from .conftest import ROOT

SUITES = {
    "a_green.robot": """\
*** Test Cases ***
One    Log    fine
Two    Skip    capability x is not there: measured 1
""",
    "b_red.robot": """\
*** Test Cases ***
Good    Log    fine
Bad     Fail    VM demo/web: expected blue, is green\\nand more
Worse   Fail    VM demo/web: expected up, is down
""",
    "c_setup.robot": """\
*** Settings ***
Suite Setup    Fail    LAB ERROR: no node is there\\nmore
Test Tags      nad-99
*** Test Cases ***
Three    No Operation
Four     No Operation
""",
    "d_skipped.robot": """\
*** Test Cases ***
Five    Skip    capability y is not there: measured 2
Six     Skip    capability y is not there: measured 2
""",
    "e_warns/__init__.robot": "*** Settings ***\nSuite Teardown    Fail    cannot be closed\n",
    "e_warns/f.robot": "*** Test Cases ***\nSeven    Log    left behind    WARN\n",
    "g_misuses.robot": "*** Test Cases ***\nEight    No Operation\nNine    Nope\n",
}
EXPECTED = """\
1/6  PASS               A Green                       1 passed, 1 skipped, 0 s
2/6  FAIL               B Red                         1 passed, 2 failed, 0 s: Bad; Worse
3/6  LAB ERROR  nad-99  C Setup                       2 not judged, 0 s: LAB ERROR: no node is there
4/6  SKIP               D Skipped                     2 skipped, 0 s: capability y is not there: measured 2
5/6  PASS               F                             1 passed, 0 s
FAIL       teardown of Suites.E Warns: cannot be closed
6/6  TEST ERROR         G Misuses                     1 passed, 1 misused a keyword, 0 s: Nine
Verdict: FAIL: the product failed 3 of 12 tests
"""


def write(folder: Path) -> Path:
    """The suites, in a folder that is called by their name."""
    suites = folder / "suites"
    for name, text in SUITES.items():
        (suites / name).parent.mkdir(parents=True, exist_ok=True)
        (suites / name).write_text(text, encoding="utf-8")
    return suites


def command(folder: Path, *options: str) -> list[str]:
    script = str(ROOT / "scripts/run_suites.py")
    return [sys.executable, script, "--state", str(folder), "--", *options, str(write(folder))]


def test_pipe_gets_a_line_a_suite_and_the_verdict(tmp_path: Path) -> None:
    done = subprocess.run(command(tmp_path), capture_output=True, text=True, check=False, timeout=60)
    head, verdict, rest = done.stdout.partition("Verdict: ")
    assert head + verdict + rest.splitlines(keepends=True)[0] == EXPECTED
    assert done.stderr == "[ WARN ] left behind\n"
    files = re.findall(r"^(Sign-off|Report|Log): +(\S+)$", rest, re.MULTILINE)
    assert [name for name, _ in files] == ["Sign-off", "Report", "Log"]
    assert all(Path(path).is_file() for _, path in files)


def test_terminal_gets_the_same_in_colours(tmp_path: Path) -> None:
    reader, writer = pty.openpty()
    with subprocess.Popen(command(tmp_path), stdin=writer, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        shown = b""
        with suppress(OSError):  # how a terminal ends whose other side has gone
            while chunk := os.read(reader, 4096):
                shown += chunk
        process.wait(60)
    os.close(reader)
    text = shown.decode().replace("\r\n", "\n")
    assert "\x1b[31mFAIL" in text and "\x1b[32mPASS" in text and "\x1b[33mSKIP" in text
    plain = re.sub(r"\x1b\[\d+m", "", text)
    assert plain.startswith(EXPECTED)


def test_console_of_the_users_choice_is_left_to_him(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path, "--console", "dotted"), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.startswith("Running suite 'Suites' with 12 tests.\n")
