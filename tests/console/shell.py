# SPDX-License-Identifier: Apache-2.0
"""The simulated guest's shell: a line editor in the manner of bash or ash, and the commands that the console types."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from livenad.guest.console.console_frames import FUNCTIONS, posix_cksum

from tests.console.line import Interrupt, Machine, Program

_WORD = r"""('[^']*'|"(?:\$\{\w+\})+")"""
_PROBE = re.compile(r"printf '\\n@@%s:%s@@\\n' (\w+) S:")
_ASSIGN = re.compile(r"(_\w+)='([^']*)'; printf '\\n@@%s:%s@@\\n' (\w+) A:")
_DEFINE = re.compile(rf'eval "\$\(printf %b {_WORD}\)"; _i (\w+)')
_RUN = re.compile(rf"_k (\w+) {_WORD}")
_ASK = re.compile(r"_f (\w+)")
_LEAVE = re.compile(r'rm -rf "\$_w"(; exit)?')
_OCTAL = re.compile(r"\\0([0-7]{3})")
_ASH_LIMIT = 1022


@dataclass(frozen=True)
class Manner:
    """How a shell shows itself. ``wrap`` is the column at which it wraps its echo, 0 for none."""

    prompt: bytes = b"tester@vm:~$ "
    before_prompt: bytes = b""
    after_enter: bytes = b""
    wrap: int = 0
    wrap_with: bytes = b" \r"
    limit: int = 0


MANNERS: dict[str, Manner] = {
    "bash": Manner(b"\x1b[?2004htester@vm:~$ ", b"", b"\x1b[?2004l\r", 80),
    "ash": Manner(b"alpine:~$ \x1b[6n", wrap=80, wrap_with=b"\r\r\n", limit=_ASH_LIMIT),
    "coloured": Manner(b"\x1b]0;tester: ~\x07\x1b[1;32mtwo\r\nlines\x1b[0m# "),
    "osc": Manner(
        b"\x1b[?2004htester@vm:~$ ",
        b"\x1b]3008;end=375797fd;exit=interrupt;signal=10\x1b\\",
        b"\x1b[?2004l\r\x1b]3008;start=375797fd;user=tester;type=command;cwd=/home\x1b\\",
    ),
    # It marks output that ended without a line end, and erases the mark where it did not.
    "zsh": Manner(
        b"\r\x1b[0m\x1b[27m\x1b[24m\x1b[Jvm% \x1b[K\x1b[?2004h",
        b"\x1b[1m\x1b[7m%\x1b[27m\x1b[1m\x1b[0m" + b" " * 79 + b"\r \r",
        b"\x1b[?2004l\r\r\n",
        80,
    ),
    "like-login": Manner(b"vm login: "),
    "like-password": Manner(b"Password: "),
    "empty": Manner(b""),
}


@dataclass(frozen=True)
class Command:
    """What a command does: how long it takes, what it prints, and what befalls the guest in its middle."""

    text: str
    out: bytes = b""
    err: bytes = b""
    status: int = 0
    seconds: float = 0.0
    middle: str = ""


@dataclass
class Disk:
    """What outlives a login: the files of a session. A reboot takes them."""

    boot_id: str
    files: dict[str, Command | None] = field(default_factory=dict)


@dataclass
class Shells:
    """Every shell of a guest. ``executed`` are the commands that were begun, in their order."""

    manner: Manner
    commands: Mapping[str, Command]
    disk: Disk
    befall: Callable[[str], None]
    executed: list[str] = field(default_factory=list)
    encoding: str = "base64"

    def login_shell(self, machine: Machine) -> Program:
        """From the first prompt to the logout."""
        variables: dict[str, str] = {}
        while True:
            typed = yield from self._edited(machine, self.manner.before_prompt + self.manner.prompt)
            if typed is None:
                yield ("write", b"logout\r\n")
                return
            machine.echo, machine.raw = True, False
            try:
                yield ("write", b"\r\n" + self.manner.after_enter)
                if (yield from self._execute(typed, variables)) == "exit":
                    yield ("write", b"logout\r\n")
                    return
            except Interrupt as interrupt:
                machine.raw = True
                yield ("write", b"\r\n" if not interrupt.quits else b"Quit\r\n")

    def _edited(self, machine: Machine, prompt: bytes) -> Program:
        """A line, with what belongs to a quote that was left open; None for an end of file at the prompt."""
        machine.echo, machine.raw = False, True
        whole = typed = ""
        yield ("write", prompt)
        while True:
            key = yield ("read",)
            if key == 0x0D:
                whole += typed
                if whole.count("'") % 2 == 0:
                    return whole
                whole, typed = whole + "\n", ""
                yield ("write", b"\r\n> ")
            elif key == 0x03:
                whole = typed = ""
                yield ("write", b"^C\r\n" + prompt)
            elif key == 0x15:
                if typed:
                    yield ("write", b"\x08" * len(typed) + b"\x1b[K")
                typed = ""
            elif key == 0x04 and not typed:
                return None
            elif key >= 0x20 and not (self.manner.limit and len(typed) >= self.manner.limit):
                typed += chr(key)
                wraps = self.manner.wrap and (len(prompt) + len(typed)) % self.manner.wrap == 0
                machine.say(bytes([key]) + (self.manner.wrap_with if wraps else b""))

    def _execute(self, typed: str, variables: dict[str, str]) -> Program:
        line = typed.strip()
        if "!" in line:
            yield ("write", b"-bash: !: event not found\r\n")
        elif match := _PROBE.fullmatch(line):
            yield ("write", _frame(match[1], "S:"))
        elif match := _ASSIGN.fullmatch(line):
            variables[match[1]] = match[2]
            yield ("write", _frame(match[3], "A:"))
        elif match := _DEFINE.fullmatch(line):
            if _word(match[1], variables) != FUNCTIONS:
                yield ("write", b"-bash: eval: syntax error\r\n-bash: _i: command not found\r\n")
                return
            variables["_w"] = match[2]
            yield ("write", _frame(match[2], f"I:{self.disk.boot_id}"))
        elif match := _LEAVE.fullmatch(line):
            self.disk.files.clear()
            return "exit" if match[1] else None
        elif (match := _RUN.fullmatch(line)) and "_w" in variables:
            return (yield from self._run(match[1], _word(match[2], variables)))
        elif (match := _ASK.fullmatch(line)) and "_w" in variables:
            yield from self._ask(match[1])
        elif line:
            name = line.split()[0]
            yield ("write", f"-bash: {name}: command not found\r\n".encode("latin-1"))

    def _run(self, number: str, text: str) -> Program:
        self.disk.files.clear()
        self.disk.files[number] = None
        yield ("write", _frame(number, "B:run"))
        self.executed.append(text)
        command = self.commands.get(text, Command(text, err=b"sh: not found\n", status=127))
        yield ("sleep", command.seconds / 2)
        if command.middle and self.executed.count(text) == 1:
            self.befall(command.middle)
            if command.middle == "logout":
                # The shell itself is killed: nothing notes the status.
                yield ("sleep", 0.0)
                return "exit"
        yield ("sleep", command.seconds / 2)
        self.disk.files[number] = command
        yield from self._ask(number)

    def _ask(self, number: str) -> Program:
        if number not in self.disk.files:
            yield ("write", _frame(number, "N:none"))
            return
        command = self.disk.files[number]
        if command is None:
            yield ("write", _frame(number, "N:run"))
            return
        forms = ["z" if len(data) > 2000 else "p" for data in (command.out, command.err)]
        fields: list[object] = [command.status]
        for data, form in zip((command.out, command.err), forms, strict=True):
            fields += [posix_cksum(data), len(data), form]
        header = ":".join(map(str, [*fields, self.encoding]))
        yield ("write", _frame(number, f"H:{header}"))
        for kind, data, form in (("o", command.out, forms[0]), ("e", command.err, forms[1])):
            for text in self._lines(data, form):
                yield ("write", f"@@{number}:{kind}:{text}@@\r\n".encode())
        yield ("write", _frame(number, f"E:{header}"))

    def _lines(self, data: bytes, form: str) -> Iterator[str]:
        packed = gzip.compress(data, 1) if form == "z" else data
        if not data:
            return
        text = packed.hex() if self.encoding == "x" else base64.b64encode(packed).decode()
        width = 76
        for number, start in enumerate(range(0, len(text), width), 1):
            yield f"{number}:{text[start : start + width]}"


def _frame(number: str, rest: str) -> bytes:
    return f"\r\n@@{number}:{rest}@@\r\n".encode()


def _word(quoted: str, variables: Mapping[str, str]) -> str:
    """A typed word as ``printf %b`` gives it."""
    text = quoted[1:-1]
    if quoted.startswith('"'):
        text = "".join(variables.get(name, "") for name in re.findall(r"\$\{(\w+)\}", text))
    data = bytearray()
    at = 0
    for match in _OCTAL.finditer(text):
        data += text[at : match.start()].encode("latin-1") + bytes([int(match[1], 8)])
        at = match.end()
    return bytes(data + text[at:].encode("latin-1")).decode(errors="surrogateescape")
