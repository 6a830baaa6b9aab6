# SPDX-License-Identifier: Apache-2.0
"""A guest's serial line, seen from outside: it has one client at a time and outlives the guest's reboots."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque

_CHUNK = 4096
# How much a client may leave unread before writers in the guest have to wait.
_UNREAD = 64 * 1024


class SerialConsole:
    """One attachment; ``emulator.dataplane.model.Console``."""

    def __init__(self, line: SerialLine) -> None:
        self._line = line
        self._unread: deque[bytes] = deque()
        self._size = 0
        self._arrived = asyncio.Event()
        self.ended = False

    async def read(self) -> bytes:
        while not self._unread and not self.ended:
            self._arrived.clear()
            await self._arrived.wait()
        if not self._unread:
            return b""
        data = self._unread.popleft()
        self._size -= len(data)
        self._line.client_has_read()
        return data

    async def write(self, data: bytes) -> None:
        if self.ended:
            raise BrokenPipeError("this console attachment has ended")
        await self._line.type(data)

    async def close(self) -> None:
        self._line.release(self)

    @property
    def full(self) -> bool:
        return self._size >= _UNREAD

    def deliver(self, data: bytes) -> None:
        self._unread.append(data)
        self._size += len(data)
        self._arrived.set()

    def end(self) -> None:
        self.ended = True
        self._arrived.set()


class SerialLine:
    """Reads the line all the time; output without a client is discarded."""

    def __init__(self) -> None:
        self._master = -1
        self._client: SerialConsole | None = None
        self._reading = False
        self._frozen = False
        self._typed = bytearray()

    def connect(self, master: int) -> None:
        """Connects the far side of a guest's line (a terminal's master, or a socket), which it owns from now on."""
        self.disconnect()
        os.set_blocking(master, False)
        self._master = master
        self._typed.clear()
        self._frozen = False
        self._update()

    def disconnect(self) -> None:
        """The guest is gone; a client stays and sees nothing until it boots again."""
        if self._master >= 0:
            self._drain()
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._master)
            loop.remove_writer(self._master)
            os.close(self._master)
            self._master = -1
            self._reading = False

    def attach(self) -> SerialConsole:
        """Attaches a new client; ends the attachment of an older one."""
        self.drop_client()
        self._client = SerialConsole(self)
        self._update()
        return self._client

    def release(self, client: SerialConsole) -> None:
        client.end()
        if client is self._client:
            self._client = None
            self._update()

    def drop_client(self) -> None:
        if self._client:
            self.release(self._client)

    def freeze(self, frozen: bool) -> None:
        """A paused machine neither prints nor echoes; input is kept until it resumes."""
        self._frozen = frozen
        self._update()
        if not frozen:
            self._write_out()

    async def type(self, data: bytes) -> None:
        self._typed += data
        self._write_out()

    def client_has_read(self) -> None:
        self._update()

    def _update(self) -> None:
        """Reads, unless the guest stands still or the client does not keep up."""
        wanted = self._master >= 0 and not self._frozen and not (self._client and self._client.full)
        if wanted != self._reading:
            self._reading = wanted
            loop = asyncio.get_running_loop()
            if wanted:
                loop.add_reader(self._master, self._readable)
            else:
                loop.remove_reader(self._master)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            # No process in the guest has the line open: the guest has died, which is detected elsewhere.
            asyncio.get_running_loop().remove_reader(self._master)
        elif self._client:
            self._client.deliver(data)
            self._update()

    def _drain(self) -> None:
        """Delivers the guest's last output."""
        with contextlib.suppress(OSError):
            while data := os.read(self._master, _CHUNK):
                if self._client:
                    self._client.deliver(data)

    def _write_out(self) -> None:
        if self._master < 0 or self._frozen:
            # Input to a machine that is off is discarded.
            if self._master < 0:
                self._typed.clear()
            return
        loop = asyncio.get_running_loop()
        try:
            while self._typed:
                del self._typed[: os.write(self._master, self._typed[:_CHUNK])]
            loop.remove_writer(self._master)
        except BlockingIOError:
            loop.add_writer(self._master, self._write_out)
        except OSError:
            self._typed.clear()
            loop.remove_writer(self._master)
