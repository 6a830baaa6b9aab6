# SPDX-License-Identifier: Apache-2.0
"""What every measurement needs: an embedded cluster, runs of Robot on it, and a folder for what they leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.embedded import ROOT, embedded_cluster

PYTHON = sys.executable
OWN_SUITES = Path(__file__).parent / "suites"
PROFILE = ROOT / "variables" / "profiles" / "embedded.yaml"


class BenchmarkError(Exception):
    """A run that was to be measured did not end as it should; its figures mean nothing."""


@dataclass
class Lab:
    """``folder`` takes what runs leave; ``scale`` shortens everything, 1.0 is the published size."""

    folder: Path
    scale: float = 1.0
    _number: int = field(default=0, repr=False)

    def count(self, full: int, least: int = 2) -> int:
        """The number of repetitions at this scale."""
        return max(least, round(full * self.scale))

    def new_folder(self, name: str) -> Path:
        self._number += 1
        path = self.folder / f"{self._number:02}-{name}"
        path.mkdir(parents=True)
        return path

    @contextmanager
    def cluster(self, *options: str) -> Iterator[Path]:
        """A cluster of its own; gives its kubeconfig."""
        with embedded_cluster(self.new_folder("cluster"), *options) as kubeconfig:
            yield kubeconfig

    @contextmanager
    def project_at(self, commit: str, *today: Path) -> Iterator[Path | None]:
        """The project as it was, but with these files of ``today``; None where the clone does not have the commit."""
        if subprocess.run(["git", "cat-file", "-e", commit], cwd=ROOT, check=False, capture_output=True).returncode:
            yield None
            return
        path = self.new_folder("before") / "tree"
        run_checked(["git", "worktree", "add", "--detach", str(path), commit])
        try:
            for own in today:
                (path / own).write_text((ROOT / own).read_text(encoding="utf-8"), encoding="utf-8")
            yield path
        finally:
            run_checked(["git", "worktree", "remove", "--force", str(path)])

    def robot(self, kubeconfig: Path, name: str, *options: str, suites: Path = ROOT / "suites") -> RobotRun:
        """Runs Robot to its end. BenchmarkError unless all tests passed."""
        folder = self.new_folder(name)
        command = robot_command(ROOT, folder, *options, str(suites))
        start = time.monotonic()
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        wall = time.monotonic() - start
        if done.returncode:
            raise BenchmarkError(f"{name} ended with {done.returncode}: {done.stdout[-2000:]}")
        return RobotRun(folder, wall)


@dataclass(frozen=True)
class RobotRun:
    """A run that passed: where its files are, and its wall time in seconds from the process's start to its end."""

    folder: Path
    wall: float

    def measured(self, name: str = "figures.json") -> Any:
        """What a library or listener of the benchmarks wrote beside the results."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))


def robot_command(project: Path, folder: Path, *words: str) -> list[str]:
    """Robot with the libraries of a ``project``, its results in ``folder``."""
    paths = ["--pythonpath", str(project / "libraries"), "--pythonpath", str(project)]
    return [PYTHON, "-m", "robot", "--outputdir", str(folder), "--console", "dotted", *paths, *words]


def variables(values: Mapping[str, object]) -> list[str]:
    """The options that give Robot these variables."""
    return [word for name, value in values.items() for word in ("--variable", f"{name}:{value}")]


def listener(name: str, *arguments: object) -> list[str]:
    """The option for a listener of ``tests/benchmarks``."""
    return ["--listener", ":".join([f"tests.benchmarks.{name}", *map(str, arguments)])]


def run_checked(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """A command that must end with 0, with its output as text."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, **options)
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}"[-2000:])
    return done
