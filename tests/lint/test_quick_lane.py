# SPDX-License-Identifier: Apache-2.0
"""The quick lane of ``./test.sh``: what it leaves out, and which arguments switch the linters off."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests import pure

ROOT = Path(__file__).resolve().parents[2]
NAMES_TESTS = re.search(r"^names_tests\(\) \{$.*?^\}$", (ROOT / "test.sh").read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture
def guarded() -> Iterator[None]:
    """As within a test of the quick lane."""
    item: Any = SimpleNamespace(location=("tests/unit/test_slow.py", 1, "test_slow"))
    run = pure.pytest_runtest_protocol(cast("pytest.Item", item))
    next(run)
    yield
    with pytest.raises(StopIteration):
        run.send(None)


def test_a_process_is_refused(guarded: None) -> None:
    with pytest.raises(pure.NotPure, match=r"a line --ignore=tests/unit/test_slow\.py in tests/quick\.args"):
        subprocess.run(["true"], check=True)


def test_a_listening_socket_is_refused(guarded: None) -> None:
    with socket.socket() as listener, pytest.raises(pure.NotPure):
        listener.bind(("127.0.0.1", 0))
        listener.listen()


def test_what_is_left_out_is_there() -> None:
    lines = (ROOT / "tests" / "quick.args").read_text(encoding="utf-8").splitlines()
    ignored = [line.removeprefix("--ignore=") for line in lines if line.startswith("--ignore=")]
    assert ignored
    assert [name for name in ignored if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("arguments", "only_pytest"),
    [
        ([], False),
        (["-x"], False),
        (["--numprocesses", "2"], False),
        (["tests/unit"], True),
        (["-x", "tests/lint/test_quick_lane.py::test_a_process_is_refused"], True),
        (["-k", "console"], True),
        (["-kconsole"], True),
        (["--last-failed"], True),
    ],
)
def test_linters_are_left_out_only_where_tests_are_named(arguments: list[str], only_pytest: bool) -> None:
    assert NAMES_TESTS
    script = f'{NAMES_TESTS[0]}; names_tests "$@"'
    asked = subprocess.run(["bash", "-c", script, "sh", *arguments], check=False, cwd=ROOT)
    assert (asked.returncode == 0) is only_pytest
