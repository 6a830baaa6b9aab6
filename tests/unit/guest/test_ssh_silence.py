"""A connection that falls silent at any step of an SSH command holds no caller longer than the command's own limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from livenad.errors import LabError
from livenad.guest import streams
from livenad.guest.shells import CommandLost, CommandTimeout, GuestUnreachable

from tests.unit.support.ssh_lab import SshLab, seconds_of

LIMIT = 1.5
MARGIN = 3.0
SIDES = (
    "the API server ws://127.0.0.1",
    "the API server, or a gateway before it, was silent",
    "the guest was silent",
    "nothing came from the guest or the API server",
    "the connection to the API server has ended",
)


@pytest.fixture
def lab() -> Iterator[SshLab]:
    with SshLab() as one:
        yield one


@pytest.fixture(scope="module")
def whole() -> int:
    """Bytes that come from the other side in the course of a session with one command."""
    with SshLab() as lab:
        lab.shell.run("echo out; echo err >&2", 10)
        return lab.gateway.passed


@pytest.mark.circumstance(
    "a forwarded connection goes silent at any of its steps",
    topic="guest",
    sees="silent",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("twentieth", range(20))
@pytest.mark.parametrize("repeatable", [False, True])
def test_connection_that_is_silent_after_so_many_bytes(
    lab: SshLab, whole: int, twentieth: int, *, repeatable: bool
) -> None:
    lab.gateway.answers = whole * twentieth // 20
    began = time.monotonic()
    try:
        lab.shell.run("echo out; echo err >&2", LIMIT, repeatable=repeatable)
    except LabError as error:
        assert any(side in str(error) for side in SIDES), str(error)
    else:
        assert twentieth > 16
    assert time.monotonic() - began < LIMIT + MARGIN
    assert seconds_of(lab.shell.close) < MARGIN


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
    with pytest.raises(CommandLost, match=r"not confirmed within 1.5 s; .* it is not repeated"):
        lab.shell.run("true", LIMIT)
    assert time.monotonic() - began < LIMIT + 1.5


def test_key_exchange_that_is_never_finished(lab: SshLab) -> None:
    """Whatever is sent during it waits, for half a minute if it is let."""
    lab.shell.run("true", 10)
    assert lab.shell._current is not None
    lab.streams.silent = True
    lab.shell._current.transport._send_kex_init()  # type: ignore[attr-defined]
    time.sleep(0.2)
    began = time.monotonic()
    with pytest.raises(LabError):
        lab.shell.run("true", LIMIT)
    assert time.monotonic() - began < LIMIT + 4


@pytest.mark.circumstance(
    "the guest is silent, or the API server in front of it",
    topic="guest",
    sees="the guest was silent for ... the API server, or a gateway before it, was silent",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_guest_that_is_silent_is_told_from_an_api_server_that_is(lab: SshLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PING_SECONDS", 0.3)
    lab.shell.run("true", 10)
    with pytest.raises(CommandTimeout, match=r"the guest was silent for .*: the API server answers"):
        lab.shell.run("sleep 3", LIMIT)
    lab.shell.run("true", 10)
    threading.Timer(0.3, lab.gateway.forget).start()
    with pytest.raises(CommandTimeout, match=r"the API server, or a gateway before it, was silent: .* no ping for"):
        lab.shell.run("sleep 3", LIMIT)


def test_stream_that_nobody_opens(lab: SshLab) -> None:
    lab.gateway.silent = True
    with pytest.raises(GuestUnreachable, match=r"the API server ws://127.0.0.1:\d+ was silent: it opened no stream"):
        assert seconds_of(lambda: lab.shell.run("true", LIMIT)) < LIMIT + 1


def test_command_beside_one_that_connects_keeps_its_own_limit(lab: SshLab) -> None:
    lab.gateway.silent = True

    def prepare() -> None:
        with pytest.raises(GuestUnreachable):
            lab.shell.prepare(5)

    slow = threading.Thread(target=prepare)
    slow.start()
    time.sleep(0.2)
    began = time.monotonic()
    with pytest.raises(GuestUnreachable, match=r"another command has tried to connect for 0\.5 s"):
        lab.shell.run("true", 0.5)
    assert time.monotonic() - began < 1.5
    lab.gateway.silent = False
    slow.join()
