# SPDX-License-Identifier: Apache-2.0
"""The guest's side of its virtual hardware: agent port, power button, hot-plugged NICs."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from emulator.dataplane import address_announcement
from emulator.dataplane.links import Links
from emulator.guest import accounts, agent, channel, netconfig, sessions
from emulator.guest.bootlog import BootLog
from emulator.guest.spec import nic_from

_ROOT = accounts.Account("root", home="/root")


class Hardware:
    """Answers the data plane as long as the guest lives."""

    def __init__(
        self,
        end: socket.socket,
        links: Links,
        processes: sessions.Processes,
        ethernets: list[netconfig.Ethernet] | None,
        log: BootLog,
    ) -> None:
        self._end = end
        self._links = links
        self._processes = processes
        self._ethernets = ethernets
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_power_button: Callable[[], None] = lambda: None
        self.on_gone: Callable[[], None] = lambda: None

    def listen(self) -> None:
        channel.listen(self._end, self._on_message, self.on_gone)

    def _on_message(self, message: channel.Message, _descriptors: list[int]) -> None:
        match message["ask"]:
            case "report":
                self._answer(message, report=agent.report(self._links))
            case "run":
                self._spawn(self._run(message))
            case "announce":
                self._answer(message, announced=self._announce(message["macs"]))
            case "nic":
                self._answer(message, complaints=self._configure(message["nic"]))
            case "power-button":
                self._answer(message)
                self.on_power_button()

    def _answer(self, question: channel.Message, **facts: Any) -> None:
        try:
            # An answer may be larger than the free space in the socket; the data plane always reads.
            self._end.setblocking(True)
            channel.send(self._end, {"answer": question["id"], **facts})
        except OSError:
            self.on_gone()
        finally:
            self._end.setblocking(False)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, message: channel.Message) -> None:
        output, status = await run_program(self._processes, message["argv"])
        for start in range(0, len(output), channel.PIECE):
            piece = base64.b64encode(output[start : start + channel.PIECE]).decode()
            self._answer(message, piece=piece, more=True)
        self._answer(message, status=status)

    def _announce(self, macs: list[str]) -> int:
        """Announces these NICs to every neighbour, for each of their addresses; returns the number of frames."""
        addresses = self._links.addresses()
        sent = 0
        for link in self._links.all():
            if link.mac in macs and link.up:
                found = [address.partition("/")[0] for address in addresses.get(link.index, [])]
                address_announcement.send(
                    link.name, [address_announcement.announcement(link.mac, address) for address in found]
                )
                sent += len(found)
        return sent

    def _configure(self, data: dict[str, Any]) -> list[str]:
        """Configures a NIC that was plugged in by cloud-init's network data; without any it is only brought up."""
        complaints: list[str] = []
        known = self._ethernets if self._ethernets is not None else []
        netconfig.configure([nic_from(data)], known, self._links, complaints.append)
        self._log.kernel(f"{data['device']}: new network device, {data['mac']}")
        return complaints


async def run_program(processes: sessions.Processes, argv: list[str]) -> tuple[bytes, int]:
    """Runs a program as root without a terminal; returns its output (both streams) and its exit status."""
    reading, writing = os.pipe()
    nothing = os.open("/dev/null", os.O_RDONLY)
    _, ended = processes.start(argv, _ROOT, sessions.environment(_ROOT), (nothing, writing, writing))
    os.close(writing)
    os.close(nothing)
    os.set_blocking(reading, False)
    output = bytearray()
    loop = asyncio.get_running_loop()

    def collect() -> None:
        try:
            data = os.read(reading, channel.PIECE)
        except BlockingIOError:
            return
        if data:
            output.extend(data)
        else:
            loop.remove_reader(reading)

    loop.add_reader(reading, collect)
    try:
        status = os.waitstatus_to_exitcode(await ended)
        # Output that was written before the end is already in the pipe.
        while True:
            data = os.read(reading, channel.PIECE)
            if not data:
                break
            output.extend(data)
    except BlockingIOError:
        pass
    finally:
        loop.remove_reader(reading)
        os.close(reading)
    return bytes(output), status if status >= 0 else 128 - status
