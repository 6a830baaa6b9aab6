# SPDX-License-Identifier: Apache-2.0
"""From whatever state a serial console was left in to a shell at its prompt.

Nothing comes by itself on a console, and its last user may have left anything open: a half-typed line, a pager, an
editor. A secret is typed only into a password prompt that follows our own user name.
"""

from __future__ import annotations

import enum
import itertools
import re
import secrets

from livenad.guest.console.console_line import CTRL_C, CTRL_D, CTRL_U, ConsoleLine
from livenad.guest.shells import Deadline, GuestUnreachable
from livenad.guest.streams import StreamClosed
from livenad.model import GuestLogin

# Kernel messages may follow a prompt; "Last login: " is none. The login prompt is not repeated after noise.
_NOISE = r"\s*(?:\[ *\d+\.\d+\][^\n]*\s*)*\Z"
_LOGIN_PROMPT = re.compile(r"(?<!Last )(?<!failed )\blogin: *" + _NOISE)
# The end of the line with our user name comes before it; one after it says that something was typed there already.
_PASSWORD_PROMPT = re.compile(r"\n[^\n]*\b[Pp]assword: *(?:\s*\[ *\d+\.\d+\][^\n]*\s*)*\Z")
_PASSWORD_WAITS = re.compile(r"\b[Pp]assword: *" + _NOISE)
_REFUSED = re.compile(r"Login incorrect|invalid password|Login timed out|Authentication failure|Permission denied")
LOGIN_ASKS = re.compile(f"{_LOGIN_PROMPT.pattern}|{_REFUSED.pattern}")
"""The answer of a login program to an empty line."""
_NEW_PASSWORD = re.compile(r"(?i)\b(?:current|old|new|retype)\b[^\n]{0,20}\bpassword: *" + _NOISE)
_FURTHER_FACTOR = re.compile(
    r"(?i)(?:verification code|one-time|\botp\b|passcode|token|second factor)[^\n]{0,40}: *" + _NOISE
)
_NO_COMMAND = re.compile(r"not found\b")
_ANYTHING = re.compile(r"\S")

# Ways out of programs that swallow a command line, mildest first; what each leaves typed is taken back by Ctrl-U.
_WAYS_OUT = (
    "",
    CTRL_C,
    "q",
    "\x11" + CTRL_C + CTRL_C,  # output stopped by Ctrl-S; a history search
    "q" + "q" + CTRL_C,  # a pager within its help
    "\x1b:q!\r",  # vi
    CTRL_C + CTRL_U + CTRL_D,  # an interpreter; a shell is left, too, and its login prompt will do
    "\x1c",  # Ctrl-\
)


class ConsoleState(enum.Enum):
    """What answers on the console."""

    SHELL = "a shell"
    LOGIN = "a login prompt"
    PASSWORD = "a password prompt"  # noqa: S105


class LoginRefused(GuestUnreachable):
    """The guest does not take the run's user and password on its console."""


class Answer(enum.Enum):
    """What became of an attempt at a login prompt."""

    LET_IN = "let in"
    REFUSED = "refused with the password"
    UNASKED = "refused without being asked for a password"
    NO_LOGIN = "nothing there took a name for one"


def reach_shell(line: ConsoleLine, login: GuestLogin, name: str, deadline: Deadline) -> bool:
    """Brings the console to a shell prompt; True when that took a login. GuestUnreachable, with what was seen last."""
    answers: list[Answer] = []
    asked = 0
    while True:
        state = _find_state(line, name, deadline)
        if state is ConsoleState.SHELL:
            return False
        if state is ConsoleState.PASSWORD:
            asked += 1
            if asked > 1 and probe_shell(line, deadline.slice(5), 2.0):
                # A shell whose prompt reads like a password prompt.
                return False
            # Whose password is asked for here is unknown: an empty one brings the login prompt back.
            line.mark()
            line.type("\r")
            if line.wait_for(lambda: _LOGIN_PROMPT.search(line.tail) or _REFUSED.search(line.tail), deadline.slice(5)):
                _await_next_prompt(line, deadline)
        else:
            answers.append(_log_in(line, login, name, deadline))
            if answers[-1] is Answer.LET_IN:
                return True
            _refuse_in_words(answers, login, name, line)


def _refuse_in_words(answers: list[Answer], login: GuestLogin, name: str, line: ConsoleLine) -> None:
    """LoginRefused once the same answer came twice."""
    if answers.count(Answer.REFUSED) == 2:
        raise LoginRefused(
            f'{name}: the login prompt refused user "{login.user}" with the password of this run twice; '
            "did cloud-init create the user?"
        )
    if answers.count(Answer.UNASKED) == 2:
        raise LoginRefused(
            f'{name}: the login prompt refused user "{login.user}" twice and asked for no password; '
            f"{_last_words(line.tail)}; may the user log in on a console (nologin, pam_access, securetty)?"
        )


def probe_shell(line: ConsoleLine, timeout: float, quiet: float = 60.0) -> bool:
    """Whether a shell executes what is typed now; harmless where none does.

    Gives up after ``quiet`` seconds in which nothing at all came.
    """
    nonce = f"p{secrets.token_hex(3)}"
    line.type(f"{CTRL_U} printf '\\n@@%s:%s@@\\n' {nonce} S:\r")
    answered = line.frame(nonce, "S")
    limit = Deadline(timeout)
    while answered() is None:
        if limit.passed or not line.read(limit.slice(quiet)):
            return False
    return True


def _find_state(line: ConsoleLine, name: str, deadline: Deadline) -> ConsoleState:
    """Looks before it types anything that means something; takes ever stronger ways out of what does not answer.

    A slow guest may need seconds for an echo: every round through the ways out is more patient than the one before.
    """
    for attempt, way_out in enumerate(itertools.cycle(_WAYS_OUT)):
        if deadline.passed:
            raise GuestUnreachable(
                f"{name}: neither a shell nor a login prompt within {deadline.seconds:.1f} s; "
                f"{_last_words(line.tail)}; {line.silence()}"
            )
        _check_place(line)
        patience = 0.5 * 4 ** (attempt // len(_WAYS_OUT))
        line.mark()
        if way_out:
            line.type(way_out)
            line.settle(0.1, deadline.slice(0.5))
        line.type(CTRL_U + "\r")
        line.wait_for(line.search(_ANYTHING), deadline.slice(2 * patience))
        line.settle(0.06, deadline.slice(0.5))
        state = _lasting_prompt(line, deadline)
        if state:
            return state
        if probe_shell(line, deadline.slice(4 * patience), patience):
            return ConsoleState.SHELL
        state = _lasting_prompt(line, deadline)
        if state:
            return state
    raise AssertionError("unreachable")


def _check_place(line: ConsoleLine, times: float = 1.0) -> None:
    """StreamClosed when the guest runs elsewhere by now, or the line is deaf: nothing will ever come of it."""
    if line.left():
        raise StreamClosed("the guest moved")
    if line.is_deaf(times):
        raise StreamClosed("the console takes what is typed and shows nothing")


def _lasting_prompt(line: ConsoleLine, deadline: Deadline) -> ConsoleState | None:
    """The prompt that is still there after a while: a login prompt may take for a name what was typed before it came.

    The password prompt that follows then is for that name, not for ours.
    """
    state = _prompt(line.tail)
    if state is ConsoleState.LOGIN:
        line.settle(0.3, deadline.slice(2))
        state = _prompt(line.tail)
    return state


def _prompt(tail: str) -> ConsoleState | None:
    if _LOGIN_PROMPT.search(tail):
        return ConsoleState.LOGIN
    if _PASSWORD_WAITS.search(tail):
        return ConsoleState.PASSWORD
    return None


def _log_in(line: ConsoleLine, login: GuestLogin, name: str, deadline: Deadline) -> Answer:
    """One attempt at a login prompt. LoginRefused when it asks for what no test can answer.

    What is typed ahead of a prompt is lost, or shown in clear: each step waits for the one before.
    """
    line.mark()
    line.type(login.user + "\r")
    asked = line.wait_for(
        lambda: _PASSWORD_PROMPT.search(line.tail) or _LOGIN_PROMPT.search(line.tail), deadline.slice(15)
    )
    if asked is None or asked.re is _LOGIN_PROMPT or _NO_COMMAND.search(line.tail):
        # No password asked for: a user without one, or a shell whose prompt reads like a prompt of a login.
        refused = _REFUSED.search(line.tail) is not None
        if probe_shell(line, deadline.slice(5)):
            return Answer.LET_IN
        return Answer.UNASKED if refused or _REFUSED.search(line.tail) else Answer.NO_LOGIN
    line.mark()
    line.type(login.password + "\r")
    # The login program flushes what is typed before it is done: wait until it, or the shell, says something.
    line.wait_for(line.search(_ANYTHING), deadline.slice(6))
    line.settle(0.25, deadline.slice(3))
    while not deadline.passed:
        # A login shell that starts shows nothing of what is typed.
        _check_place(line, 4)
        if _REFUSED.search(line.tail) or _LOGIN_PROMPT.search(line.tail):
            _await_next_prompt(line, deadline)
            return Answer.REFUSED
        _require_no_more(line, login, name)
        if probe_shell(line, deadline.slice(3)):
            return Answer.LET_IN
    return Answer.NO_LOGIN


def _require_no_more(line: ConsoleLine, login: GuestLogin, name: str) -> None:
    """LoginRefused when the password was taken and something else is asked for."""
    if _NEW_PASSWORD.search(line.tail):
        remedy = "it has expired; give the user one that does not (cloud-init: chpasswd, expire: false)"
        raise LoginRefused(
            f'{name}: the login took the password of user "{login.user}" and asks for a new one: {remedy}; '
            f"{_last_words(line.tail)}"
        )
    if _FURTHER_FACTOR.search(line.tail):
        raise LoginRefused(
            f'{name}: the login took the password of user "{login.user}" and asks for a further factor; '
            f"tests need a user who logs in with a password alone; {_last_words(line.tail)}"
        )


def _await_next_prompt(line: ConsoleLine, deadline: Deadline) -> None:
    """After a refusal: what is typed before the next prompt is there would be taken for a name."""
    line.wait_for(line.search(_LOGIN_PROMPT), deadline.slice(15))
    line.settle(0.1, deadline.slice(1))


def _last_words(tail: str) -> str:
    words = " ".join(tail.split())[-160:]
    return f"it last showed: {words}" if words else "it showed nothing"
