# SPDX-License-Identifier: Apache-2.0
"""The files of clusters: which clusters are alive, and the removal of what dead ones left."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

OWNER = "owner.json"
PROCESSES = "processes.json"
NEW = ".new-"
ABANDONED = 60.0


class StateError(Exception):
    """The directory for clusters cannot be used; the message names it and the remedy."""


@dataclass(frozen=True)
class Process:
    """A process, identified so that a later one with the same number is not mistaken for it."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """None when no such process runs."""
        started = _start_time(pid)
        return None if started is None else cls(pid, started)

    def is_alive(self) -> bool:
        return _start_time(self.pid) == self.started

    def kill(self) -> None:
        """Ends the process and waits until it is gone, for a second at most."""
        deadline = time.monotonic() + 1
        while self.is_alive() and time.monotonic() < deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.01)


@dataclass(frozen=True)
class ClusterState:
    """The directory of one cluster. Its owner holds ``lock``; the kernel releases it when the owner ends."""

    path: Path
    lock: TextIO | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        return self.path.name

    def add_process(self, pid: int) -> None:
        """Remembers a process of this cluster, so that a later start can end it."""
        process = Process.of(pid)
        if process:
            known = [vars(entry) for entry in self.processes()]
            _write(self.path / PROCESSES, json.dumps([*known, vars(process)]))

    def processes(self) -> list[Process]:
        return _read_processes(self.path / PROCESSES)

    def is_alive(self) -> bool:
        """Whether the owner of the cluster lives, even in another container that shares this directory."""
        owner = self.path / OWNER
        return any(process.is_alive() for process in _read_processes(owner)) or _is_locked(owner)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        if self.lock:
            self.lock.close()


def base_directory() -> Path:
    """The directory of this user's clusters; StateError if it cannot be used."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    parent = Path(runtime) if runtime and os.access(runtime, os.W_OK) else Path(tempfile.gettempdir())
    base = parent / f"kubevirt-embedded-{os.getuid()}"
    try:
        base.mkdir(mode=0o700, exist_ok=True)
        info = base.lstat()
    except OSError as error:
        raise StateError(f"{base}: {error.strerror}; set XDG_RUNTIME_DIR to a directory of your own") from error
    if info.st_uid != os.getuid() or info.st_mode & 0o022:
        raise StateError(f"{base} belongs to another user or is writable by others; remove it or set XDG_RUNTIME_DIR")
    return base


def create_state() -> ClusterState:
    """A directory for a new cluster that this process owns. It appears complete, so that it is not taken for a dead
    cluster's.
    """
    base = base_directory()
    name = secrets.token_hex(4)
    unfinished = base / f"{NEW}{name}"
    unfinished.mkdir(mode=0o700)
    owner = Process.of(os.getpid())
    _write(unfinished / OWNER, json.dumps([vars(owner)] if owner else []))
    lock = (unfinished / OWNER).open()
    fcntl.flock(lock, fcntl.LOCK_EX)
    (unfinished / "tmp").mkdir(mode=0o700)
    return ClusterState(unfinished.rename(base / name), lock)


def remove_dead_clusters() -> list[str]:
    """Ends the processes and removes the files of clusters whose owner is dead; answers their ids."""
    removed = []
    for path in sorted(base_directory().iterdir()):
        state = ClusterState(path)
        if not path.is_dir() or state.is_alive():
            continue
        if path.name.startswith(NEW) and time.time() - path.stat().st_mtime < ABANDONED:
            continue
        for process in state.processes():
            process.kill()
        state.remove()
        removed.append(state.id)
    return removed


def _start_time(pid: int) -> int | None:
    """Clock ticks from the machine's start to that of the process; None if it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command's name may hold spaces and brackets; what follows its last bracket does not.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _is_locked(path: Path) -> bool:
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _read_processes(path: Path) -> list[Process]:
    try:
        return [Process(**entry) for entry in json.loads(path.read_text())]
    except (OSError, ValueError, TypeError):
        return []


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)
