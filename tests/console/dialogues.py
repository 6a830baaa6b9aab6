# SPDX-License-Identifier: Apache-2.0
"""A dialogue with a simulated guest: its state, what is asked of it, what befalls it, and what must come of it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from livenad.errors import LabError
from livenad.guest.console.console_shell import ConsoleShell
from livenad.model import GuestLogin

from tests.console.clock import VirtualClock, virtual_time
from tests.console.line import RATE, Interrupt, Line, Machine, Program
from tests.console.programs import LEFT_OPEN, PASSWORD, USER, Getty, getty
from tests.console.shell import MANNERS, Command, Disk, Shells

LOGIN = GuestLogin(USER, PASSWORD, "", "")
MARGIN = 1.0
"""Seconds after its deadline at which a call must have returned."""

STATES = ("login", "booting", "shell", "half-typed", "quote", "password", "stopped", *LEFT_OPEN)
ACCIDENTS = (
    "kernel",
    "prompt",
    "prompts",
    "freeze",
    "forget",
    "move",
    "silent-move",
    "late-move",
    "kick",
    "typing-kick",
    "reboot",
    "logout",
)
SOFT = ("kernel", "prompt", "prompts", "freeze", "forget", "move", "silent-move", "late-move")
HARD = ("reboot", "logout", "kick", "typing-kick")


@dataclass(frozen=True)
class Step:
    """A command and for how long at most it is waited for, in seconds."""

    command: Command
    timeout: float
    repeatable: bool = False


@dataclass(frozen=True)
class Dialogue:
    """``accidents`` are moments, in seconds from the start, and what befalls the guest then."""

    steps: Sequence[Step]
    manner: str = "bash"
    state: str = "login"
    speed: Getty = field(default_factory=Getty)
    noise: float = 0.0
    noises: tuple[bytes, ...] = (b"[  558.663429] burst 0\r\n",)
    cut: tuple[int, ...] = (4096,)
    seed: int = 0
    encoding: str = "base64"
    accidents: tuple[tuple[float, str], ...] = ()

    @property
    def must_succeed(self) -> bool:
        """Nothing could cost a command: no accident, no wish of the login, little noise; and there is time enough."""
        harm = {step.command.middle for step in self.steps} | {what for _, what in self.accidents}
        bytes_ = sum(len(step.command.out) + len(step.command.err) for step in self.steps)
        need = 400 + 20 * bytes_ / RATE + sum(step.command.seconds for step in self.steps)
        patient = all(step.timeout >= need for step in self.steps)
        return patient and not self.speed.asks and not harm & set(HARD) and self.noise <= 0.02


def flaws(dialogue: Dialogue) -> list[str]:
    """What is wrong about how the console comes through a dialogue; a line each, none is well."""
    clock = VirtualClock()
    with virtual_time(clock):
        guest = Guest(dialogue, clock)
        shell = ConsoleShell("demo/web", LOGIN, guest.machine.attach, lambda: guest.machine.known_node)
        found = [line for step in dialogue.steps for line in _flaws_of(step, guest, shell, dialogue)]
        shell.close()
    executed = guest.shells.executed
    for step in dialogue.steps:
        times = executed.count(step.command.text)
        if times > 1 and not step.repeatable:
            found.append(f"{step.command.text[:40]!r} ran {times} times")
    known = {step.command.text for step in dialogue.steps}
    found += [f"a command ran that no step gave: {text[:80]!r}" for text in executed if text not in known]
    if dialogue.noise and any(b"assword" in noise for noise in dialogue.noises):
        # Something on the line looks like a password prompt after our own user name: the two cannot be told apart.
        return found
    found += [f"the password was typed where none was asked for: {keys!r}" for keys in guest.machine.leaked]
    return found


def _flaws_of(step: Step, guest: Guest, shell: ConsoleShell, dialogue: Dialogue) -> list[str]:
    clock = guest.machine.clock
    began, command, found = clock.now, step.command, []
    try:
        result = shell.run(command.text, step.timeout, check=False, repeatable=step.repeatable)
    except LabError as error:
        if not str(error).startswith("LAB ERROR: guest demo/web on its console: "):
            found.append(f"an error that names no guest: {error}")
        if dialogue.must_succeed:
            found.append(f"nothing befell the guest, and there was time enough: {error}")
    except Exception as error:
        found.append(f"{error!r} in place of one clear error")
    else:
        true = (command.status, *(data.decode(errors="replace") for data in (command.out, command.err)))
        seen = (result.exit_code, result.stdout, result.stderr)
        if seen != true:
            found.append(f"{command.text[:40]!r} gave {seen!r:.200}, in truth {true!r:.200}")
        if command.text not in guest.shells.executed:
            found.append(f"{command.text[:40]!r} never ran, and gave {seen!r:.200}")
    if clock.now - began > step.timeout + MARGIN:
        found.append(f"{command.text[:40]!r} took {clock.now - began:.1f} s, allowed were {step.timeout:.1f}")
    return found


class Guest:
    """The simulated guest in the state in which others left it."""

    def __init__(self, dialogue: Dialogue, clock: VirtualClock) -> None:
        self._dialogue = dialogue
        self._boots = 0
        commands = {step.command.text: step.command for step in dialogue.steps}
        manner = MANNERS[dialogue.manner]
        self.shells = Shells(manner, commands, Disk(self._boot_id()), self.befall, encoding=dialogue.encoding)
        frozen = [
            (clock.now + moment, clock.now + moment + 20) for moment, what in dialogue.accidents if what == "freeze"
        ]
        line = Line(dialogue.seed, dialogue.noise, dialogue.noises, dialogue.cut, frozen)
        self.machine = Machine(clock, line, partial(self._getty, booted=False))
        self.machine.secret = PASSWORD.encode()
        self._begin(dialogue.state)
        for moment, what in dialogue.accidents:
            self.machine.at(clock.now + moment, partial(self._befall, what))

    def befall(self, what: str) -> None:
        """Something happens to the guest, as soon as what runs in it now waits."""
        self.machine.at(self.machine.clock.now, partial(self._befall, what))

    def _befall(self, what: str) -> None:
        machine = self.machine
        match what:
            case "kernel":
                machine.emit(b"\r\n[  878.642704] kmsg: login: $ \r\n")
            case "prompt":
                machine.emit(b"\r\nvm-under-test login: ")
            case "prompts":
                for moment in (0.0, 0.7):
                    machine.at(machine.clock.now + moment, partial(machine.emit, b"\r\nvm-under-test login: "))
            case "forget":
                machine.forget()
            case "move":
                machine.move(known_after=0.3, closes_after=0.0, refused=0.2)
            case "silent-move":
                machine.move(known_after=0.5, closes_after=None, refused=0.0)
            case "late-move":
                machine.move(known_after=4.0, closes_after=6.0, refused=1.0)
            case "kick":
                machine.kick()
            case "typing-kick":
                machine.kick(b"echo half-ty")
            case "reboot":
                self.shells.disk.files.clear()
                self.shells.disk.boot_id = self._boot_id()
                machine.boot(self._getty(machine, booted=True))
            case "logout":
                machine.emit(b"\r\nlogout\r\n")
                machine.boot()

    def _begin(self, state: str) -> None:
        machine = self.machine
        if state == "booting":
            machine.boot(self._getty(machine, booted=True))
            return
        if state in ("login", "password"):
            machine.boot()
        elif state in LEFT_OPEN or state == "stopped":
            machine.boot(self._left_open("sleep" if state == "stopped" else state))
            machine.stopped = state == "stopped"
        else:
            machine.boot(self.shells.login_shell(machine))
        machine.run_until(machine.clock.now + 60)
        keys = {"half-typed": b"echo half-ty", "quote": b"echo 'open quote\r", "password": b"other-user\r"}
        machine.type(keys.get(state, b""))
        machine.run_until(machine.clock.now + 5)

    def _left_open(self, state: str) -> Program:
        with contextlib.suppress(Interrupt):
            yield from LEFT_OPEN[state](self.machine)
        yield from self.shells.login_shell(self.machine)

    def _getty(self, machine: Machine, *, booted: bool) -> Program:
        return getty(machine, self._dialogue.speed, self.shells.login_shell, booted=booted)

    def _boot_id(self) -> str:
        self._boots += 1
        return f"{self._boots:08x}-0000-4000-8000-000000000000"
