# SPDX-License-Identifier: Apache-2.0
"""The console shell against recorded guests: their logins, their prompts, their noise, cut anywhere."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from livenad.errors import LabError
from livenad.guest.console import console_shell as console
from livenad.guest.console.console_frames import Capture, Frame, FrameScanner
from livenad.guest.console.console_line import ConsoleLine
from livenad.guest.console.console_login import reach_shell
from livenad.guest.console.console_shell import ConsoleShell
from livenad.guest.console.console_text import TerminalText
from livenad.guest.shells import Deadline
from livenad.model import GuestLogin

from tests.unit.support.serial_replay import ASH, BASH, COLOURED, DATA, OSC, Manner, SerialReplay, exchanges, printed

FEDORA = GuestLogin("fedora", "fedora", "", "")
ALPINE = GuestLogin("user", "alpine", "", "")
NAMES = sorted(path.stem for path in DATA.glob("*.jsonl"))
NOISE = [
    b"[  558.663429] burst 0\r\n",
    b"\r\nBroadcast message from root@vm\r\n",
    b"\x1b[6n",
    b"\x13",
    b"\x11",
    b"\x07",
    b"\xe2\x82",
    b"\x1b]0;title",
    b"login: ",
    b"Password: ",
    b"@@",
    b"@@x1:E:0:0:0:p:0:0:p:base64@@",
]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, console_files: None) -> None:
    """Nothing here is slow but the waiting."""
    monkeypatch.setattr(console, "_FIRST_QUERY", 0.1)
    monkeypatch.setattr(console, "_LOCATION_CHECK", 0.03)


def shell_on(line: SerialReplay, login: GuestLogin = FEDORA) -> ConsoleShell:
    return ConsoleShell("demo/web", login, lambda _: line)


@pytest.mark.parametrize("name", NAMES)
def test_text_does_not_depend_on_how_the_bytes_are_cut(name: str) -> None:
    data = printed(name)
    whole = TerminalText().feed(data)
    single = TerminalText()
    assert "".join(single.feed(data[i : i + 1]) for i in range(len(data))) == whole
    chance = random.Random(name)  # noqa: S311
    pieces, text, at = TerminalText(), "", 0
    while at < len(data):
        size = chance.randint(1, 40)
        text += pieces.feed(data[at : at + size])
        at += size
    assert text == whole


@pytest.mark.parametrize("name", NAMES)
def test_text_of_recorded_guests_is_free_of_terminal_control(name: str) -> None:
    text = TerminalText().feed(printed(name))
    assert not set("\x1b\r\x00\x07\x11\x13") & set(text)
    assert "[?2004" not in text
    assert "3008;" not in text.replace("3008.sh", "")


def test_text_keeps_what_was_printed() -> None:
    text = TerminalText().feed(printed("debian-11_escapes"))
    for line in ("red plain\n", "after title\n", "link\n", "alt screen\n", "1mbold" + "\n"):
        assert line.removeprefix("1m") in text
    assert "€" in TerminalText().feed(printed("debian-21_utf8"))


def test_unended_title_swallows_no_line() -> None:
    terminal = TerminalText()
    assert terminal.feed(b"a\x1b]0;never ended") == "a"
    assert "next" in terminal.feed(b"\r\nnext\r\n") + terminal.feed(b"x" * 5000)


LOGINS = [
    ("debian-04_login_banners", FEDORA, 3, BASH),
    ("alpine-04_login_banners", ALPINE, 3, ASH),
]


@pytest.mark.parametrize(("name", "login", "skip", "manner"), LOGINS)
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_logs_in_through_recorded_banners(name: str, login: GuestLogin, skip: int, manner: Manner, size: int) -> None:
    recorded = exchanges(name)
    waiting = recorded[2][1]
    # The line is silent until Enter; then the recorded login, with a failed one before it, shows all its banners.
    line = SerialReplay([(b"", waiting[-40:]), *recorded[skip : skip + 2]], manner, cut=lambda: size)
    assert shell_on(line, login).run("echo in; exit 4", 20, check=False).stdout == "in\n"
    assert line.typed.count(login.user.encode() + b"\r") == 1 + (login.user == login.password)


def test_shell_that_is_open_already_gets_no_secret() -> None:
    line = SerialReplay([])
    assert not reach_shell(ConsoleLine(line), GuestLogin("tester", "s3cret", "", ""), "guest", Deadline(10))
    assert b"s3cret" not in line.typed
    assert b"tester" not in line.typed
    line.close()


def test_kernel_message_after_both_prompts() -> None:
    kernel = b"[  878.642704] kmsg in password prompt\r\n"
    recorded = exchanges("debian-27_background_login_noise")
    at = next(i for i, (typed, _) in enumerate(recorded) if typed == b"fedora\r")
    steps = [(b"", b"\r\r\nvm-under-test login: " + kernel), *recorded[at : at + 2]]
    assert kernel.split(b"]")[1] in steps[1][1]
    line = SerialReplay(steps)
    assert shell_on(line).run("echo in", 20).stdout == "in\n"


@pytest.mark.parametrize("manner", [BASH, ASH, OSC, COLOURED], ids=["bash", "ash", "osc3008", "coloured"])
@pytest.mark.parametrize("size", [1, 5, 4096])
def test_every_manner_of_prompt_and_echo(manner: Manner, size: int) -> None:
    line = SerialReplay([], manner, cut=lambda: size)
    shell = shell_on(line)
    result = shell.run("seq 1 50; echo oops >&2; printf 'no newline'; exit 9", 20, check=False)
    assert result.stdout == "".join(f"{n}\n" for n in range(1, 51)) + "no newline"
    assert (result.stderr, result.exit_code) == ("oops\n", 9)


def test_no_typed_line_is_longer_than_ash_takes_nor_terminal_queries_answered() -> None:
    line = SerialReplay([], ASH)
    shell_on(line).run("echo '" + "é\t!'\"" * 2000 + "\"'\"'", 20, check=False)
    assert max(map(len, bytes(line.typed).split(b"\r"))) < 1000
    assert b"\x1b" not in line.typed


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    manner=st.sampled_from([BASH, ASH, OSC, COLOURED]),
    disturbance=st.tuples(st.integers(0, 2**32), st.sampled_from([0.0, 0.05, 0.3])),
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=8),
    outputs=st.lists(st.binary(max_size=600), min_size=1, max_size=3),
    status=st.integers(0, 255),
)
@example(BASH, (1, 0.3), [1], [b"@@x:E:0:0:0:p:0:0:p:base64@@\n"], 7)
def test_true_output_or_a_clear_error_whatever_the_line_does(
    manner: Manner, disturbance: tuple[int, float], sizes: list[int], outputs: list[bytes], status: int
) -> None:
    seed, rate = disturbance
    chance = random.Random(seed)  # noqa: S311
    turn = iter(range(10**9))

    def disturb(data: bytes) -> bytes:
        """Noise at random places of a share of all prints: it tears frames, prompts, escapes and characters."""
        if chance.random() < rate and data:
            at = chance.randrange(len(data) + 1)
            return data[:at] + chance.choice(NOISE) + data[at:]
        return data

    line = SerialReplay([], manner, disturb, lambda: sizes[next(turn) % len(sizes)])
    shell = shell_on(line)
    started = time.monotonic()
    try:
        for number, output in enumerate(outputs):
            octal = "".join(f"\\{byte:03o}" for byte in output)
            result = shell.run(f"printf '%b' '{octal}' >&{1 + number % 2}; exit {status}", 8, check=False)
            seen = (result.stdout, result.stderr)[number % 2]
            assert seen == output.decode("utf-8", errors="replace")
            assert (result.stdout, result.stderr)[1 - number % 2] == ""
            assert result.exit_code == status
    except LabError as error:
        assert rate, f"an undisturbed line gave: {error}"
        assert str(error).startswith("LAB ERROR: ")
    finally:
        line.close()
    assert time.monotonic() - started < 8 * len(outputs) + 2


@given(st.lists(st.sampled_from(["@@a1:B:run@@", "noise", "@@", "\n", "@@a1:", "o:1:QUJD@@", "@@b2:E:x@@"])), st.data())
def test_frames_are_found_however_the_text_is_cut(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    whole = FrameScanner().feed(text)
    scanner, found, rest = FrameScanner(), [], text
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found += scanner.feed(rest[:size])
        rest = rest[size:]
    assert found == whole


def test_line_that_is_noise_in_disguise_is_asked_for_again() -> None:
    # cksum of "ABC" is 3119880341.
    header = Frame("a1", "E", "0:3119880341:3:p:4294967295:0:p:base64")
    capture = Capture("a1")
    for frame in (Frame("a1", "B", "run"), Frame("a1", "o", "1:WFla"), header):
        capture.add(frame)
    assert capture.result() is None
    assert not capture.ended, "its lines are dropped, so that they are requested again"
    for frame in (Frame("a1", "o", "1:QUJD"), Frame("zz", "o", "1:WFla"), header):
        capture.add(frame)
    assert capture.result() == (0, b"ABC", b"")
