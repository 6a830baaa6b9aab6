# SPDX-License-Identifier: Apache-2.0
"""What real guests' SSH servers do: they are slow, refuse, want more, move, and end at awkward moments."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from types import SimpleNamespace
from typing import Any

import asyncssh
import pytest
from livenad.guest import ssh, ssh_command
from livenad.guest.shells import CommandLost, Deadline, GuestUnreachable
from livenad.guest.ssh import HostKeyMismatch, LoginRefused
from livenad.guest.ssh_command import SshCommand

from tests.unit.support.ssh_lab import SshLab


class SlowLogin(asyncssh.SSHServer):
    async def begin_auth(self, username: str) -> bool:
        await asyncio.sleep(1.2)
        return True


class NoLogin(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        self.conn.abort()
        return True

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.conn = conn


class NeverLogin(asyncssh.SSHServer):
    async def begin_auth(self, username: str) -> bool:
        await asyncio.sleep(60)
        return True


class FewSessions(asyncssh.SSHServer):
    """MaxSessions: further ones are refused."""

    most = 10

    def connection_made(self, conn: Any) -> None:
        opened = conn._process_session_open

        def limited(packet: object) -> Any:
            if len(conn._channels) >= self.most:
                raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "open failed")
            return opened(packet)

        conn._process_session_open = limited


class NoSession(FewSessions):
    most = 0


def test_login_slower_than_an_attempt_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "ATTEMPT_TIMEOUT", 0.4)
    with SshLab(SlowLogin) as lab:
        assert lab.shell.run("echo in", 10).stdout == "in\n"


def test_guest_that_is_slow_at_each_step_is_reached_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "ATTEMPT_TIMEOUT", 1.0)
    monkeypatch.setattr(ssh, "CHECK_TIMEOUT", 0.2)
    with SshLab() as lab:
        lab.gateway.latency = 0.3
        for _ in range(3):
            assert lab.shell.run("echo slow", 30).stdout == "slow\n"
        made = lab.ssh.connections
        lab.shell.run("true", 30)
        assert lab.ssh.connections == made


def test_login_that_does_not_come_in_time_is_no_refusal() -> None:
    with SshLab(NeverLogin) as lab, pytest.raises(GuestUnreachable, match="the login did not come within") as caught:
        lab.shell.run("true", 3)
    assert "refused" not in str(caught.value)


def test_reason_is_that_of_the_last_attempt_which_was_not_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "ATTEMPT_TIMEOUT", 2.0)
    with SshLab() as lab:
        lab.streams.target = None
        threading.Timer(2.5, setattr, (lab.gateway, "silent", True)).start()
        with pytest.raises(GuestUnreachable, match=r"dialing VM.*; then .*was silent"):
            lab.shell.run("true", 6)


def test_attempt_without_time_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "ATTEMPT_TIMEOUT", 1.0)
    with SshLab() as lab:
        lab.gateway.silent = True
        with pytest.raises(GuestUnreachable, match=r"no session within 1\.5 s; .* within 1\.0 s"):
            lab.shell.run("true", 1.5)


class EndsAtEachSession(asyncssh.SSHServer):
    """Lets everybody in, and ends the connection when a session is asked for."""

    def connection_made(self, conn: Any) -> None:
        conn._process_session_open = lambda packet: conn.abort()


def test_session_that_breaks_each_time_is_told_before_the_attempt_that_had_no_time() -> None:
    with SshLab(EndsAtEachSession) as lab:
        threading.Timer(0.6, setattr, (lab.gateway, "silent", True)).start()
        with pytest.raises(GuestUnreachable) as caught:
            lab.shell.run("true", 1.5, repeatable=True)
    told = "the session takes no command: the SSH server ended the connection; .*; then "
    assert re.search(told, str(caught.value))


def test_command_that_breaks_each_session_is_told_so() -> None:
    with SshLab() as lab:

        def end_it() -> None:
            lab.streams.target = None
            lab.streams.cut_streams()

        lab.shell.prepare(10)
        threading.Timer(0.3, end_it).start()
        with pytest.raises(GuestUnreachable) as caught:
            lab.shell.run("sleep 1", 0.9, repeatable=True)
    assert re.search(r'"sleep 1".* ran; then no session within 0\.\d s; last attempt: .*dialing', str(caught.value))
    assert "not repeated" not in str(caught.value)


def test_foreign_host_key_outweighs_whatever_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "ATTEMPT_TIMEOUT", 2.0)
    with SshLab() as lab:
        lab.host_key = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode().strip()
        threading.Timer(2.5, setattr, (lab.streams, "target", None)).start()
        with pytest.raises(HostKeyMismatch, match="not the one that this run gave"):
            lab.new_shell().run("true", 6)


def test_host_key_of_another_type_is_a_foreign_one() -> None:
    with SshLab() as lab:
        key = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
        lab.host_key = key.export_public_key("openssh").decode().strip()
        with pytest.raises(HostKeyMismatch, match="has no ecdsa-sha2-nistp256 host key"):
            lab.new_shell().run("true", 3)


def test_connection_that_ends_during_the_login_is_told() -> None:
    with SshLab(NoLogin) as lab, pytest.raises(GuestUnreachable, match="ended the connection during the login"):
        lab.shell.run("true", 3)


def test_server_that_opens_no_session_is_told() -> None:
    with SshLab(NoSession) as lab, pytest.raises(GuestUnreachable, match=r"opens no further session .* MaxSessions"):
        lab.shell.prepare(20)
        lab.shell.run("true", 1)
    assert lab.ssh.connections == 1


@pytest.mark.circumstance(
    "sshd allows few sessions on a connection",
    topic="guest",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_refused_channel_waits_for_a_free_one_and_harms_no_other() -> None:
    with SshLab(FewSessions) as lab:
        lab.shell.run("true", 10)
        said: list[str] = []

        def run(number: int) -> None:
            said.append(lab.shell.run(f"sleep 0.7; echo {number}", 20).stdout)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(14)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(said) == sorted(f"{number}\n" for number in range(14))
        assert lab.ssh.connections == 1


def test_further_factor_is_named() -> None:
    class Wants(SimpleNamespace):
        def auth_publickey(self, *_: object) -> list[str]:
            return ["keyboard-interactive"]

    from livenad.guest.ssh_session import _Attempt
    from livenad.model import GuestLogin

    with SshLab() as lab:
        login = GuestLogin("tester", "", lab.ssh.private_key, lab.host_key)
        with pytest.raises(LoginRefused, match='lets user "tester" in with a key and wants more: keyboard-interactive'):
            _Attempt("guest", login, Deadline(5))._log_in(Wants())  # type: ignore[arg-type]


def test_expired_password_is_no_status_of_the_command() -> None:
    command = "echo 'Password change required but no TTY available.' >&2; exit 1"
    with SshLab() as lab, pytest.raises(LoginRefused, match="password has expired, and the SSH server runs nothing"):
        lab.shell.run(command, 5)


def test_move_of_the_guest_is_noticed_during_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_command, "MOVE_GRACE", 0.5)
    with SshLab() as lab:
        lab.shell.run("true", 10)

        def move() -> None:
            lab.gateway.forget()
            lab.node = "node-2"

        threading.Timer(0.3, move).start()
        began = time.monotonic()
        with pytest.raises(CommandLost, match="the guest moved while"):
            lab.shell.run("sleep 1; echo never", 20)
        threading.Timer(0.3, move).start()
        lab.node = "node-1"
        assert lab.shell.run("sleep 1; echo done", 20, repeatable=True).stdout == "done\n"
        assert time.monotonic() - began < 15


@pytest.mark.circumstance(
    "the last output of a command comes with its end",
    topic="guest",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_last_output_that_comes_with_its_end_is_kept() -> None:
    """It arrives between a look at the buffers and a look at the end."""

    class Pipe:
        def set_event(self, event: threading.Event) -> None:
            self.event = event

    class Channel:
        in_buffer, in_stderr_buffer = Pipe(), Pipe()
        closed = eof_received = False
        exit_status = 0
        status_event = threading.Event()
        waiting = b""

        def recv_ready(self) -> bool:
            return bool(self.waiting)

        def recv(self, _size: int) -> bytes:
            data, self.waiting = self.waiting, b""
            return data

        def recv_stderr_ready(self) -> bool:
            if not self.eof_received:
                self.waiting, self.eof_received = b"the last part", True
                self.status_event.set()
            return False

        def settimeout(self, _seconds: float) -> None: ...
        def exec_command(self, _command: str) -> None: ...
        def shutdown_write(self) -> None: ...
        def close(self) -> None: ...

    session: Any = SimpleNamespace(abort=lambda: None, stream=SimpleNamespace(silence=lambda: ""))
    channel: Any = Channel()
    assert SshCommand("guest", session, channel, "cat", lambda: False).run(Deadline(2)) == (0, b"the last part", b"")
