# SPDX-License-Identifier: Apache-2.0
"""A run, and how it dies."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.embedded import ROOT
from tests.killing.audit import AuditTrail

LAST_WRITE, LAST_SECOND = 26, 40.0
PATIENCE = 240.0


@dataclass(frozen=True)
class Death:
    """``signals`` go to the run, or to all its processes where the ``machine`` dies, whose files are lost as well.

    It is killed after a number of writes to the cluster, or of seconds.
    """

    name: str
    signals: tuple[int, ...]
    machine: bool = False
    writes: int = 0
    seconds: float = 0.0

    @property
    def moment(self) -> str:
        return f"after write {self.writes}" if self.writes else f"after {self.seconds:.1f} s"

    def earlier(self) -> Death:
        """The same in half the time, for a run that had ended by itself."""
        return replace(self, writes=(self.writes + 1) // 2, seconds=self.seconds / 2)


_WAYS = (
    ("SIGINT", (signal.SIGINT,), False),
    ("SIGINT twice", (signal.SIGINT, signal.SIGINT), False),
    ("SIGTERM", (signal.SIGTERM,), False),
    ("SIGKILL", (signal.SIGKILL,), False),
    ("SIGKILL", (signal.SIGKILL,), False),
    ("power loss", (signal.SIGKILL,), True),
)


def deaths(seed: int) -> list[Death]:
    """More than are needed, every way once before any comes twice, at random moments."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    found: list[Death] = []
    for turn in range(100):
        for name, signals, machine in chance.sample(_WAYS, len(_WAYS)):
            if (turn + len(found)) % 2:
                found.append(Death(name, signals, machine, writes=chance.randint(1, LAST_WRITE)))
            else:
                found.append(Death(name, signals, machine, seconds=chance.uniform(0.5, LAST_SECOND)))
    return found


@dataclass
class Run:
    """A run of some suites by a user of its own; without a ``death`` it goes on to its end."""

    user: str
    kubeconfig: Path
    options: tuple[str, ...]
    profile: tuple[str, ...]
    folder: Path
    death: Death | None = None
    processes: int = 1
    code: int | None = None
    ended: float = 0.0
    last: str = ""
    killed: bool = False
    left: list[str] = field(default_factory=list)
    _below: list[int] = field(default_factory=list)

    def go(self, trail: AuditTrail) -> None:
        """Start it, and return when it is dead, or has ended."""
        self.folder.mkdir(parents=True)
        command = [sys.executable, str(ROOT / "scripts" / "run_suites.py"), "--state", str(self.folder)]
        command += ["--kubeconfig", str(self.kubeconfig), "--processes", str(self.processes), "--"]
        command += [*self.options, *self.profile, "--console", "quiet"]
        with (self.folder / "printed.txt").open("w") as printed:
            process = subprocess.Popen(
                command, stdout=printed, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
            )
        try:
            if self.death is not None:
                self._await_moment(process, trail, self.death)
                self.killed = process.poll() is None
                written = trail.of(self.user)
                self.last = str(written[-1]) if written else "nothing written"
                self._die(process, self.death)
            self.code = process.wait(PATIENCE)
            self._await_all(process)
        except subprocess.TimeoutExpired:
            self.left.append(f"was not over within {PATIENCE:.0f} s; see {self.folder}")
        finally:
            for pid in (*self._below, process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()
            self.ended = time.time()

    @property
    def title(self) -> str:
        name = f"{self.user.rpartition(':')[2]}, {' '.join(self.options)}"
        if self.death is None:
            return f"{name}, to its end"
        return f"{name}, {self.death.name} {self.death.moment}, last: {self.last}"

    def _await_moment(self, process: subprocess.Popen[bytes], trail: AuditTrail, death: Death) -> None:
        began = time.monotonic()

        def reached() -> bool:
            if process.poll() is not None:
                return True
            if death.writes:
                return len(trail.of(self.user)) >= death.writes
            return time.monotonic() - began >= death.seconds

        with trail.news:
            while not reached():
                trail.news.wait(0.02)

    def _die(self, process: subprocess.Popen[bytes], death: Death) -> None:
        self._below = below(process.pid)
        for number in death.signals:
            if process.poll() is not None:
                return
            for pid in (process.pid, *self._below) if death.machine else (process.pid,):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            if number != death.signals[-1]:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.5)
        if death.machine:
            process.wait(10)
            shutil.rmtree(self.folder)

    def _await_all(self, process: subprocess.Popen[bytes]) -> None:
        """Suites of a run of several processes end by themselves when it is killed: they are told that it died."""
        deadline = time.monotonic() + PATIENCE
        while any(Path(f"/proc/{pid}").exists() for pid in self._below if pid != process.pid):
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.title}: processes {self._below} outlive it")
            time.sleep(0.1)


def below(pid: int) -> list[int]:
    """Processes below one, whatever session they are in."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {pid})
