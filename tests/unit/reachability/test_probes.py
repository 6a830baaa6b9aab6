# SPDX-License-Identifier: Apache-2.0
"""The probe script in real shells, with a stand-in for ping and a TCP server, and the parsing of what it prints."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import pytest
from livenad.errors import LabError
from livenad.guest.shells import CommandLost, CommandTimeout, GuestUnreachable, Shell
from livenad.model import CommandResult, Nic
from livenad.reachability import probes, windows
from livenad.reachability.paths import Path as Route
from livenad.reachability.paths import path_between
from livenad.reachability.probes import (
    Probe,
    both_protocols,
    parse_samples,
    probe_script,
    sample_until_reached,
)
from livenad.reachability.windows import Window, sample_window

from tests.unit.support.topology import three_guests, vm

PING = """#!/bin/sh
for last; do :; done
echo "$*" >>"$PING_LOG"
[ "$last" = 127.0.0.2 ] && [ -e "$PING_LOG.up" ] && exit 0
sleep 1; exit 1
"""


GROUPS: list[int] = []
"""Process groups of what guests were told: probes live on in a guest until they are over."""


@pytest.fixture(autouse=True)
def _no_probes_left() -> Iterator[None]:
    yield
    while GROUPS:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(GROUPS.pop(), signal.SIGKILL)


class LocalShell:
    """A guest that is this machine: commands run by a given sh."""

    def __init__(self, shell: str, environment: dict[str, str]) -> None:
        self.name = "guest here"
        self.shell = shell
        self.environment = environment
        self.losses = 0

    def prepare(self, timeout: float = 0) -> None:
        pass

    def run(self, command: str, timeout: float = 30, *, check: bool = True, repeatable: bool = False) -> CommandResult:
        if self.losses:
            self.losses -= 1
            raise (CommandLost if self.losses else CommandTimeout)("it rebooted, or hangs")
        argv = [self.shell, "-c", command]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            argv, stdout=pipe, stderr=pipe, text=True, env=self.environment, start_new_session=True
        ) as process:
            GROUPS.append(process.pid)
            output, errors = process.communicate(timeout=timeout)
        return CommandResult(command, process.returncode, output, errors, 0)

    def close(self) -> None:
        pass


@pytest.fixture
def ping(tmp_path: Path) -> dict[str, str]:
    """An environment with our ping first in PATH; it answers for 127.0.0.2 while ``ping.log.up`` exists."""
    (tmp_path / "ping").write_text(PING)
    (tmp_path / "ping").chmod(0o755)
    (tmp_path / "ping.log.up").touch()
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PING_LOG": str(tmp_path / "ping.log")}


@pytest.fixture
def banner(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server on 127.0.0.2 that greets like SSH; the probes' port 22 is replaced by its port."""
    server = socket.create_server(("127.0.0.2", 0))
    port = server.getsockname()[1]
    monkeypatch.setattr(probes, "_FUNCTIONS", probes._FUNCTIONS.replace("/22", f"/{port}").replace(" 22 ", f" {port} "))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.sendall(b"SSH-2.0-test\r\n")

    threading.Thread(target=serve, daemon=True).start()
    yield port
    server.close()


def route(target: str, source: str = "127.0.0.1/24") -> Route:
    here = vm("vm", Nic("nic", "02:00:00:00:00:01", "net", (ip_interface(source),)))
    there = vm("peer", Nic("nic", "02:00:00:00:00:02", "net", (ip_interface(target),)))
    return path_between(here, here.nics[0], there)


def paced(wanted: Iterable[Probe]) -> list[Probe]:
    """At the pace of windows, also where this machine is so busy that it is taken for a slow guest."""
    return [replace(one, pause=probes._WINDOW_PAUSE[one.protocol]) for one in wanted]


SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]


@pytest.mark.parametrize("shell", SHELLS)
def test_window_samples_everything_side_by_side(shell: str, ping: dict[str, str], banner: int) -> None:
    wanted = paced(both_protocols([route("127.0.0.2/24"), route("127.0.0.9/24")]))
    started = time.monotonic()
    run = sample_window({"vm": LocalShell(shell, ping)}, wanted, 1.5)
    assert time.monotonic() - started < 15
    counts = [(len(run.series[probe].answers), len(run.series[probe].samples)) for probe in wanted]
    assert counts[0][0] >= 5
    assert counts[1][0] >= 2
    assert counts[2][0] == counts[3][0] == 0
    asked = [round(s.asked - run.began, 2) for s in run.series[wanted[0]].samples]
    assert asked[0] > -0.2
    assert asked[-1] < 1.9


@pytest.mark.parametrize("shell", SHELLS)
def test_reach_ends_with_the_fact(shell: str, ping: dict[str, str], banner: int, tmp_path: Path) -> None:
    (tmp_path / "ping.log.up").unlink()
    threading.Timer(1.0, (tmp_path / "ping.log.up").touch).start()
    started = time.monotonic()
    run = sample_until_reached({"vm": LocalShell(shell, ping)}, both_protocols([route("127.0.0.2/24")]), 20)
    assert 1.0 < time.monotonic() - started < 15
    assert all(series.answers for series in run.series.values())


def test_requests_still_open_at_the_end_count_as_asked(ping: dict[str, str]) -> None:
    run = sample_window({"vm": LocalShell("sh", ping)}, paced([Probe(route("127.0.0.9/24"), "ICMP")]), 2.0)
    (series,) = run.series.values()
    assert len(series.samples) >= 3
    assert series.samples[-1].asked > run.began + 0.6


def test_nobody_waits_for_what_is_open_at_the_end(ping: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "SETTLE", 30)
    started = time.monotonic()
    run = sample_window({"vm": LocalShell("sh", ping)}, both_protocols([route("127.0.0.9/24")]), 0.5)
    assert time.monotonic() - started < 15
    assert all(series.samples and not series.answers for series in run.series.values())


def test_guest_that_begins_late_makes_the_window_late_and_not_short(ping: dict[str, str]) -> None:
    class Late(LocalShell):
        def run(self, command: str, timeout: float = 30, **options: bool) -> CommandResult:
            if command.startswith("# start"):
                threading.Event().wait(1.5)
            return super().run(command, timeout, **options)

    here, there = (
        vm(name, Nic("nic", f"02:00:00:00:00:0{n}", "net", (ip_interface(f"127.0.0.{n}/24"),)))
        for n, name in ((1, "early"), (2, "late"))
    )
    there_again = path_between(here, here.nics[0], there)
    wanted = [Probe(there_again, "ICMP"), Probe(there_again.reverse(), "ICMP")]
    run = sample_window({"early": LocalShell("sh", ping), "late": Late("sh", ping)}, wanted, 1.0)
    for series in run.series.values():
        asked = [sample.asked - run.began for sample in series.samples]
        assert min(asked) < 0.5
        assert max(asked) > 0.5


def test_window_leaves_the_shell_free_and_ends_early_when_told(ping: dict[str, str]) -> None:
    shell = LocalShell("sh", ping)
    started = time.monotonic()
    window = Window({"vm": shell}, [Probe(route("127.0.0.2/24"), "ICMP")], 60).start()
    assert shell.run("echo free").stdout == "free\n"
    limit = time.monotonic() + 20
    log = Path(ping["PING_LOG"])
    while (not log.exists() or len(log.read_text().splitlines()) < 3) and time.monotonic() < limit:
        threading.Event().wait(0.05)
    window.stop()
    (series,) = window.finish().series.values()
    assert time.monotonic() - started < 30
    assert len(series.answers) >= 2


@pytest.mark.parametrize("shell", SHELLS)
def test_nobody_asks_on_when_a_window_is_over(shell: str, ping: dict[str, str]) -> None:
    window = Window({"vm": LocalShell(shell, ping)}, [Probe(route("127.0.0.2/24"), "ICMP")], 0.5).start()
    token = window._words["vm"]["token"]
    assert processes_with(token)
    window.finish()
    limit = time.monotonic() + windows.OVERTIME / 3
    while processes_with(token):
        assert time.monotonic() < limit
        threading.Event().wait(0.05)


def processes_with(word: str) -> list[str]:
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += [command.parent.name] * (word in command.read_text())
    return found


def test_reach_gives_up_in_time(ping: dict[str, str]) -> None:
    started = time.monotonic()
    run = sample_until_reached({"vm": LocalShell("sh", ping)}, [Probe(route("127.0.0.9/24"), "ICMP")], 1.0)
    assert time.monotonic() - started < 5
    assert [len(series.answers) for series in run.series.values()] == [0]


def test_guest_that_rebooted_meanwhile_costs_a_slice_only(ping: dict[str, str]) -> None:
    shell = LocalShell("sh", ping)
    shell.losses = 2
    run = sample_until_reached({"vm": shell}, [Probe(route("127.0.0.2/24"), "ICMP")], 10)
    assert run.failures == {}
    assert next(iter(run.series.values())).answers


def test_window_outlives_the_connection(ping: dict[str, str], banner: int) -> None:
    shell = LocalShell("sh", ping)
    lost = iter([False, True, True, False, True, False, False])

    def run(command: str, timeout: float = 30, *, check: bool = True, repeatable: bool = False) -> CommandResult:
        assert repeatable
        while next(lost):
            pass
        return LocalShell.run(shell, command, timeout)

    shell.run = run  # type: ignore[method-assign]
    result = sample_window({"vm": shell}, paced([Probe(route("127.0.0.2/24"), "ICMP")]), 2.0)
    assert result.failures == {}
    assert len(next(iter(result.series.values())).answers) >= 3


def test_commands_of_a_window_may_be_repeated(ping: dict[str, str], tmp_path: Path) -> None:
    environment = {**ping, "TMPDIR": str(tmp_path)}
    words = {"token": "probes", "script": f"'echo begun >>{tmp_path}/runs; echo U 1'", "last": "0"}
    shell = LocalShell("sh", environment)
    for _ in range(3):
        assert shell.run(windows._START % words).exit_code == 0
    for _ in range(2):
        assert shell.run(windows._FETCH % words).stdout.split()[:3] == ["U", "1", "N"]
    assert (tmp_path / "runs").read_text() == "begun\n"
    shell.run(windows._REMOVE % words)
    assert "X result of its probes any more: did it reboot?" in shell.run(windows._FETCH % words).stdout


def test_guest_that_has_just_booted_can_probe(ping: dict[str, str], tmp_path: Path) -> None:
    uptime = tmp_path / "uptime"
    uptime.write_text("0.08 0.01\n")
    script = probes._FUNCTIONS.replace("/proc/uptime", str(uptime)) + 'now; echo "$t $c $((c + 100))"'
    assert LocalShell("sh", ping).run(script).stdout == "0.08 8 108\n"


def test_ping_is_bound_to_the_interface_that_holds_the_address(ping: dict[str, str]) -> None:
    LocalShell("sh", ping).run(
        probe_script([Probe(route("127.0.0.2/8", "127.0.0.1/8"), "ICMP")], 5, until_reached=True)
    )
    line = Path(ping["PING_LOG"]).read_text().splitlines()[0]
    assert line == "-c 1 -W 1 -I lo 127.0.0.2"


def test_guest_behind_a_masquerade_asks_from_whichever_address_it_has() -> None:
    path = route("10.244.0.2/24", "10.244.0.1/24")
    masked = replace(path, source_nic=replace(path.source_nic, network=None))
    for one, source in ((path, "10.244.0.1"), (masked, "0.0.0.0")):  # noqa: S104
        script = probe_script([Probe(one, "UDP")], 5, until_reached=True)
        assert f'"{source}", "10.244.0.2"' in script


def test_answers_are_sent_in_one_piece(ping: dict[str, str]) -> None:
    """Each piece is a chance for a connection to break, and then all answers are lost."""
    script = probe_script([Probe(route("127.0.0.2/8", "127.0.0.1/8"), "ICMP")], 5, until_reached=True)
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, env=ping, start_new_session=True) as process:
        GROUPS.append(process.pid)
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        pieces = list(iter(lambda: os.read(descriptor, 65536), b""))
    assert pieces[0].startswith(b"B ")
    assert sum(piece.count(b"\nS ") for piece in pieces) >= 3
    assert len(pieces) <= 2


def test_guest_without_ping_is_a_lab_error(tmp_path: Path) -> None:
    for tool in ("sh", "cat", "sleep"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or "")
    shell = LocalShell(str(tmp_path / "sh"), {"PATH": str(tmp_path)})
    run = sample_until_reached({"vm": shell}, [Probe(route("127.0.0.2/24"), "ICMP")], 0.2)
    assert "guest vm has no ping; use an image" in str(run.failures["vm"])


@pytest.mark.parametrize("shell", SHELLS)
def test_null_device_that_may_not_be_written_is_no_missing_tool(
    shell: str, ping: dict[str, str], tmp_path: Path
) -> None:
    class NoNull(LocalShell):
        def run(self, command: str, *rest: Any, **more: Any) -> CommandResult:
            return super().run(command.replace("/dev/null", str(tmp_path)), *rest, **more)

    run = sample_until_reached({"vm": NoNull(shell, ping)}, [Probe(route("127.0.0.2/24"), "ICMP")], 0.2)
    assert "guest vm has no /dev/null that its user may write to; give it mode 666" in str(run.failures["vm"]).replace(
        str(tmp_path), "/dev/null"
    )


def test_guest_without_a_shell_is_told_before_anything_is_sampled() -> None:
    class Dead(LocalShell):
        def prepare(self, timeout: float = 0) -> None:
            raise GuestUnreachable("dead")

    shells: dict[str, Shell] = {"vm": Dead("sh", {})}
    run = sample_window(shells, [Probe(route("127.0.0.2/24"), "ICMP")], 60)
    assert str(run.failures["vm"]) == "LAB ERROR: dead"
    assert run.series == {}


def test_samples_are_on_our_clock() -> None:
    text = "B 50.00\nA 0 50.10\nA 1 50.20\nS 0 50.10 50.12 0\nD 1\nS 1 50.20 51.20 1\nA 1 51.90\nU 51.95\nN 52.00\n"
    first, second = parse_samples(text, 2, 1002.0, "vm")
    assert first[0].asked == pytest.approx(1000.1)
    assert first[0].known == pytest.approx(1000.12)
    assert first[0].answered
    assert [sample.answered for sample in second] == [False, False]


@pytest.mark.parametrize("text", ["", "B 50.00\nS 0 50.10 50.12 0\n", "B 50.00\nA 0 50.10\nN 52.00\n"])
def test_answer_without_an_end_is_a_lab_error(text: str) -> None:
    with pytest.raises(LabError, match="did not end as expected"):
        parse_samples(text, 1, 0.0, "vm")


def test_paths_of_the_suite_are_found() -> None:
    from livenad.reachability.paths import witness_path

    guests = three_guests()
    machine, old, new = guests["vm"], guests["old-peer"], guests["new-peer"]
    tested = machine.nic("secondary")
    target = path_between(machine, tested, old)
    assert (target.target_nic.name, str(target.target_address.ip)) == ("main", "10.10.0.11")
    witness = witness_path(new, old, target.target_nic, tested)
    assert (witness.source_nic.name, str(witness.target_address.ip)) == ("witness", "10.11.0.11")
    alive = witness_path(old, new, new.nic("main"), tested)
    assert (alive.source_nic.name, str(alive.target_address.ip)) == ("witness", "10.12.0.12")


def test_missing_paths_are_test_errors() -> None:
    from livenad.errors import TestError
    from livenad.reachability.paths import witness_path

    guests = three_guests()
    machine, old = guests["vm"], guests["old-peer"]
    with pytest.raises(TestError, match=r'NIC "other" of VM vm \(10.13.0.10/24\) shares no IPv4 subnet with old-peer'):
        path_between(machine, machine.nic("other"), old)
    with pytest.raises(TestError, match=r"vm cannot watch NIC \"main\" of old-peer .*; give vm a NIC on the network"):
        witness_path(machine, old, old.nic("main"), machine.nic("secondary"))
