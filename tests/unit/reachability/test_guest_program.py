# SPDX-License-Identifier: Apache-2.0
"""The program that runs in guests, in this process: it answers, asks, and keeps connections open."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from livenad.errors import LabError
from livenad.invariants.judge_connections import parse_connections
from livenad.reachability import guest_connections, guest_program, guest_requests
from livenad.reachability.probes import parse_samples
from livenad.reachability.samples import Sample


class Program:
    """The program as it asks this machine, and what it said."""

    def __init__(self, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.port = port
        self.said: list[str] = []
        monkeypatch.setattr(guest_requests, "PORT", port)
        monkeypatch.setattr(guest_requests, "ANSWER_SECONDS", 0.2)
        monkeypatch.setattr(guest_requests, "say", lambda *words: self.said.append(" ".join(map(str, words))))

    def ask(self, *probes: tuple[Any, ...], seconds: float = 5.0) -> list[list[Sample]]:
        order = {"probes": probes, "guest": "web", "token": "ab", "seconds": seconds}
        guest_requests.Asking({**order, "listens": False, "one_by_one": True}, "", "/").run()
        return parse_samples("\n".join([*self.said, "U 1.00", "N 1.00"]), len(probes), 1.0, "web")


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("", 0))
        port = one.getsockname()[1]
    yield Program(port, monkeypatch)


def test_one_that_answers_is_reached_by_each_kind(program: Program) -> None:
    sockets = guest_program._listening(program.port)
    guest_program._Answering(sockets)
    with pytest.raises(OSError, match="in use"):
        guest_program._listening(program.port)
    kinds = ("UDP", "full-size UDP", "full-size ICMP", "transfer", "stream")
    found = program.ask(*((n, kind, "", "127.0.0.1", "127.0.0.2", 0.01, 2) for n, kind in enumerate(kinds)))
    assert [sum(sample.answered for sample in samples) for samples in found] == [2] * len(kinds)


def test_one_where_nobody_listens_is_not_reached(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_requests.Asking, "_require_answers", lambda self: None)
    kinds = ("UDP", "full-size UDP", "transfer", "stream")
    probes = [(n, kind, "", "127.0.0.1", "127.0.0.2", 0.05, 2) for n, kind in enumerate(kinds)]
    found = program.ask(*probes, seconds=0.3)
    assert all(samples and not any(one.answered for one in samples) for samples in found)


@pytest.mark.parametrize(("lost", "whole"), [(0, True), (0.4, True), (0.6, False), (-1, False), (-0.2, True)])
def test_stream_needs_half_of_its_datagrams_and_each_once(
    program: Program, monkeypatch: pytest.MonkeyPatch, lost: float, whole: bool
) -> None:
    monkeypatch.setattr(guest_requests, "STREAM_SECONDS", 0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.2", program.port))

        def echo() -> None:
            share, seen = 0.0, b""
            while not seen.endswith(b"end"):
                seen, sender = peer.recvfrom(65535)
                share += 1 - lost
                while share >= 1:
                    share -= 1
                    peer.sendto(seen, sender)

        thread = threading.Thread(target=echo)
        thread.start()
        asking = guest_requests.Asking({"token": "ab", "seconds": 1.0, "guest": "web"}, "", "/")
        assert asking._stream(0, "1.00", "", "127.0.0.1", "127.0.0.2") == whole
        peer.sendto(b"end", ("127.0.0.2", program.port))
        thread.join(5)


@pytest.mark.parametrize(
    ("address", "device", "known"),
    [("10.0.0.7", "eth0", True), ("10.0.0.8", "eth0", False), ("10.0.0.7", "eth1", False), ("10.0.0.9", "eth0", False)],
)
def test_table_of_the_kernel_tells_which_macs_it_knows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str, device: str, known: bool
) -> None:
    table = tmp_path / "arp"
    table.write_text(
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "10.0.0.7         0x1         0x2         02:00:00:00:00:07     *        eth0\n"
        "10.0.0.8         0x1         0x0         00:00:00:00:00:00     *        eth0\n"
    )
    monkeypatch.setattr(guest_requests, "ARP_TABLE", str(table))
    assert guest_requests._mac_is_known(address, device) == known


def test_port_of_another_program_is_a_lab_error_and_no_silence(program: Program) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as foreign:
        foreign.bind(("", program.port))
        with pytest.raises(LabError, match=f"UDP port {program.port} of guest web is taken by another program"):
            program.ask(seconds=0.0)


def test_program_ends_when_its_window_is_stopped(program: Program, tmp_path: Path) -> None:
    asking = guest_requests.Asking({"token": "ab", "seconds": 60.0, "guest": "web"}, str(tmp_path / "stop"), "/")
    assert asking._goes_on()
    (tmp_path / "stop").touch()
    assert not asking._goes_on()
    assert not guest_requests.Asking({"token": "ab", "seconds": 0.0, "guest": "web"}, "", "/")._goes_on()


def test_program_tells_the_longest_gap_and_the_end_of_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_connections, "LINE_SECONDS", 0.01)
    server = socket.create_server(("127.0.0.2", 0))
    monkeypatch.setattr(guest_connections, "PORT", server.getsockname()[1])
    lines: dict[int, str] = {}
    thread = threading.Thread(target=guest_connections._hold_one, args=(lines, 3, "127.0.0.1", "127.0.0.2"))
    thread.start()
    with server, server.accept()[0] as call, call.makefile("rb") as asked:
        assert asked.readline() == b"ECHO\n"
        for pause in (0.0, 0.3, 0.0):
            line = asked.readline()
            time.sleep(pause)
            call.sendall(line)
        asked.readline()
        # Reading ends at once, with an answer to the last line still open.
        call.shutdown(socket.SHUT_WR)
        thread.join(5)
    assert re.fullmatch(r"C 3 \S+ \S+ 0\.[3-9]\d \S+ closed_by_the_other_side", lines[3])
    state = parse_connections(f"{lines[3]}\nT {guest_program.uptime()}\n")[3]
    assert state.error == "closed by the other side"
    assert state.opened <= state.gap_ended <= state.answered


def test_connection_to_a_port_where_nobody_listens_tells_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.2", 0)) as server:
        monkeypatch.setattr(guest_connections, "PORT", server.getsockname()[1])
    lines: dict[int, str] = {}
    guest_connections._hold_one(lines, 0, "127.0.0.1", "127.0.0.2")
    assert lines[0] == "C 0 0.00 0.00 0.00 0.00 Connection_refused"


def _tools(folder: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_root_is_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    _tools(tmp_path, monkeypatch, sudo=f'echo sudo >>{log}; shift; exec "$@"', ip=f'echo "ip $*" >>{log}; echo noise')
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    root = guest_requests._Root()
    for number in range(3):
        root.run(f"ip -4 neigh del 10.0.0.{number} dev eth0")
        assert log.read_text(encoding="utf-8").splitlines()[-1] == f"ip -4 neigh del 10.0.0.{number} dev eth0"
    assert log.read_text(encoding="utf-8").count("sudo") == 1


def test_ip_is_found_where_the_path_of_the_session_has_no_sbin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = guest_requests._environment()["PATH"]
    assert path == f"{tmp_path}:/usr/sbin:/sbin"
    monkeypatch.setattr(guest_requests, "_environment", lambda: {"PATH": str(tmp_path / "sbin")})
    (tmp_path / "sbin").mkdir()
    _tools(tmp_path / "sbin", monkeypatch, ip="echo $PATH")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert guest_requests._silently(["ip"]).decode() == f"{tmp_path}/sbin\n"


def test_without_root_nothing_is_run_and_nothing_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _tools(tmp_path, monkeypatch, sudo="exit 1")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    root = guest_requests._Root()
    for _ in range(3):
        root.run("ip -4 neigh del 10.0.0.1 dev eth0")


@pytest.mark.parametrize(("refuses", "word"), [("", "del"), ('[ "$3" != del ] || exit 1; ', "flush to")])
def test_mac_is_forgotten_by_busybox_too(
    program: Program, refuses: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    _tools(tmp_path, monkeypatch, ip=f'{refuses}[ "$2" = route ] || echo "$*" >>{log}')
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(guest_requests, "_mac_is_known", lambda *found: found == ("127.0.0.2", "lo"))
    monkeypatch.setattr(guest_requests, "device_of", lambda _mac: "lo")
    monkeypatch.setattr(guest_requests.Asking, "_require_answers", lambda self: None)
    ((sample,),) = program.ask((0, "neighbour", "", "127.0.0.1", "127.0.0.2", 0.01, 1))
    assert sample.answered
    assert log.read_text(encoding="utf-8") == f"-4 neigh {word} 127.0.0.2 dev lo\n"


def test_full_ping_of_busybox_has_no_option_against_fragments(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    refuses = 'case "$*" in *-M*) echo "ping: invalid option -- \'M\'" >&2; exit 1 ;; esac'
    _tools(tmp_path, monkeypatch, ping=f'{refuses}\necho "$*" >>{log}')
    monkeypatch.setattr(guest_requests.Asking, "_require_answers", lambda self: None)
    (samples,) = program.ask((0, "full-size ICMP", "", "127.0.0.1", "127.0.0.2", 0.01, 2))
    assert [sample.answered for sample in samples] == [False, True, True]
    assert log.read_text(encoding="utf-8") == 2 * "-c 1 -W 1 -s 1472 127.0.0.2\n"


def test_slow_guest_asks_for_traffic_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def ask(*_: object) -> bool:
        asked.append(time.monotonic())
        return True

    monkeypatch.setattr(guest_requests, "SLOW_PAUSE", 0.2)
    order = {"guest": "web", "token": "ab", "seconds": 5.0, "one_by_one": True}
    for slow in (False, True):
        asked.clear()
        asking = guest_requests.Asking(order, "", "/", slow)
        asking._repeat(ask, (0, "UDP", "", "127.0.0.1", "127.0.0.2", 0.01, 2))
        assert (asked[1] - asked[0] >= 0.2) is slow
