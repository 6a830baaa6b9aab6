# SPDX-License-Identifier: Apache-2.0
"""Whose cluster lives, and what is removed of a dead one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.cluster_process import parent_death, state

OWNER = (
    "import sys; from emulator.cluster_process.state import create_state;"
    "print(create_state().path, flush=True); sys.stdin.read()"
)


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return state.base_directory()


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[str]]:
    """A process that owns a cluster's state until its input ends."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", OWNER], stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.kill()


def test_living_clusters_are_left_alone(owner: subprocess.Popen[str]) -> None:
    assert owner.stdout is not None
    path = Path(owner.stdout.readline().strip())
    assert state.ClusterState(path).is_alive()
    assert state.remove_dead_clusters() == []
    assert path.is_dir()


def test_dead_cluster_is_removed_with_its_processes(owner: subprocess.Popen[str]) -> None:
    assert owner.stdout is not None
    path = Path(owner.stdout.readline().strip())
    with subprocess.Popen(["sleep", "60"]) as orphan:
        state.ClusterState(path).add_process(orphan.pid)
        owner.kill()
        owner.wait()
        assert state.remove_dead_clusters() == [path.name]
        assert orphan.wait(5) == -9
    assert not path.exists()


def test_process_with_the_number_of_a_dead_one_is_spared(base: Path) -> None:
    dead = base / "0123abcd"
    dead.mkdir()
    here = state.Process.of(os.getpid())
    assert here is not None
    (dead / state.OWNER).write_text(f'[{{"pid": {here.pid}, "started": {here.started - 1}}}]')
    (dead / state.PROCESSES).write_text(f'[{{"pid": {here.pid}, "started": {here.started - 1}}}]')
    assert state.remove_dead_clusters() == ["0123abcd"]


def test_garbled_owner_counts_as_dead(base: Path) -> None:
    (base / "aa").mkdir()
    (base / "aa" / state.OWNER).write_text("{")
    assert state.remove_dead_clusters() == ["aa"]


def test_cluster_in_the_making_is_left_alone(base: Path) -> None:
    (base / f"{state.NEW}bb").mkdir()
    assert state.remove_dead_clusters() == []


def test_directory_of_another_user_is_refused(base: Path) -> None:
    base.chmod(0o777)
    with pytest.raises(state.StateError, match="writable by others; remove it or set XDG_RUNTIME_DIR"):
        state.create_state()


def test_command_dies_with_its_parent() -> None:
    script = (
        "import subprocess, sys, os;"
        f"command = [sys.executable, '-ISs', {parent_death.__file__!r}, str(os.getpid()), '15', 'sleep', '60'];"
        "p = subprocess.Popen(command);"
        "print(p.pid, flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, text=True) as parent:
        assert parent.stdout is not None
        child = state.Process.of(int(parent.stdout.readline()))
        assert child is not None
        # The command takes the place of the parent_death, so the line of its process changes.
        command = Path(f"/proc/{child.pid}/cmdline")
        while b"sleep" not in command.read_bytes().split(b"\0")[0]:
            os.sched_yield()
        parent.kill()
        parent.wait()
    deadline = 200
    while child.is_alive() and deadline:
        deadline -= 1
        subprocess.run(["sleep", "0.01"], check=True)
    assert not child.is_alive()


@pytest.mark.parametrize(("command", "status"), [("no-such-command", 127), ("/etc/passwd", 126)])
def test_parent_death_says_what_cannot_be_run(command: str, status: int) -> None:
    words = [sys.executable, "-ISs", parent_death.__file__, str(os.getpid()), "15", command]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == status
    assert ended.stderr.startswith(f"{command}: ")


def test_lock_tells_of_an_owner_that_cannot_be_seen(base: Path) -> None:
    ours = state.create_state()
    (ours.path / state.OWNER).write_text("[]")
    assert state.remove_dead_clusters() == []
    ours.remove()
    assert list(base.iterdir()) == []
