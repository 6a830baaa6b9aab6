# SPDX-License-Identifier: Apache-2.0
"""A connection that falls silent at any step of an SSH command holds no caller longer than the command's own limit."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from livenad.api.connection import StreamOptions
from livenad.errors import LabError
from livenad.guest import streams
from livenad.guest.shells import CommandLost, CommandTimeout, GuestUnreachable
from livenad.guest.ssh_command import SshCommand
from livenad.guest.streams import StreamRefused, open_port_forward

from tests.unit.support.gateway import Gateway
from tests.unit.support.ssh_lab import SshLab, seconds_of

LIMIT = 0.4
MARGIN = 5.0
SIDES = (
    "the API server ws://127.0.0.1",
    "the API server, or a gateway before it, was silent",
    "the guest was silent",
    "nothing came from the guest or the API server",
    "the connection to the API server has ended",
)
STEPS = (
    "opened no stream",
    "the SSH server's banner",
    "the key exchange",
    "the login",
    "takes no command|not confirmed",
    "did not end",
)


@pytest.fixture
def lab() -> Iterator[SshLab]:
    with SshLab() as one:
        yield one


@pytest.mark.circumstance(
    "a forwarded connection goes silent at any of its steps",
    topic="guest",
    sees="silent",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("repeatable", [False, True])
def test_connection_that_is_silent_after_so_many_bytes(lab: SshLab, *, repeatable: bool) -> None:
    """None of a session's bytes, all of some of its messages, or half a message more."""
    lab.shell.run("echo out; echo err >&2", 10)
    marks = lab.gateway.marks
    positions = sorted({0, *marks, *(one - 4 for one in marks if not repeatable)})
    # All are tried at the same time, and each is to get as far as it is let.
    another = lab.new_shell()
    limit = min(5.0, max(1.0, len(positions) * seconds_of(lambda: another.prepare(10))))
    another.close()

    def held(answers: int) -> tuple[float, float, str]:
        with Gateway(lab.streams.port) as gateway:
            gateway.answers = answers
            shell, told = lab.new_shell(gateway.port), ""
            began = time.monotonic()
            try:
                shell.run("echo out; echo err >&2", limit, repeatable=repeatable)
            except LabError as error:
                told = str(error)
            return time.monotonic() - began, seconds_of(shell.close), told

    with ThreadPoolExecutor(len(positions)) as threads:
        found = list(threads.map(held, positions))
    assert [one for one in found if one[0] > limit + MARGIN or one[1] > MARGIN] == []
    told = [message for _, _, message in found if message]
    assert [one for one in told if not any(side in one for side in SIDES)] == []
    if not repeatable:
        assert [step for step in STEPS if not any(re.search(step, one) for one in told)] == []


def test_command_that_is_never_confirmed(lab: SshLab) -> None:
    """The peer falls silent right after a channel was opened."""
    lab.shell.run("true", 10)
    session = lab.shell._current
    assert session is not None
    opened = session.transport.open_session

    def then_silent(timeout: float) -> object:
        channel = opened(timeout=timeout)
        lab.streams.silent = True
        return channel

    session.transport.open_session = then_silent  # type: ignore[method-assign, assignment]
    began = time.monotonic()
    with pytest.raises(CommandLost, match=r"not confirmed within 0.4 s; .* it is not repeated"):
        lab.shell.run("true", LIMIT)
    assert time.monotonic() - began < LIMIT + MARGIN


def test_command_that_never_stops_printing(lab: SshLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is always something to take."""
    lab.shell.run("true", 10)
    monkeypatch.setattr(SshCommand, "_take", lambda _: True)
    with pytest.raises(CommandTimeout, match=r"did not end within 0.4 s"):
        assert seconds_of(lambda: lab.shell.run("sleep 3", LIMIT)) < LIMIT + MARGIN


def test_key_exchange_that_is_never_finished(lab: SshLab) -> None:
    """Whatever is sent during it waits, for half a minute if it is let; so does paramiko's own thread."""
    lab.shell.run("true", 10)
    assert lab.shell._current is not None
    transport = lab.shell._current.transport
    ends_within = transport.open_session(timeout=5)
    ends_within.exec_command("sleep 0.1")
    transport.clear_to_send.clear()
    ends_within.status_event.wait(5)
    time.sleep(0.1)
    began = time.monotonic()
    with pytest.raises(LabError):
        lab.shell.run("true", LIMIT)
    assert time.monotonic() - began < LIMIT + MARGIN


@pytest.mark.circumstance(
    "the guest is silent, or the API server in front of it",
    topic="guest",
    sees="the guest was silent for ... the API server, or a gateway before it, was silent",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_guest_that_is_silent_is_told_from_an_api_server_that_is(lab: SshLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PING_SECONDS", 0.1)
    lab.shell.run("true", 10)
    with pytest.raises((CommandTimeout, CommandLost), match=r"the guest was silent for .*: the API server answers"):
        lab.shell.run("sleep 0.8", LIMIT)
    lab.shell.run("true", 10)
    threading.Timer(0.1, lab.gateway.forget).start()
    told = r"the API server, or a gateway before it, was silent: it answered no ping for"
    with pytest.raises((CommandTimeout, CommandLost), match=told):
        lab.shell.run("sleep 0.8", LIMIT)


def test_stream_that_nobody_opens(lab: SshLab) -> None:
    lab.gateway.silent = True
    with pytest.raises(GuestUnreachable, match=r"the API server ws://127.0.0.1:\d+ was silent: it opened no stream"):
        assert seconds_of(lambda: lab.shell.run("true", LIMIT)) < LIMIT + 1


def test_stream_for_which_no_time_is_left() -> None:
    """A socket that may not wait calls that an error of its own."""
    with pytest.raises(StreamRefused, match=r"Connection refused|opened no stream"):
        open_port_forward(StreamOptions("ws://127.0.0.1:9", {}, {}), "demo", "web", 22, 0.0)


def test_look_up_of_the_server_that_is_silent(lab: SshLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2))
    with pytest.raises(GuestUnreachable, match=r"the API server ws://127.0.0.1:\d+ was silent: it opened no stream"):
        assert seconds_of(lambda: lab.shell.run("true", LIMIT)) < LIMIT + 1


def test_command_beside_one_that_connects_keeps_its_own_limit(lab: SshLab) -> None:
    lab.gateway.silent = True

    def prepare() -> None:
        with pytest.raises(GuestUnreachable):
            lab.shell.prepare(1)

    slow = threading.Thread(target=prepare)
    slow.start()
    time.sleep(0.1)
    began = time.monotonic()
    with pytest.raises(GuestUnreachable, match=r"another command has tried to connect for 0\.3 s"):
        lab.shell.run("true", 0.3)
    assert time.monotonic() - began < 1.2
    slow.join()
