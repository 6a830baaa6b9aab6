# SPDX-License-Identifier: Apache-2.0
"""The simulated machine: a serial line, its tty, the program in front of it, and what befalls them, by the clock."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from livenad.guest.streams import StreamClosed, StreamRefused

from tests.console.clock import VirtualClock

# What a program asks of the machine: ("read",), ("sleep", seconds), ("write", bytes).
Program = Generator[tuple[Any, ...], Any, Any]

RATE = 12_800.0
"""Bytes a second, as a recorded serial line of 115,200 baud brought them."""

_BURST = 2048


class Interrupt(Exception):
    """Ctrl-C, or Ctrl-\\ where ``quits``."""

    def __init__(self, *, quits: bool) -> None:
        super().__init__()
        self.quits = quits


@dataclass
class Line:
    """How the line behaves. ``noise``: what share of writes a kernel message tears; ``cut``: sizes of reads."""

    seed: int = 0
    noise: float = 0.0
    noises: tuple[bytes, ...] = (b"[  558.663429] burst 0\r\n",)
    cut: tuple[int, ...] = (4096,)
    frozen: list[tuple[float, float]] = field(default_factory=list)


class Machine:
    """Runs one program at a time. ``start`` gives the program that a fresh boot ends in."""

    def __init__(self, clock: VirtualClock, line: Line, start: Callable[[Machine], Program]) -> None:
        self.clock = clock
        self.line = line
        self.chance = random.Random(line.seed)  # noqa: S311 - not for secrets
        self.start = start
        self.node = "node-1"
        self.known_node = "node-1"
        self.refused_until = 0.0
        self.attachment: Attachment | None = None
        self.echo = True
        self.raw = False
        self.stopped = False
        self.deaf = False
        self.secret = b""
        self.secret_wanted = False
        self.leaked: list[bytes] = []
        self._input: deque[int] = deque()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._life = 0
        self._turn = 0
        self._waits_for_input = False
        self._cut = itertools.cycle(line.cut)
        self._program: Program | None = None

    # -- the client's side ----------------------------------------------------------------------------------------

    def attach(self, timeout: float) -> Attachment:
        """A new attachment; the one before ends, and what was printed in between is lost."""
        self.run_until(self.clock.now)
        if self.clock.now < self.refused_until:
            self.clock.now += min(0.05, timeout)
            raise StreamRefused("console: the API answered 500 dialing virt-handler: connection refused", 500)
        if self.attachment is not None:
            self.attachment.ended = True
        self.attachment = Attachment(self)
        return self.attachment

    def next_time(self) -> float | None:
        return self._events[0][0] if self._events else None

    def run_until(self, moment: float) -> None:
        """Everything that happens up to a moment happens."""
        while self._events and self._events[0][0] <= moment:
            when, _, act = heapq.heappop(self._events)
            self.clock.now = max(self.clock.now, when)
            act()

    def step(self) -> None:
        self.run_until(self._events[0][0])

    # -- what happens to the machine ------------------------------------------------------------------------------

    def at(self, moment: float, act: Callable[[], None]) -> None:
        """Schedule what befalls it from outside, in seconds from the beginning of time."""
        heapq.heappush(self._events, (moment, next(self._order), act))

    def boot(self, program: Program | None = None) -> None:
        """A new life of the guest: whatever ran is gone."""
        self._life += 1
        self._input.clear()
        self.echo, self.raw, self.stopped, self._waits_for_input = True, False, False, False
        self.secret_wanted = self.deaf = False
        self._program = program or self.start(self)
        self._go(None)

    def emit(self, data: bytes) -> None:
        """Bytes that leave the machine now; they are not kept for a client that comes later."""
        if self.attachment is not None and self.attachment.node == self.node:
            self.attachment.pending += data

    def say(self, data: bytes) -> None:
        """The same, torn by noise like all else, and at once: an echo is as fast as the typing."""
        self.emit(self._torn(data))

    def move(self, *, known_after: float, closes_after: float | None, refused: float) -> None:
        """A switch-over: the old attachment is silent from now on, the API tells of the node some time later."""
        left, self.node = self.attachment, f"{self.node}'"
        node = self.node
        self.refused_until = self.clock.now + refused

        def known() -> None:
            self.known_node = node

        def end() -> None:
            if left is not None:
                left.ended = True

        self.at(self.clock.now + known_after, known)
        if closes_after is not None:
            self.at(self.clock.now + closes_after, end)

    def forget(self) -> None:
        """A gateway forgets the attachment: it stays open, and passes nothing on any more."""
        if self.attachment is not None:
            self.attachment.node = "nowhere"

    def kick(self, keys: bytes = b"") -> None:
        """Another client takes the console, types something and goes away."""
        if self.attachment is not None:
            self.attachment.ended = True
            self.attachment = None
        self.type(keys)

    def type(self, keys: bytes) -> None:
        """Keys reach the tty; a frozen guest takes them when it goes on."""
        life = self._life

        def arrive() -> None:
            if life != self._life:
                return
            if self.secret and self.secret in keys and not self.secret_wanted:
                self.leaked.append(keys)
            for key in keys:
                self._key(key)

        self._at(self.clock.now, arrive)

    def flush(self) -> None:
        """Drop what was typed ahead, as a login program does."""
        self._input.clear()

    # -- the program's life ---------------------------------------------------------------------------------------

    def _at(self, moment: float, act: Callable[[], None]) -> None:
        for begin, end in self.line.frozen:
            if begin <= moment < end:
                moment = end
        heapq.heappush(self._events, (moment, next(self._order), act))

    def _later(self, seconds: float) -> float:
        """When that much time has passed for the guest."""
        moment, now = self.clock.now + seconds, self.clock.now
        for begin, end in self.line.frozen:
            if now < end and moment > begin:
                moment += end - max(begin, now)
        return moment

    def _key(self, key: int) -> None:
        if not self.raw and key in (0x13, 0x11):
            self.stopped = key == 0x13
            return
        if not self.raw and key in (0x03, 0x1C):
            self._input.clear()
            self.emit(b"^C" if key == 0x03 else b"^\\")
            if self.deaf:
                # A getty ignores it, but the tty drops what was typed.
                self._give(0x15)
                return
            self._waits_for_input = False
            self._go(Interrupt(quits=key == 0x1C))
            return
        if self.echo and not self.raw:
            self.emit(b"\r\n" if key == 0x0D else bytes([key]) if key >= 0x20 else b"")
        self._give(key)

    def _give(self, key: int) -> None:
        self._input.append(key)
        if self._waits_for_input:
            self._waits_for_input = False
            self._go(self._input.popleft())

    def _go(self, value: Any) -> None:
        """Let the program go on until it waits for something; what it waited for before comes too late."""
        self._turn += 1
        assert self._program is not None
        while True:
            try:
                program = self._program
                request = program.throw(value) if isinstance(value, Interrupt) else program.send(value)
            except StopIteration:
                self.boot()
                return
            value = None
            if request[0] == "read":
                if not self._input:
                    self._waits_for_input = True
                    return
                value = self._input.popleft()
            elif request[0] == "sleep":
                self._resume(self._later(request[1]))
                return
            elif request[1]:
                self._write(request[1])
                return

    def _resume(self, moment: float) -> None:
        turn = self._turn

        def go_on() -> None:
            if turn == self._turn:
                self._go(None)

        self._at(moment, go_on)

    def _write(self, data: bytes) -> None:
        """At the line's rate; when Ctrl-S has stopped it, not before Ctrl-Q."""
        turn = self._turn
        data = self._torn(data)
        pieces = deque(data[start : start + _BURST] for start in range(0, len(data), _BURST))

        def one() -> None:
            if turn != self._turn:
                return
            # A tty that is put into raw mode goes on by itself.
            self.stopped = self.stopped and not self.raw
            if self.stopped:
                self._at(self._later(0.1), one)
                return
            piece = pieces.popleft()
            self.emit(piece)
            if pieces:
                self._at(self._later(len(piece) / RATE), one)
            else:
                self._resume(self._later(len(piece) / RATE))

        one()

    def _torn(self, data: bytes) -> bytes:
        if self.chance.random() >= self.line.noise:
            return data
        place = self.chance.randrange(len(data) + 1)
        return data[:place] + self.chance.choice(self.line.noises) + data[place:]


class Attachment:
    """The client's end of the line, a ``ByteStream``."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.node = machine.node
        self.pending = bytearray()
        self.ended = False

    @property
    def closed(self) -> bool:
        return self.ended

    def send(self, data: bytes) -> None:
        self._machine.run_until(self._machine.clock.now)
        if self.ended:
            raise StreamClosed("ended")
        if self.node == self._machine.node:
            self._machine.type(data)

    def receive(self, timeout: float) -> bytes:
        machine = self._machine
        deadline = machine.clock.now + max(0.0, timeout)
        while True:
            machine.run_until(machine.clock.now)
            if self.pending:
                size = next(machine._cut)
                data = bytes(self.pending[:size])
                del self.pending[:size]
                return data
            if self.ended:
                return b""
            upcoming = machine.next_time()
            if upcoming is None or upcoming > deadline:
                machine.clock.now = deadline
                raise TimeoutError
            machine.step()

    def silence(self) -> str:
        return "nothing came for a while"

    def close(self) -> None:
        self.ended = True
        if self._machine.attachment is self:
            self._machine.attachment = None
