# SPDX-License-Identifier: Apache-2.0
"""Walks through the repository as a new user: ``python -m tests.walk --python python3.12``.

In a fresh clone, as an ordinary user with an empty home. Without ``--python`` the environment of this checkout is
lent to the clone; with it, the clone makes its own, as a user's would. One line a step.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.walk.steps import KUBECONFIG, OWN_SUITE, STEPS, Step

ROOT = Path(__file__).resolve().parents[2]
# Root becomes one by a namespace, because others may not enter the folder that root's Python lies in.
ORDINARY_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--") if os.getuid() == 0 else ()
PATIENCE = 900


@dataclass(frozen=True)
class Walker:
    """A user with a clone; ``python`` is the one that their shell finds, "" for that of this checkout's environment."""

    clone: Path
    home: Path
    python: str = ""

    def take(self, step: Step) -> str:
        """What was wrong with this step, "" when nothing was."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", "TERM": "dumb"}
        if self.python:
            environment["PYTHON_FOR_VENV"] = self.python
        done = subprocess.run(
            [*ORDINARY_USER, "bash", "-c", step.command.replace("python3 ", f"{self.python or sys.executable} ")],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.clone,
            env=environment,
            timeout=PATIENCE,
        )
        said = done.stdout + done.stderr
        if done.returncode != step.code:
            return f"ended with {done.returncode}, expected {step.code}:\n{said}"
        return "" if step.says in said else f'does not say "{step.says}":\n{said}'


@contextmanager
def walker(python: str = "") -> Iterator[Walker]:
    """A fresh clone of an ordinary user, and their empty home."""
    folder = Path(tempfile.mkdtemp(prefix="walk-"))
    try:
        clone, home = folder / "clone", folder / "home"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        (home / ".kube").mkdir(parents=True)
        (home / ".kube" / "config").write_text(KUBECONFIG, encoding="utf-8")
        (clone / "my.robot").write_text(OWN_SUITE, encoding="utf-8")
        (clone / "misspelt.robot").write_text(OWN_SUITE.replace("Change VM", "Chance VM"), encoding="utf-8")
        if not python:
            (clone / ".venv").symlink_to((ROOT / ".venv").resolve())
        yield Walker(clone, home, python)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Takes all steps; 1 when one went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.walk", description=__doc__)
    parser.add_argument("--python", default="", help="the Python that makes the environments, such as python3.12")
    kinds = sorted({step.needs for step in STEPS if step.needs})
    parser.add_argument("--without", action="append", default=[], choices=kinds, help="leave out steps that need this")
    arguments = parser.parse_args()
    steps = [step for step in STEPS if step.needs not in arguments.without]
    wrong = 0
    with walker(arguments.python) as user:
        for step in steps:
            began = time.monotonic()
            fault = user.take(step)
            wrong += bool(fault)
            print(f"{'WRONG' if fault else 'ok':5} {time.monotonic() - began:6.1f} s  {step.name}", flush=True)
            if fault:
                print(fault)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
