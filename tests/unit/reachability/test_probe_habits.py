# SPDX-License-Identifier: Apache-2.0
"""Guests that may not ping, and peers that are slow to answer: what the probe script does in real shells."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import threading
import time
from ipaddress import ip_interface
from itertools import accumulate
from pathlib import Path
from typing import cast

import pytest
from livenad.errors import LabError
from livenad.guest.shells import GuestUnreachable, Shell
from livenad.model import CommandResult, Nic
from livenad.reachability import probes
from livenad.reachability.paths import Path as Route
from livenad.reachability.paths import path_between
from livenad.reachability.probes import Probe, Protocol, parse_samples, probe_script
from livenad.reachability.windows import Window

from tests.unit.support.topology import vm

SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]
OWN_PING = [shell for shell in SHELLS if shell != "busybox"]  # it has a ping of its own


def route() -> Route:
    here, there = (
        Nic("new", f"02:00:00:00:00:0{number}", "new", (ip_interface(f"127.0.0.{number}/8"),)) for number in (1, 2)
    )
    return path_between(vm("here", here), here, vm("there", there))


def run_script(shell: str, protocol: Protocol, seconds: float, path: str, *, until_reached: bool = False) -> str:
    script = probe_script([Probe(route(), protocol, 0.1)], seconds, until_reached=until_reached) + '\nnow; echo "N $t"'
    argv = [shell, "sh", "-c", script] if shell == "busybox" else [shell, "-c", script]
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"}
    return subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=30, check=False).stdout


@pytest.mark.circumstance(
    "the guest may not open ping sockets",
    topic="guest",
    sees="may not ping: its user has no permission to; allow it",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("shell", OWN_PING)
@pytest.mark.parametrize(
    ("status", "said"),
    [
        (2, "ping: socktype: SOCK_RAW\nping: socket: Operation not permitted"),
        (1, "ping: permission denied (are you root?)"),
    ],
)
def test_guest_that_may_not_ping_is_no_silent_network(shell: str, status: int, said: str, tmp_path: Path) -> None:
    (tmp_path / "ping").write_text(f"#!/bin/sh\necho '{said}' >&2\nexit {status}\n", encoding="utf-8")
    (tmp_path / "ping").chmod(0o755)
    with pytest.raises(LabError, match="guest here may not ping: its user has no permission to; allow it"):
        parse_samples(run_script(shell, "ICMP", 0.5, str(tmp_path)), 1, time.monotonic(), "here")


@pytest.mark.parametrize("shell", OWN_PING)
def test_network_that_is_unreachable_is_no_missing_permission(shell: str, tmp_path: Path) -> None:
    said = "ping: connect: Network is unreachable"
    (tmp_path / "ping").write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 2\n", encoding="utf-8")
    (tmp_path / "ping").chmod(0o755)
    (samples,) = parse_samples(run_script(shell, "ICMP", 0.5, str(tmp_path)), 1, time.monotonic(), "here")
    assert samples
    assert not any(sample.answered for sample in samples)


class SlowPeer:
    """Greets like SSH, each connection after ``delay`` seconds; ``most`` were open in parallel."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._lock = threading.Lock()
        self._open = self.most = 0
        self._listener = socket.create_server(("127.0.0.2", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        with self._lock:
            self._open += 1
            self.most = max(self.most, self._open)
        with connection:
            time.sleep(self._delay)
            with self._lock:
                self._open -= 1
            connection.sendall(b"SSH-2.0-slow\r\n")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("delay", [0.0, 0.8])
def test_slow_peer_has_two_requests_open_at_most_until_it_answers(
    shell: str, delay: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = SlowPeer(delay)
    script = probes._FUNCTIONS.replace("/22", f"/{peer.port}").replace(" 22 ", f" {peer.port} ")
    monkeypatch.setattr(probes, "_FUNCTIONS", script)
    (tmp_path / "ping").write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    (tmp_path / "ping").chmod(0o755)
    said = run_script(shell, "TCP", 5.0, str(tmp_path), until_reached=True)
    (samples,) = parse_samples(said, 1, time.monotonic(), "here")
    assert peer.most <= 2
    assert sum(sample.answered for sample in samples) >= 2


@pytest.mark.parametrize("shell", OWN_PING)
def test_silent_target_has_few_pings_open(shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cast(dict[str, int], probes._MOST_OPEN), "ICMP", 3)
    log = tmp_path / "log"
    (tmp_path / "ping").write_text(f"#!/bin/sh\necho 1 >>{log}\nsleep 0.6\necho -1 >>{log}\nexit 1\n", encoding="utf-8")
    (tmp_path / "ping").chmod(0o755)
    said = run_script(shell, "ICMP", 1.3, str(tmp_path), until_reached=True)
    (samples,) = parse_samples(said, 1, time.monotonic(), "here")
    assert max(accumulate(int(line) for line in log.read_text(encoding="utf-8").split())) == 3
    assert 4 <= len(samples) <= 9
    assert not any(sample.answered for sample in samples)


@pytest.mark.parametrize("shell", OWN_PING)
@pytest.mark.parametrize(("process", "slow"), [(":", ""), ("command sleep 0.02", "1")])
def test_guest_that_is_slow_to_start_processes_is_known(shell: str, process: str, slow: str) -> None:
    script = f'sleep() {{ {process}; }}\n{probes._FUNCTIONS}echo "slow=$slow"'
    said = subprocess.run([shell, "-c", script], capture_output=True, text=True, timeout=30, check=False).stdout
    assert said == f"slow={slow}\n"


@pytest.mark.parametrize("shell", OWN_PING)
def test_slow_guest_asks_less_often(shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ping").write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    (tmp_path / "ping").chmod(0o755)
    monkeypatch.setattr(probes, "_FUNCTIONS", probes._FUNCTIONS + "slow=1\n")
    script = probe_script([Probe(route(), "ICMP"), Probe(route(), "ICMP", 0.1)], 1.5, until_reached=False)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    argv = [shell, "-c", script]
    said = subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=30, check=False).stdout
    assert 2 <= said.count("A 0 ") <= 4
    assert said.count("A 1 ") >= said.count("A 0 ") + 2  # it has a pace of its own


def test_slow_guest_covers_short_windows_too() -> None:
    def pauses(duration: float) -> list[str]:
        window = Window({}, [Probe(route(), "ICMP"), Probe(route(), "TCP")], duration)
        asked: list[str] = []
        window._run_in = lambda guest, command: asked.append(window._words[guest]["script"])  # type: ignore[method-assign]
        window._start("here")
        (script,) = asked
        return [line.split()[-2] for line in shlex.split(script)[0].splitlines() if line.startswith("stream ")]

    assert pauses(2) == ["0.5", "0.75"]
    assert pauses(30) == ["0.5", "1.2"]


class GoneShell:
    """A guest that is out of reach, and says so only when the deadline is past."""

    def __init__(self) -> None:
        self.asked = 0

    def run(self, *_: object, **__: object) -> CommandResult:
        self.asked += 1
        time.sleep(0.03)
        raise GuestUnreachable("guest is gone")


def test_a_guest_out_of_reach_at_the_deadline_is_no_target_that_was_not_reached() -> None:
    shell = GoneShell()
    with pytest.raises(GuestUnreachable, match="guest is gone"):
        probes._sample_slices(cast(Shell, shell), [Probe(route(), "ICMP")], 0.02)
    assert shell.asked == 1
