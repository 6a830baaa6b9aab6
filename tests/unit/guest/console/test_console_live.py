# SPDX-License-Identifier: Apache-2.0
"""The console shell against a real tty with a real shell: logins, leftovers of others, noise, cuts."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from livenad.guest.console import console_shell as console
from livenad.guest.console.console_login import LoginRefused
from livenad.guest.console.console_shell import ConsoleShell
from livenad.guest.shells import CommandFailed, CommandLost, CommandTimeout, GuestUnreachable
from livenad.model import GuestLogin

from tests.unit.support.pty_console import BASH, DASH, PASSWORD, USER, PtyGuest

LOGIN = GuestLogin(USER, PASSWORD, "", "")
KERNEL = b"[  558.663429] burst 0\r\n"


@pytest.fixture(params=[BASH, DASH], ids=["bash", "dash"])
def guest(request: pytest.FixtureRequest) -> Iterator[PtyGuest]:
    one = PtyGuest(shell=request.param)
    yield one
    one.kill()


@pytest.fixture
def bash() -> Iterator[PtyGuest]:
    one = PtyGuest()
    yield one
    one.kill()


def shell_on(guest: PtyGuest, login: GuestLogin = LOGIN) -> ConsoleShell:
    return ConsoleShell("demo/web", login, guest.attach)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, console_files: None) -> None:
    """Shorter patience: nothing here is slow but the waiting."""
    monkeypatch.setattr(console, "_FIRST_QUERY", 0.6)
    monkeypatch.setattr(console, "_LOCATION_CHECK", 0.1)


def test_logs_in_and_runs_commands(guest: PtyGuest) -> None:
    shell = shell_on(guest)
    result = shell.run("echo out; echo err >&2; printf 'no newline'; exit 3", 20, check=False)
    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\nno newline", "err\n")
    assert shell.run("cat", 10).stdout == "", "its input must be empty"
    shell.close()


def test_output_and_command_of_any_size_and_content(guest: PtyGuest) -> None:
    shell = shell_on(guest)
    assert shell.run("seq 1 40000", 30).stdout == "".join(f"{n}\n" for n in range(1, 40001))
    text = "tab\tquote'\"back\\slash $HOME `id` !! % é € 漢 " * 40
    quoted = "'" + text.replace("'", "'\\''") + "'"
    assert shell.run(f"printf '%s\\n' {quoted}\n", 20).stdout == text + "\n"
    assert shell.run("printf '\\000\\377\\033[31mred\\r\\n'", 10).stdout == "\x00\ufffd\x1b[31mred\r\n"


def test_output_that_looks_like_prompts_and_frames(guest: PtyGuest) -> None:
    shell = shell_on(guest)
    said = "vm login: \nPassword: \ntester@vm:~$ \n@@x:E:0:0:0:p:0:0:p:base64@@"
    assert shell.run(f"printf '%s' '{said}'", 10).stdout == said


def test_exit_statuses(guest: PtyGuest) -> None:
    shell = shell_on(guest)
    for command, status in (
        ("true", 0),
        ("nosuchcommand", 127),
        ("kill -9 $$", 137),
        ("echo $(", 2),
        ("exit 77", 77),
        ("echo 'open", 2),
    ):
        assert shell.run(command, 10, check=False).exit_code == status, command
    with pytest.raises(CommandFailed, match=r"on its console: .* ended with status 1, expected 0: because"):
        shell.run("echo because >&2; false", 10)


def test_secret_is_never_shown_nor_typed_into_a_shell(guest: PtyGuest) -> None:
    guest.leave(f"{USER}\r", 0.2)
    guest.leave(f"{PASSWORD}\r")
    assert shell_on(guest).run("echo in", 20).stdout == "in\n"
    assert PASSWORD.encode() not in guest.typed


@pytest.mark.parametrize(
    "left",
    [
        "echo half-ty",
        "echo 'open quote\r",
        "cat <<XX\rhalf\r",
        "cat\r",
        "sleep 1000\r",
        "python3 -q\r",
        "PS1='login: '\r",
        "PS1=\r",
        "bind 'set enable-bracketed-paste on'; PS1='\\[\\e]0;title\\a\\e[1;32m\\]two\\nlines\\$ '\r",
        "stty -echo\r",
        "\x13",
        "(while sleep 0.1; do echo background noise; done) &\r",
        "stty cols 20\r",
    ],
)
def test_finds_its_way_out_of_what_others_left(bash: PtyGuest, left: str) -> None:
    shell = shell_on(bash)
    shell.prepare(20)
    bash.leave(left)
    assert shell_on(bash).run("echo through", 30).stdout == "through\n"


def test_guest_leaves_no_process_behind() -> None:
    guest = PtyGuest()
    shell_on(guest).prepare(20)
    guest.leave("(while sleep 0.1; do :; done) &\r")
    assert len(guest.processes()) > 1, "the job in the background does not run"
    guest.kill()
    assert guest.processes() == []


def test_password_prompt_left_by_someone_is_not_answered_with_our_password(bash: PtyGuest) -> None:
    bash.leave("other-user\r", 0.2)
    assert shell_on(bash).run("echo in", 20).stdout == "in\n"
    assert bash.typed.index(USER.encode()) < bash.typed.index(PASSWORD.encode())


def test_wrong_password_is_told_after_two_refusals(bash: PtyGuest) -> None:
    with pytest.raises(LoginRefused, match='refused user "tester" with the password of this run twice'):
        shell_on(bash, replace(LOGIN, password="wrong")).run("true", 20)
    assert bash.typed.count(b"wrong\r") == 2


def test_bytes_cut_anywhere_and_kernel_messages_within(guest: PtyGuest) -> None:
    shell = shell_on(guest)
    shell.prepare(20)
    guest.chunk = 1
    counter = itertools.count(1)
    guest.noise = lambda data: data + KERNEL if next(counter) % 401 == 0 else data
    for number in range(5):
        result = shell.run(f"seq 1 {number * 40}; echo e >&2; exit {number}", 20, check=False)
        assert result.stdout == "".join(f"{n}\n" for n in range(1, number * 40 + 1))
        assert (result.stderr, result.exit_code) == ("e\n", number)


def test_timeout_is_kept_and_the_next_command_gets_its_own_output(guest: PtyGuest) -> None:
    shell = shell_on(guest)
    shell.prepare(20)
    started = time.monotonic()
    with pytest.raises(CommandTimeout, match=r'"echo mine; sleep 30" did not end within 1.0 s'):
        shell.run("echo mine; sleep 30", 1)
    assert time.monotonic() - started < 1.8
    assert shell.run("echo next", 10).stdout == "next\n"


def test_attachment_lost_during_a_command_runs_it_once_and_gets_its_output(guest: PtyGuest, tmp_path: Path) -> None:
    shell = shell_on(guest)
    shell.prepare(20)
    current = guest.current
    assert current is not None
    threading.Timer(0.3, current.end).start()
    result = shell.run(f"echo x >>{tmp_path}/runs; sleep 1; wc -l <{tmp_path}/runs; seq 1 500", 20)
    assert result.stdout.split()[0] == "1"
    assert result.stdout.split()[1:] == [str(n) for n in range(1, 501)]
    assert guest.attachments == 2


def test_logout_between_commands_is_noticed(guest: PtyGuest) -> None:
    shell = shell_on(guest)
    shell.run("true", 20)
    assert guest.current is not None
    guest.current.send(b"exit\r")
    time.sleep(0.2)
    assert shell.run("echo again", 20).stdout == "again\n"


def test_logout_during_a_command_is_told_and_not_repeated(bash: PtyGuest, tmp_path: Path) -> None:
    shell = shell_on(bash)
    shell.prepare(20)
    with pytest.raises(CommandLost, match="is not repeated"):
        shell.run(f"echo x >>{tmp_path}/runs; kill -9 $PPID; sleep 1", 20)
    assert shell.run(f"wc -l <{tmp_path}/runs", 20).stdout.strip() == "1"


def test_silent_line_is_given_up_in_time() -> None:
    guest = PtyGuest(shell=BASH)
    try:
        guest.noise = lambda _: b"\0"
        started = time.monotonic()
        with pytest.raises(
            GuestUnreachable, match=r"neither a shell nor a login prompt within 2\.0 s; it showed nothing"
        ):
            shell_on(guest).run("true", 2)
        assert time.monotonic() - started < 3.5
    finally:
        guest.kill()


def test_close_leaves_a_login_prompt_and_no_files(bash: PtyGuest) -> None:
    shell = shell_on(bash)
    directory = shell.run(f"echo /tmp/.console-{shell._session}-*", 20).stdout.strip()
    assert Path(directory).is_dir()
    shell.close()
    stream = bash.attach()
    stream.drain(0.3)
    stream.send(b"\r")
    assert b"vm-under-test login: " in stream.drain(0.3)
    assert not Path(directory).exists()


def test_moved_guest_is_attached_anew(bash: PtyGuest) -> None:
    node = ["node-1"]
    shell = ConsoleShell("demo/web", LOGIN, bash.attach, lambda: node[0])
    shell.run("true", 20)
    node[0] = "node-2"
    shell.run("true", 20)
    assert bash.attachments == 2
