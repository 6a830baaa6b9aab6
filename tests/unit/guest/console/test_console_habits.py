# SPDX-License-Identifier: Apache-2.0
"""What real guests' consoles do: shells with habits, tools that are missing, questions that cannot be answered."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from livenad.guest.console import console_shell as console
from livenad.guest.console.console_frames import FUNCTIONS, complaint_of
from livenad.guest.console.console_login import LoginRefused
from livenad.guest.console.console_shell import ConsoleShell
from livenad.guest.shells import CommandTimeout, GuestUnreachable
from livenad.guest.streams import StreamClosed
from livenad.model import GuestLogin

from tests.unit.support.pty_console import PASSWORD, USER, PtyGuest, PtyStream

LOGIN = GuestLogin(USER, PASSWORD, "", "")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, console_files: None) -> None:
    """Shorter patience: nothing here is slow but the waiting."""
    monkeypatch.setattr(console, "_FIRST_QUERY", 0.6)
    monkeypatch.setattr(console, "_LOCATION_CHECK", 0.1)
    monkeypatch.setattr(console, "_HARMLESS_QUESTION", 1.0)


@pytest.fixture
def guest_with(tmp_path: Path) -> Iterator[Callable[[str], PtyGuest]]:
    made: list[PtyGuest] = []

    def make(habits: str, shell: str = "") -> PtyGuest:
        (tmp_path / "rc").write_text(f"{habits}\n", encoding="utf-8")
        made.append(PtyGuest(shell=shell or f"bash --noprofile --rcfile {tmp_path / 'rc'} -i"))
        return made[-1]

    yield make
    for guest in made:
        guest.kill()


HABITS = {
    "set -e": "set -e",
    "set -u": "set -u",
    "set -C": "set -C",
    "aliases": "alias rm='rm -i' cp='cp -i' mv='mv -i'",
    "umask 777": "umask 777",
    "no awk": 'awk() { return 127; }; command() { [ "$*" != \'-v awk\' ] && builtin command "$@"; }',
}


@pytest.mark.parametrize("habits", HABITS.values(), ids=HABITS)
def test_login_shell_with_habits(guest_with: Callable[[str], PtyGuest], habits: str) -> None:
    shell = ConsoleShell("demo/web", LOGIN, guest_with(habits).attach)
    for number in range(3):
        result = shell.run(f"echo out; echo err >&2; exit {number}", 20, check=False)
        assert (result.exit_code, result.stdout, result.stderr) == (number, "out\n", "err\n")
    assert shell.run("seq 1 4000", 20).stdout == "".join(f"{n}\n" for n in range(1, 4001))
    shell.close()


@pytest.mark.parametrize("shell", ["zsh -f -i", "busybox ash -i"])
def test_other_shells(guest_with: Callable[..., PtyGuest], shell: str) -> None:
    if shutil.which(shell.split(maxsplit=1)[0]) is None:
        pytest.skip(f"{shell.split(maxsplit=1)[0]} is not there")
    one = ConsoleShell("demo/web", LOGIN, guest_with("", shell).attach)
    for number in range(3):
        result = one.run(f"echo out; echo err >&2; exit {number}", 20, check=False)
        assert (result.exit_code, result.stdout, result.stderr) == (number, "out\n", "err\n")
    one.close()


def test_nothing_is_removed_by_a_pattern() -> None:
    """zsh asks a person first."""
    assert not re.search(r"rm [^\n]*\*", FUNCTIONS)


def test_user_keeps_the_umask(guest_with: Callable[[str], PtyGuest]) -> None:
    shell = ConsoleShell("demo/web", LOGIN, guest_with("umask 027").attach)
    assert shell.run("umask", 20).stdout == "0027\n"
    shell.close()


def test_working_directory_that_was_removed_adds_no_word(guest_with: Callable[[str], PtyGuest], tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    shell = ConsoleShell("demo/web", LOGIN, guest_with(f"cd {tmp_path}/gone; rmdir {tmp_path}/gone").attach)
    assert shell.run("echo out", 20).stderr == ""
    shell.close()


def test_missing_tool_is_named_at_once(guest_with: Callable[[str], PtyGuest], tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for tool in ("cat", "rm", "mkdir", "sh", "gzip", "base64", "rmdir", "stty", "sleep"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or "")
    shell = ConsoleShell("demo/web", LOGIN, guest_with(f"PATH={tmp_path}/bin").attach)
    began = time.monotonic()
    with pytest.raises(GuestUnreachable, match="the guest lacks cksum, without which no command's output can be had"):
        shell.run("true", 20)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("habits", "told"),
    [("ulimit -f 0", r"may write no file \(ulimit -f is 0\)"), ("set -r", "the login shell is a restricted one")],
)
def test_reason_why_no_command_can_be_run(guest_with: Callable[[str], PtyGuest], habits: str, told: str) -> None:
    with pytest.raises(GuestUnreachable, match=told):
        ConsoleShell("demo/web", LOGIN, guest_with(habits).attach).run("true", 20)


def test_boot_id_is_no_complaint() -> None:
    assert complaint_of("6b2a0f3e-0000-4000-8000-000000000000") == ""


@pytest.mark.circumstance(
    "a command prints what looks like a log-in prompt",
    topic="guest",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("text", ["vm login: ", "Password: ", "tester@vm's password: "])
def test_text_that_looks_like_a_login_interrupts_no_command(
    guest_with: Callable[[str], PtyGuest], tmp_path: Path, text: str
) -> None:
    guest = guest_with("")
    shell = ConsoleShell("demo/web", LOGIN, guest.attach)
    shell.run("true", 20)
    guest.typed.clear()
    command = f'printf "{text}" >/dev/tty; sleep 1.5; echo once >>{tmp_path}/ran; echo done'
    assert shell.run(command, 20).stdout == "done\n"
    assert (tmp_path / "ran").read_text(encoding="utf-8") == "once\n"
    assert b"\x03" not in guest.typed
    shell.close()


class DeafStream(PtyStream):
    """Takes everything and says nothing, and stays open."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def send(self, data: bytes) -> None:
        if self.closed:
            raise StreamClosed("ended")

    def receive(self, timeout: float) -> bytes:
        if self._ended.wait(timeout):
            return b""
        raise TimeoutError


@pytest.mark.circumstance(
    "a gateway leaves a console open and passes nothing on",
    topic="guest",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_console_that_is_deaf_is_attached_anew(
    guest_with: Callable[[str], PtyGuest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_DEAF_AFTER", 0.8)
    guest = guest_with("")
    attached: list[PtyStream] = []

    def attach(timeout: float) -> PtyStream:
        attached.append(DeafStream() if len(attached) < 2 else guest.attach(timeout))
        return attached[-1]

    shell = ConsoleShell("demo/web", LOGIN, attach)
    assert shell.run("echo out", 30).stdout == "out\n"
    assert len(attached) == 3
    shell.close()


def test_console_that_turns_deaf_during_a_command_is_attached_anew(
    guest_with: Callable[[str], PtyGuest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_DEAF_AFTER", 0.8)
    guest = guest_with("")
    shell = ConsoleShell("demo/web", LOGIN, guest.attach)
    shell.run("true", 20)
    attachments = guest.attachments
    stream = guest.current
    assert stream is not None

    def deafen() -> None:
        stream.receive = DeafStream().receive  # type: ignore[method-assign]

    threading.Timer(0.3, deafen).start()
    assert shell.run(f"sleep 1; echo once >>{tmp_path}/ran; echo out", 30).stdout == "out\n"
    assert (tmp_path / "ran").read_text(encoding="utf-8") == "once\n"
    assert guest.attachments - attachments in (1, 2)
    shell.close()


def test_console_that_stays_deaf_costs_the_limit_and_few_attachments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_DEAF_AFTER", 0.3)
    attached: list[DeafStream] = []

    def attach(_timeout: float) -> DeafStream:
        attached.append(DeafStream())
        return attached[-1]

    began = time.monotonic()
    with pytest.raises(GuestUnreachable, match="it showed nothing; nothing came for a while"):
        ConsoleShell("demo/web", LOGIN, attach).run("true", 6)
    assert time.monotonic() - began < 8
    assert 2 <= len(attached) <= 6


def test_closing_waits_for_no_command(guest_with: Callable[[str], PtyGuest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_CLOSING", 0.3)
    shell = ConsoleShell("demo/web", LOGIN, guest_with("").attach)
    shell.run("true", 20)

    def run() -> None:
        with pytest.raises((CommandTimeout, Exception)):
            shell.run("sleep 9", 4)

    running = threading.Thread(target=run)
    running.start()
    time.sleep(0.3)
    began = time.monotonic()
    shell.close()
    assert time.monotonic() - began < 3
    running.join()


class Talk(DeafStream):
    """A login program that answers what is typed as scripted."""

    def __init__(self, answers: dict[str, str]) -> None:
        super().__init__()
        self._answers = answers
        self._said = bytearray(b"\r\nvm login: ")
        self._typed = ""

    def send(self, data: bytes) -> None:
        for char in data.decode():
            if char == "\r":
                self._said += self._answers.get(self._typed.strip("\x15\x03"), "\r\nvm login: ").encode()
                self._typed = ""
            else:
                self._typed += char

    def receive(self, timeout: float) -> bytes:
        if self._said:
            data, self._said = bytes(self._said), bytearray()
            return data
        return super().receive(timeout)


@pytest.mark.circumstance(
    "the guest wants a new password or a second factor",
    topic="guest",
    sees="asks for a new one: it has expired",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    ("after_name", "after_password", "told"),
    [
        (
            "\r\nPassword: ",
            "\r\nYou are required to change your password immediately.\r\nCurrent password: ",
            f'took the password of user "{USER}" and asks for a new one: it has expired; .*Current password:',
        ),
        ("\r\nPassword: ", "\r\nNew password: ", "asks for a new one"),
        ("\r\nPassword: ", "\r\nVerification code: ", "asks for a further factor"),
        ("\r\nPassword: ", "\r\nLogin incorrect\r\n\r\nvm login: ", "with the password of this run twice"),
        (
            "\r\nThis account is currently not available.\r\nLogin incorrect\r\n\r\nvm login: ",
            "",
            "twice and asked for no password; it last showed: .*login.*; may the user log in on a console",
        ),
    ],
)
def test_refusal_says_what_was_seen_and_what_to_do(after_name: str, after_password: str, told: str) -> None:
    talk = Talk({USER: after_name, PASSWORD: after_password})
    with pytest.raises(LoginRefused, match=told) as caught:
        ConsoleShell("demo/web", LOGIN, lambda _: talk).run("true", 60)
    assert PASSWORD not in str(caught.value)
