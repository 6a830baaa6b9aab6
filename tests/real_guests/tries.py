# SPDX-License-Identifier: Apache-2.0
"""What a try is, and what may come of it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from livenad.errors import LabError
from livenad.guest.shells import Shell
from livenad.model import CommandResult, GuestLogin

from tests.real_guests.real_guest import RealGuest

Way = Literal["console", "SSH"]
Outcome = Literal["right", "wrong", "undecided"]
MARGIN = 2.0
"""Seconds after its deadline at which a call must have returned."""
FILE = "/tmp/ran"  # noqa: S108 - in the guest
# Whatever has the serial line for its terminal, the login program included; that is started again.
_END_SESSION = r"""
tty=$(( 0x$(stat -c %t /dev/ttyS0) << 8 | 0x$(stat -c %T /dev/ttyS0) ))
for one in /proc/[0-9]*; do
read -r line 2>/dev/null <"$one/stat" || continue
set -- ${line##*) }
[ "$5" != "$tty" ] || kill -9 "${one#/proc/}"
done
stty -F /dev/ttyS0 sane
:
"""
COMMAND = f"echo x >>{FILE}; {{}}echo out; echo err >&2; exit 3"


@dataclass(frozen=True)
class Try:
    """What is done to a guest, and what is asked of it meanwhile.

    ``left`` is typed on the console of one who is logged in, ``before`` and ``after`` are scripts of root's in the
    guest, run around it. ``during`` names what befalls it while ``command`` runs, ``seconds`` after its start. Without
    ``command`` it is one that tells whether it ran once, and its output is known. ``told``: the error that must be
    told; else the true result must come. ``may_be_lost``: a command may also be lost, and said so.
    """

    topic: str
    name: str
    ways: tuple[Way, ...] = ("console",)
    left: str = ""
    before: str = ""
    after: str = ""
    during: str = ""
    seconds: float = 1.0
    lasts: float = 0.0
    command: str = ""
    expected: str = ""
    status: int = 0
    timeout: float = 60.0
    told: str = ""
    may_be_lost: bool = False
    login: Callable[[GuestLogin], GuestLogin] = field(default=lambda login: login)
    side_by_side: int = 1


@dataclass(frozen=True)
class Result:
    topic: str
    name: str
    way: str
    outcome: Outcome
    seconds: float
    why: str = ""


class Runner:
    """Runs tries on one guest. Each begins with a fresh shell, and a console that asks for a login."""

    def __init__(self, guest: RealGuest) -> None:
        self._guest = guest

    def run(self, one: Try, way: Way) -> Result:
        guest, began = self._guest, time.monotonic()
        shell: Shell | None = None
        try:
            guest.await_agent()
            guest.inside(f"rm -f {FILE}; {one.before or ':'}")
            if one.left:
                self._leave(one.left)
            shell = self._shell(one, way)
            began = time.monotonic()
            outcome, why = self._judge(one, shell)
            seconds = time.monotonic() - began
        finally:
            if shell:
                shell.close()
            self._tidy(one)
        return Result(one.topic, one.name, way, outcome, round(seconds, 2), why)

    def _shell(self, one: Try, way: Way) -> Shell:
        login = one.login(self._guest.login)
        return self._guest.console(login) if way == "console" else self._guest.ssh(login)

    def _leave(self, keys: str) -> None:
        """Another user logs in, types something and goes away without logging out."""
        other = self._guest.console()
        other.prepare(90)
        self._guest.type(keys)

    def _tidy(self, one: Try) -> None:
        """The console is given back to a fresh login program, whatever sits there."""
        guest = self._guest
        guest.await_agent()
        guest.inside(_END_SESSION)
        if one.after:
            guest.inside(one.after)

    def _judge(self, one: Try, shell: Shell) -> tuple[Outcome, str]:
        command = one.command or COMMAND.format(f"sleep {one.lasts}; " if one.lasts else "")
        accident = threading.Timer(one.seconds, getattr(self, f"_{one.during}")) if one.during else None
        if accident and not one.lasts:
            accident.function()
            accident = None
        if accident:
            # The command must have begun.
            shell.prepare(one.timeout)
            accident.start()
        results = (
            [self._ask(one, shell, command) for _ in range(1)] if one.side_by_side == 1 else self._many(one, shell)
        )
        if accident:
            accident.join()
        worst = max(results, key=lambda result: ("right", "undecided", "wrong").index(result[0]))
        if worst[0] != "wrong" and not one.command and not one.told and one.side_by_side == 1:
            return self._ran_once(worst, lost=worst[1].startswith("lost"))
        return worst

    def _ask(self, one: Try, shell: Shell, command: str) -> tuple[Outcome, str]:
        began = time.monotonic()
        try:
            result = shell.run(command, one.timeout, check=False)
        except LabError as error:
            return self._judge_error(one, str(error), time.monotonic() - began)
        except Exception as error:
            return "wrong", f"{error!r} in place of one clear error"
        if one.told:
            return "wrong", f"it worked, expected was the error {one.told!r}"
        if time.monotonic() - began > one.timeout + MARGIN:
            return "wrong", f"it took {time.monotonic() - began:.1f} s, allowed were {one.timeout:.0f}"
        return self._judge_result(one, result)

    @staticmethod
    def _judge_error(one: Try, said: str, seconds: float) -> tuple[Outcome, str]:
        if seconds > one.timeout + MARGIN:
            return "wrong", f"an error {seconds - one.timeout:.1f} s late: {said}"
        if one.told:
            return ("right", "") if re.search(one.told, said) else ("wrong", f"told {said!r}, expected {one.told!r}")
        if one.may_be_lost and "not repeated" in said:
            return "right", f"lost: {said}"
        return "undecided", said

    @staticmethod
    def _judge_result(one: Try, result: CommandResult) -> tuple[Outcome, str]:
        expected = (3, "out\n", "err\n") if not one.command else (one.status, one.expected, "")
        seen = (result.exit_code, result.stdout, result.stderr)
        return ("right", "") if seen == expected else ("wrong", f"gave {seen!r:.300}, expected {expected!r:.300}")

    def _ran_once(self, so_far: tuple[Outcome, str], *, lost: bool) -> tuple[Outcome, str]:
        self._guest.await_agent()
        times = self._guest.inside(f"cat {FILE} 2>/dev/null | wc -l").strip()
        allowed = ("0", "1") if lost or so_far[0] == "undecided" else ("1",)
        return so_far if times in allowed else ("wrong", f"it ran {times} times")

    def _many(self, one: Try, shell: Shell) -> list[tuple[Outcome, str]]:
        """Commands side by side, each with an output of its own."""
        found: list[tuple[Outcome, str]] = []

        def ask(number: int) -> None:
            each = replace(one, command=f"sleep 1; echo {number}", expected=f"{number}\n")
            found.append(self._ask(each, shell, each.command))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(one.side_by_side)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    # -- what may befall it ---------------------------------------------------------------------------------------

    def _pause(self) -> None:
        self._guest.pause(4.0)

    def _long_pause(self) -> None:
        self._guest.pause(12.0)

    def _reset(self) -> None:
        self._guest.reset()

    def _migrate(self) -> None:
        self._guest.migrate()

    def _cut(self) -> None:
        self._guest.cut()

    def _kick(self) -> None:
        self._guest.kick()

    def _typing_kick(self) -> None:
        self._guest.type("zzz")

    def _kill_shell(self) -> None:
        self._guest.inside(_END_SESSION)
