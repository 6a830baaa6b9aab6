# SPDX-License-Identifier: Apache-2.0
"""SSH over the port-forward subresource: a real websocket, a real SSH server, and what may go wrong between them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import asyncssh
import pytest
from livenad.guest import ssh
from livenad.guest.shells import CommandFailed, CommandLost, CommandTimeout, GuestUnreachable
from livenad.guest.ssh import HostKeyMismatch, SshShell
from livenad.guest.streams import StreamRefused, open_port_forward
from livenad.model import GuestLogin

from tests.unit.support.stream_server import TOKEN, LoopThread, SshServer, StreamServer


class Lab:
    """An SSH server behind a port-forward, a shell on it, and a node name that a test may change."""

    def __init__(self) -> None:
        self.thread = LoopThread()
        self.ssh = SshServer(self.thread)
        self.streams = StreamServer(self.thread)
        self.streams.target = self.ssh.port
        self.node = "node-1"
        self.shell = self.shell_with(self.ssh.host_public_key)

    def shell_with(self, host_key: str, private_key: str | None = None) -> SshShell:
        login = GuestLogin(self.ssh.user, "", private_key or self.ssh.private_key, host_key)
        return SshShell(
            "demo/web",
            login,
            lambda timeout: open_port_forward(self.streams.options, "demo", "web", 22, timeout),
            lambda: self.node,
        )

    def close(self) -> None:
        self.shell.close()
        self.streams.stop()
        self.ssh.stop()
        self.thread.stop()


@pytest.fixture
def lab() -> Iterator[Lab]:
    one = Lab()
    yield one
    one.close()


def test_command_gives_output_error_output_and_status(lab: Lab) -> None:
    result = lab.shell.run("echo out; echo err >&2; exit 3", 10, check=False)
    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\n", "err\n")
    assert lab.streams.paths[0].endswith("/namespaces/demo/virtualmachineinstances/web/portforward/22")
    assert lab.streams.authorizations[0] == f"Bearer {TOKEN}"


def test_commands_share_one_session_and_run_side_by_side(lab: Lab) -> None:
    lab.shell.prepare(10)
    started = time.monotonic()
    threads = [threading.Thread(target=lab.shell.run, args=("sleep 0.5",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 1.5
    assert lab.ssh.connections == 1


def test_a_long_command_is_no_long_request_which_dropbear_would_answer_by_ending_the_connection(lab: Lab) -> None:
    command = "# a long one\nprintf %s '" + 'ä"$HOME\n' * 2_000 + "'; cat; exit 3"
    result = lab.shell.run(command, 10, check=False)
    assert (result.exit_code, result.stdout) == (3, 'ä"$HOME\n' * 2_000)
    assert [len(request) < 9_000 for request in lab.ssh.commands] == [True]
    lab.shell.run("x=" + "y" * 100_000, 10)
    assert lab.ssh.connections == 1


def test_megabytes_arrive_whole_on_both_channels(lab: Lab) -> None:
    result = lab.shell.run("head -c 3000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2", 30)
    assert result.stdout == "x" * 3_000_000
    assert result.stderr == "y" * 3_000_000


def test_failing_command_raises_with_what_it_said(lab: Lab) -> None:
    with pytest.raises(CommandFailed, match=r'guest demo/web over SSH: "echo no >&2; false" ended with status 1.*: no'):
        lab.shell.run("echo no >&2; false", 10)


def test_timeout_is_kept_and_the_session_lives_on(lab: Lab) -> None:
    started = time.monotonic()
    with pytest.raises(CommandTimeout, match="last output: begun"):
        lab.shell.run("echo begun; exec sleep 30", 1)
    assert time.monotonic() - started < 2
    assert lab.shell.run("echo still here", 10).stdout == "still here\n"


def test_command_is_not_repeated_when_the_stream_breaks(lab: Lab) -> None:
    lab.shell.prepare(10)
    threading.Timer(0.5, lab.streams.cut_streams).start()
    with pytest.raises(CommandLost, match="not repeated"):
        lab.shell.run("exec sleep 5", 10)
    assert lab.ssh.commands.count("exec sleep 5") == 1
    assert lab.shell.run("echo back", 10).stdout == "back\n"
    assert lab.ssh.connections == 2


def test_repeatable_command_is_repeated_when_the_stream_breaks(lab: Lab) -> None:
    lab.shell.prepare(10)
    threading.Timer(0.3, lab.streams.cut_streams).start()
    assert lab.shell.run("sleep 0.7; echo done", 10, repeatable=True).stdout == "done\n"
    assert lab.ssh.commands.count("sleep 0.7; echo done") == 2


def test_new_session_after_the_guest_moved(lab: Lab) -> None:
    lab.shell.run("true", 10)
    lab.node = "node-2"
    lab.shell.run("true", 10)
    lab.shell.run("true", 10)
    assert lab.ssh.connections == 2


def test_dead_peer_behind_an_open_stream_is_noticed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "IDLE_LIMIT", 0.0)
    monkeypatch.setattr(ssh, "CHECK_TIMEOUT", 0.5)
    monkeypatch.setattr(ssh, "ATTEMPT_TIMEOUT", 1.0)
    lab.shell.run("true", 10)
    lab.streams.silent = True
    started = time.monotonic()
    with pytest.raises(GuestUnreachable, match=r"nothing that speaks SSH answers|no session within"):
        lab.shell.run("true", 3)
    assert time.monotonic() - started < 6
    lab.streams.silent = False
    assert lab.shell.run("echo alive", 10).stdout == "alive\n"


def test_dead_peer_during_a_command_costs_its_timeout_only(lab: Lab) -> None:
    lab.shell.prepare(10)
    threading.Timer(0.2, setattr, (lab.streams, "silent", True)).start()
    started = time.monotonic()
    with pytest.raises(CommandTimeout):
        lab.shell.run("sleep 0.5; echo lost", 2)
    assert time.monotonic() - started < 3


def test_repeatable_command_gets_a_new_session_when_the_stream_hangs(lab: Lab) -> None:
    lab.shell.prepare(10)
    threading.Timer(0.2, setattr, (lab.streams, "silent", True)).start()
    threading.Timer(1.5, setattr, (lab.streams, "silent", False)).start()
    assert lab.shell.run("sleep 0.5; echo done", 8, repeatable=True).stdout == "done\n"
    assert lab.ssh.connections == 2


@pytest.mark.circumstance(
    "another machine answers at the address of the guest",
    topic="guest",
    sees="not the one that this run gave",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_foreign_host_key_is_refused(lab: Lab) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode().strip()
    shell = lab.shell_with(other)
    with pytest.raises(HostKeyMismatch, match="not the one that this run gave"):
        shell.run("echo secret", 1)
    assert lab.ssh.commands == []


def test_foreign_user_key_is_refused_with_the_reason(lab: Lab) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key("openssh").decode()
    with pytest.raises(GuestUnreachable, match="login refused"):
        lab.shell_with(lab.ssh.host_public_key, other).run("true", 1)


def test_waits_for_a_guest_that_still_boots(lab: Lab) -> None:
    lab.streams.target = None
    threading.Timer(0.7, setattr, (lab.streams, "target", lab.ssh.port)).start()
    assert lab.shell.run("echo up", 10).stdout == "up\n"


def test_refused_dial_is_quoted(lab: Lab) -> None:
    lab.streams.target = None
    with pytest.raises(GuestUnreachable, match="500 Internal error occurred: dialing VM"):
        lab.shell.run("true", 1)


@pytest.mark.circumstance(
    "a NetworkPolicy denies all traffic to the guests' namespace by default",
    topic="rules",
    sees="dialing VM: dial tcp 10.88.0.2:22: connect: connection timed out; ... a NetworkPolicy may keep it out",
    verdict="LAB ERROR",
    source="https://github.com/kubevirt/kubevirt/issues/18399",
)
def test_dial_that_times_out_names_network_policies(lab: Lab, sees: Callable[[object], None]) -> None:
    lab.streams.refusal = "Internal error occurred: dialing VM: dial tcp 10.88.0.2:22: connect: connection timed out"
    with pytest.raises(GuestUnreachable) as caught:
        lab.shell.run("true", 1)
    sees(caught.value)


def test_refusal_tells_status_and_the_message_of_the_api(lab: Lab) -> None:
    from livenad.guest.streams import open_console

    with pytest.raises(
        StreamRefused, match='console of VMI demo/web: the API answered 404 VMI "web" not found'
    ) as info:
        open_console(lab.streams.options, "demo", "web", 5)
    assert info.value.status == 404
