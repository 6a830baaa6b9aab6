# SPDX-License-Identifier: Apache-2.0
"""However the data plane's process ends, nothing of it stays behind."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.emulator.dataplane import users

_GONE_SECONDS = 10


def _network_namespaces(processes: Iterable[str]) -> set[str]:
    """The network namespaces that these processes live in; those that have ended meanwhile in none."""
    found = set()
    for process in processes:
        with contextlib.suppress(OSError):
            found.add(str(Path(f"/proc/{process}/ns/net").readlink()))
    return found


def _descendants(root: int) -> set[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            parent = int(text.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    queue = [root]
    while queue:
        for child in children.get(queue.pop(), []):
            if child not in found:
                found.add(child)
                queue.append(child)
    return found


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def _links() -> set[str]:
    """The names of this machine's links."""
    return {entry.name for entry in Path("/sys/class/net").iterdir()}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
@pytest.mark.parametrize("user", users.USERS)
def test_killed_data_plane_leaves_nothing(user: str, number: signal.Signals) -> None:
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    links = _links()
    process = users.start(user, "-m", "tests.emulator.dataplane.hold")
    assert process.stdout
    try:
        first = process.stdout.readline()
        assert first == "built\n", first + process.stdout.read()
        family = _descendants(process.pid)
        # Fork server, and for guest 1 alone: launcher, process 1, getty, three sleeping programs.
        assert len(family) >= 7, family
        own = _network_namespaces(map(str, family)) - _network_namespaces(["self"])
        assert len(own) >= 2
    finally:
        process.send_signal(number)
        process.wait(10)
    deadline = time.monotonic() + _GONE_SECONDS
    while left := [pid for pid in family if _alive(pid)]:
        assert time.monotonic() < deadline, f"still alive: {left}"
        time.sleep(0.05)  # the end of a process that is not our child gives no event
    everybody = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    assert not own & _network_namespaces(everybody)
    assert Path("/proc/self/mountinfo").read_text(encoding="utf-8") == mounts
    # Links of other tests come and go meanwhile; one that this data plane left would stay.
    while left_links := _links() - links:
        assert time.monotonic() < deadline, f"still there: {left_links}"
        time.sleep(0.05)
    process.stdout.close()


@pytest.mark.parametrize("user", users.USERS)
def test_stop_leaves_nothing_in_the_process(user: str) -> None:
    code = """
import asyncio, os
from emulator.dataplane import userns
from emulator.dataplane.linux import LinuxDataPlane
from tests.emulator.dataplane.lab import NODES, Lab

async def once() -> None:
    dataplane = LinuxDataPlane()
    await dataplane.start(NODES)
    lab = Lab(dataplane)
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-2"))
    await dataplane.kill_inside("g2")
    await dataplane.stop()
    await dataplane.stop()

async def main() -> None:
    await once()
    before = sorted(os.listdir("/proc/self/fd"))
    await once()
    after = sorted(os.listdir("/proc/self/fd"))
    assert after == before, (before, after)
    assert len(asyncio.all_tasks()) == 1, asyncio.all_tasks()

userns.enter()
asyncio.run(main())
"""
    process = users.start(user, "-c", code)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
