# SPDX-License-Identifier: Apache-2.0
"""Runs tests against mutants of one or more modules: ``python -m tests.mutants.runner``, a process of its own.

The tests are collected and run once, with the lines of the modules that each of them reaches. Then a child is forked
for each mutant, which runs the tests that reach its line, the quickest first, until one fails.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.mutants.swapping import NotInFunction, swap

ROOT = Path(__file__).resolve().parents[2]
KILLED, SURVIVED, TIMEOUT, UNREACHED = "killed", "survived", "timeout", "unreached"
TIMES = 5.0
"""A mutant is given up after this many times what its tests take without it; a floor is for a busy machine."""
FLOOR = 3.0
_FAILED = 1


@dataclasses.dataclass(frozen=True)
class Mutant:
    """The text from ``start`` to ``end`` of a file is replaced by ``text``; ``line`` counts from 1."""

    path: str
    operator: str
    line: int
    start: int
    end: int
    text: str

    def applied(self, source: str) -> str:
        """The source with it."""
        return source[: self.start] + self.text + source[self.end :]

    @property
    def key(self) -> str:
        """What tells it from others of its file."""
        return f"{self.operator}:{self.start}:{self.end}:{self.text}"


class Runner:
    """A plugin of pytest that runs the tests against mutants in place of just running them."""

    def __init__(self, mutants: Sequence[Mutant], tests: Sequence[str], tell: Callable[..., None]) -> None:
        self._mutants, self._tests, self._tell = mutants, tests, tell
        names = {mutant.path for mutant in mutants}
        self._paths = {str(ROOT / name) for name in names}
        self._sources = {name: (ROOT / name).read_text(encoding="utf-8") for name in names}
        self._reached: dict[str, set[tuple[str, int]]] = {}
        self._seconds: dict[str, float] = {}
        self._failed = False

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_logreport(self, report: Any) -> Any:
        self._failed |= report.failed
        yield

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Once without a mutant, then with each of them."""
        items = self._clean(session.items)
        for mutant in self._mutants:
            chosen = [item for item in items if (str(ROOT / mutant.path), mutant.line) in self._reached[item.nodeid]]
            began = time.monotonic()
            outcome = self._judge(mutant, chosen)
            self._tell(mutant, outcome, time.monotonic() - began)
        return True

    def _clean(self, items: list[pytest.Item]) -> list[pytest.Item]:
        kept = []
        for item in items:
            reached: set[tuple[str, int]] = set()
            self._failed, began = False, time.monotonic()
            tracer = self._tracer(reached)
            threading.settrace(tracer)
            sys.settrace(tracer)
            try:
                runtestprotocol(item, log=True, nextitem=None)
            finally:
                sys.settrace(None)
                threading.settrace(None)
            self._seconds[item.nodeid], self._reached[item.nodeid] = time.monotonic() - began, reached
            if self._failed:
                print(f"left out, as it fails without a mutant: {item.nodeid}", file=sys.stderr, flush=True)
            elif reached:
                kept.append(item)
        return sorted(kept, key=lambda item: self._seconds[item.nodeid])

    def _tracer(self, reached: set[tuple[str, int]]) -> Callable[..., Any]:
        def local(frame: FrameType, event: str, _: object) -> Any:
            if event == "line":
                reached.add((frame.f_code.co_filename, frame.f_lineno))
            return local

        def enter(frame: FrameType, _: str, __: object) -> Any:
            if frame.f_code.co_filename not in self._paths:
                return None
            reached.add((frame.f_code.co_filename, frame.f_lineno))
            return local

        return enter

    def _judge(self, mutant: Mutant, chosen: list[pytest.Item]) -> str:
        source = self._sources[mutant.path]
        at_import = False
        if not chosen:
            at_import = _runs_at_import(source, mutant.line)
            if not at_import:
                return UNREACHED
        limit = max(FLOOR, TIMES * sum(self._seconds[item.nodeid] for item in chosen))
        child = os.fork()
        if child == 0:
            self._in_child(mutant, chosen, at_import=at_import)
        return _outcome_of(child, limit if not at_import else 60.0)

    def _in_child(self, mutant: Mutant, chosen: list[pytest.Item], *, at_import: bool) -> None:
        os.setsid()
        path, source = ROOT / mutant.path, self._sources[mutant.path]
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        try:
            if not at_import:
                try:
                    swap(path, source, mutant.applied(source))
                except NotInFunction:
                    at_import = True
            if at_import:
                os._exit(_whole_run(path, mutant.applied(source), self._tests))
            for item in chosen:
                self._failed = False
                runtestprotocol(item, log=True, nextitem=None)
                if self._failed:
                    os._exit(_FAILED)
            os._exit(0)
        except BaseException:
            os._exit(_FAILED)


def _runs_at_import(source: str, line: int) -> bool:
    """Whether a line is outside of functions."""
    import ast

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and node.lineno <= line:
            body = node.body[0].lineno if isinstance(node.body, list) else node.lineno
            if body <= line <= (node.end_lineno or line):
                return False
    return True


def _whole_run(path: Path, mutated: str, tests: Sequence[str]) -> int:
    """A fresh process, in which the mutant stands in the place of the file when that is imported."""
    with tempfile.NamedTemporaryFile("w", suffix=".py", delete=False, encoding="utf-8") as file:
        file.write(mutated)
    words = {"MUTATED_FILE": str(path), "MUTATED_BY": file.name, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "tests.mutants.replaced", *_OPTIONS, "-x", *tests]
    try:
        return int(bool(subprocess.run(command, cwd=ROOT, env=os.environ | words, check=False).returncode))
    finally:
        Path(file.name).unlink()


def _outcome_of(child: int, limit: float) -> str:
    deadline = time.monotonic() + limit
    pause = 0.002
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return SURVIVED if status == 0 else KILLED
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return TIMEOUT
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


_OPTIONS = ["-p", "no:cacheprovider", "--timeout", "0", "-q", "--no-header", "-W", "ignore"]


def run(mutants: Sequence[Mutant], tests: Sequence[str], tell: Callable[..., None]) -> int:
    """Collect and run; ``tell`` gets mutant, outcome and seconds."""
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "mutants", database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    settings.load_profile("mutants")
    return int(pytest.main([*_OPTIONS, *tests], plugins=[Runner(mutants, tests, tell)]))


def main(argv: Sequence[str]) -> int:
    """``runner JOB``: a file with tests and mutants; prints a line of JSON for each outcome."""
    job = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def tell(mutant: Mutant, outcome: str, seconds: float) -> None:
        out.write(json.dumps({"key": mutant.key, "outcome": outcome, "seconds": round(seconds, 3)}) + "\n")

    mutants = [Mutant(**data) for data in job["mutants"]]
    return run(mutants, job["tests"], tell)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
