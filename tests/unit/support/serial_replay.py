# SPDX-License-Identifier: Apache-2.0
"""A serial line that answers as recorded guests did: real bytes up to the prompt, then a shell in their manner."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "consoles"


@dataclass(frozen=True)
class Record:
    """One line of a transcript: ``kind`` is in, out or note."""

    kind: str
    data: bytes


def transcript(name: str) -> Iterator[Record]:
    """A recorded session of ``data/consoles``, for instance ``debian-06_short``."""
    for line in (DATA / f"{name}.jsonl").read_text().splitlines():
        record = json.loads(line)
        yield Record(record["dir"], base64.b64decode(record.get("b64", "")))


def printed(name: str) -> bytes:
    """Everything that a recorded guest printed."""
    return b"".join(record.data for record in transcript(name) if record.kind == "out")


def exchanges(name: str) -> list[tuple[bytes, bytes]]:
    """What was typed, and what was printed until the next thing was typed."""
    found: list[tuple[bytes, bytes]] = [(b"", b"")]
    for record in transcript(name):
        if record.kind == "in":
            found.append((record.data, b""))
        elif record.kind == "out":
            found[-1] = (found[-1][0], found[-1][1] + record.data)
    return found


@dataclass(frozen=True)
class Manner:
    """How a guest's shell writes around what commands print."""

    prompt: bytes
    before_output: bytes = b""
    before_prompt: bytes = b""
    width: int = 0
    """Column at which the echo wraps as BusyBox ash wraps it; 0 does not wrap."""


BASH = Manner(b"\x1b[?2004hfedora@vm-under-test:~$ ", b"\x1b[?2004l\r")
ASH = Manner(b"alpine:~$ \x1b[6n", width=80)
OSC = Manner(
    b"\x1b[?2004hfedora@vm-under-test:~$ ",
    b"\x1b[?2004l\r\x1b]3008;start=375797fd;user=fedora;hostname=vm-under-test;type=command;cwd=/home/fedora\x1b\\",
    b"\x1b]3008;end=375797fd;exit=interrupt;signal=10\x1b\\",
)
COLOURED = Manner(b"\x1b]0;fedora: ~\x07\x1b[1;32mtwo\r\nlines\x1b[0m# ", b"\x1b[?2004l\r")


@dataclass
class SerialReplay:
    """A console stream. ``steps`` are recorded exchanges, played in order; when they are used up, a shell answers.

    ``mangle`` changes what is printed on its way; ``cut`` gives the size of the next read.
    """

    steps: list[tuple[bytes, bytes]]
    manner: Manner = BASH
    mangle: Callable[[bytes], bytes] = bytes
    cut: Callable[[], int] = lambda: 4096
    typed: bytearray = field(default_factory=bytearray)
    closed: bool = False
    _pending: bytearray = field(default_factory=bytearray)
    _line: bytearray = field(default_factory=bytearray)
    _shell: subprocess.Popen[bytes] | None = None

    def send(self, data: bytes) -> None:
        self.typed += data
        for byte in data:
            if byte == 0x15:
                self._line.clear()
            elif byte == 0x03:
                self._line.clear()
                if not self.steps:
                    self._print(b"^C\r\n" + self.manner.prompt)
            elif byte == 0x0D:
                line = bytes(self._line)
                self._line.clear()
                self._enter(line)
            else:
                self._line.append(byte)

    def receive(self, timeout: float) -> bytes:
        if self._pending:
            size = max(1, self.cut())
            data = bytes(self._pending[:size])
            del self._pending[:size]
            return data
        if self.closed:
            return b""
        time.sleep(min(timeout, 0.01))
        raise TimeoutError

    def silence(self) -> str:
        return "nothing came for a while"

    def close(self) -> None:
        self.closed = True
        if self._shell is not None:
            self._shell.kill()
            self._shell.wait()
            for pipe in (self._shell.stdin, self._shell.stdout):
                if pipe:
                    pipe.close()

    def _enter(self, line: bytes) -> None:
        if self.steps:
            expected, answer = self.steps[0]
            if expected.rstrip(b"\r") == line:
                self.steps.pop(0)
                self._print(answer)
            return
        self._print(self._echo(line) + b"\r\n" + self.manner.before_output)
        self._print(self._run(line) + self.manner.before_prompt + self.manner.prompt)

    def _echo(self, line: bytes) -> bytes:
        width = self.manner.width
        if not width:
            return line
        return b"\r\r\n".join(line[start : start + width] for start in range(0, len(line), width))

    def _run(self, line: bytes) -> bytes:
        if self._shell is None:
            self._shell = subprocess.Popen(
                ["dash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(line + b"\nprintf '\\036'\n")
        self._shell.stdin.flush()
        out = b""
        while not out.endswith(b"\x1e"):
            out += os.read(self._shell.stdout.fileno(), 65536)
        return out[:-1].replace(b"\n", b"\r\n")

    def _print(self, data: bytes) -> None:
        self._pending += self.mangle(data)
