# SPDX-License-Identifier: Apache-2.0
"""Some hundreds of fuzzed dialogues, and broken consoles that must be found out."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from livenad.guest.console import console_login
from livenad.guest.console.console_frames import Capture
from livenad.guest.console.console_line import ConsoleLine
from livenad.guest.console.console_shell import ConsoleShell

from tests.console.__main__ import fuzz


def test_true_output_and_status_or_one_clear_error_in_time() -> None:
    assert fuzz(150, 1, shrink=True) == ""


def anybodys(shell: ConsoleShell, line: ConsoleLine, capture: Capture) -> bool:
    found = [replace(frame, id=capture.id) for frame in line.frames]
    for frame in found:
        capture.add(frame)
    line.frames.clear()
    return bool(found)


def unchecked(capture: Capture, kind: str, *_: object) -> bytes:
    return "".join(line for _, line in sorted(capture.lines[kind].items())).encode()


def typed_again(shell: ConsoleShell, command: str, boot_id: str, capture: Capture, deadline: Any) -> None:
    shell._shell_line(deadline)
    capture.sent, capture.state = False, ""


_exclusive = ConsoleShell._exclusive


def given_up_late(shell: ConsoleShell, timeout: float) -> Any:
    return _exclusive(shell, timeout + 30)


def never(*_: object) -> bool:
    return False


MUTANTS: dict[str, tuple[object, str, Any]] = {
    "takes output without its checksum": (Capture, "_assemble", unchecked),
    "takes anybody's frames for its own": (ConsoleShell, "_take", anybodys),
    "types a command again after it was lost": (ConsoleShell, "_check_survival", typed_again),
    "goes on beyond its deadline": (ConsoleShell, "_exclusive", given_up_late),
    "does not notice that the line is deaf": (ConsoleLine, "is_deaf", never),
    "never asks again": (ConsoleShell, "_ask", lambda *_: None),
    "knows no way out of a pager": (console_login, "_WAYS_OUT", ("", "\x03")),
    "takes any mention of a login for its prompt": (console_login, "_LOGIN_PROMPT", re.compile(r"\blogin:")),
}


# Hundreds of dialogues go by before one of them meets these.
RARELY_MET = {
    "never asks again",
    "types a command again after it was lost",
    "takes any mention of a login for its prompt",
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.nightly] if name in RARELY_MET else []) for name in MUTANTS]
)
def test_broken_console_is_found_out(name: str) -> None:
    where, what, instead = MUTANTS[name]
    with patch.object(where, what, instead):
        for part in range(20):
            if fuzz(50, part, shrink=False):
                return
    pytest.fail(f"a console that {name} came through a thousand dialogues")
