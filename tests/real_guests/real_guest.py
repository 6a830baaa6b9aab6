# SPDX-License-Identifier: Apache-2.0
"""A QEMU guest behind KubeVirt's stream paths, to be reached by the product's own clients, and harmed from outside."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from dataclasses import replace
from types import TracebackType

from aiohttp import WSMsgType, web
from livenad.guest.console.console_shell import ConsoleShell
from livenad.guest.ssh import SshShell
from livenad.guest.streams import open_console, open_port_forward
from livenad.model import GuestLogin
from livenad.virtual_machines.cloud_init import user_data
from livenad.virtual_machines.credentials import new_key_pair, new_password

from emulator.dataplane.serial import SerialLine
from emulator.qemu.busybox import Image
from emulator.qemu.machine import MachineNic, MachineSpec, Qemu, free_port
from tests.unit.support.stream_server import LoopThread, StreamServer

NAMESPACE, NAME, USER = "demo", "web", "tester"
MAC = "02:00:00:00:00:01"
_NETWORK = f"version: 2\nethernets:\n  net0:\n    match: {{macaddress: '{MAC}'}}\n    set-name: net0\n    dhcp4: true\n"
LOUD = "console=ttyS0,115200"
"""The kernel tells of its start on the console, as cloud images let it."""


class RealGuest:
    """One guest, from its cold start to its end. ``login`` is what cloud-init gave it."""

    def __init__(self, image: Image, command_line: str = LOUD) -> None:
        self._thread = LoopThread()
        self._server = StreamServer(self._thread)
        key, host_key = new_key_pair("tester"), new_key_pair("guest")
        self.login = GuestLogin(USER, new_password(), key.private, host_key.public)
        seed = {
            "user-data": user_data(NAME, self.login, key, host_key),
            "meta-data": f"instance-id: {uuid.uuid4()}\nlocal-hostname: {NAME}\n",
            "network-config": _NETWORK,
        }
        nics = (MachineNic("default", MAC, forward=free_port()),)
        self._spec = MachineSpec(image, str(uuid.uuid4()), nics, seed, command_line)
        self._line = self._thread.run(self._new_line())
        self._machine: Qemu | None = None
        self.node = "node-1"
        self.booted_at = 0.0

    @staticmethod
    async def _new_line() -> SerialLine:
        return SerialLine()

    def __enter__(self) -> RealGuest:
        self._server.console = self._serve_console
        self._thread.run(self._start())
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._thread.run(self._stop())
        self._server.stop()
        self._thread.stop()

    async def _start(self) -> None:
        self._machine = machine = Qemu(self._spec)
        await machine.start()
        self._use(machine)
        self.booted_at = time.monotonic()

    def _use(self, machine: Qemu) -> None:
        self._line.connect(machine.take_serial())
        self._server.target = machine.spec.nics[0].forward

    async def _stop(self) -> None:
        if self._machine:
            await self._machine.kill()
        self._line.disconnect()

    async def _serve_console(self, websocket: web.WebSocketResponse) -> None:
        """As virt-handler does: the newest client has the line, and that of the one before just ends."""
        attachment = self._line.attach()

        async def pass_on() -> None:
            with contextlib.suppress(ConnectionError):
                while data := await attachment.read():
                    await websocket.send_bytes(data)
            transport = websocket._req.transport if websocket._req else None
            if transport:
                transport.abort()

        passing = asyncio.create_task(pass_on())
        try:
            async for message in websocket:
                if message.type is WSMsgType.BINARY:
                    await attachment.write(message.data)
        except (BrokenPipeError, ConnectionError):
            pass
        finally:
            await attachment.close()
            passing.cancel()

    # -- the product's ways in ------------------------------------------------------------------------------------

    def console(self, login: GuestLogin | None = None) -> ConsoleShell:
        return ConsoleShell(
            f"{NAMESPACE}/{NAME}",
            login or self.login,
            lambda timeout: open_console(self._server.options, NAMESPACE, NAME, timeout),
            lambda: self.node,
        )

    def ssh(self, login: GuestLogin | None = None) -> SshShell:
        return SshShell(
            f"{NAMESPACE}/{NAME}",
            login or self.login,
            lambda timeout: open_port_forward(self._server.options, NAMESPACE, NAME, 22, timeout),
            lambda: self.node,
        )

    # -- what befalls it ------------------------------------------------------------------------------------------

    def type(self, keys: str, pause: float = 0.5) -> None:
        """Another user types on the console; returns after ``pause`` seconds, in which a program takes it."""

        async def type_and_wait() -> None:
            attachment = self._line.attach()
            await attachment.write(keys.encode())
            await asyncio.sleep(pause)
            await attachment.close()

        self._thread.run(type_and_wait(), pause + 20)

    def kick(self) -> None:
        """Another client takes the console, and leaves it at once."""
        self.type("", 0)

    def inside(self, script: str, within: float = 60.0) -> str:
        """What a script of root's prints, run by the guest's agent."""
        assert self._machine
        status, output = self._thread.run(self._machine.run(["/bin/sh", "-c", script], within), within + 5)
        if status:
            raise RuntimeError(f"{script!r} in the guest: status {status}: {output.decode(errors='replace')[-500:]}")
        return output.decode(errors="replace")

    def await_agent(self, within: float = 120.0) -> None:
        """Returns once the agent of the guest answers."""
        end = time.monotonic() + within
        machine = self._machine
        assert machine
        while self._thread.run(machine.agent("guest-ping", within=2.0)) is None:
            if time.monotonic() > end:
                raise RuntimeError(f"no agent in the guest answers within {within:.0f} s")

    def pause(self, seconds: float) -> None:
        """The guest stands still for some seconds."""
        assert self._machine
        self._thread.run(self._machine.pause(True))
        time.sleep(seconds)
        self._thread.run(self._machine.pause(False))

    def reset(self) -> None:
        assert self._machine
        self._thread.run(self._machine.reset())
        self.booted_at = time.monotonic()

    def cut(self) -> None:
        """Every stream ends without a word."""
        self._server.cut_streams()

    def migrate(self) -> float:
        """Live migration into another QEMU process; returns its seconds. The old streams end, as at a switch-over."""
        began = time.monotonic()
        self._thread.run(self._migrate(), 90)
        return time.monotonic() - began

    async def _migrate(self) -> None:
        source = self._machine
        assert source
        nics = tuple(replace(nic, forward=free_port()) for nic in self._spec.nics)
        target = Qemu(replace(self._spec, nics=nics))
        try:
            await target.start(incoming=True)
            await source.migrate_to(target)
        except BaseException:
            await target.kill()
            raise
        self._machine = target
        self._line.drop_client()
        self._use(target)
        await source.kill()
        self.node = f"{self.node}'"
        await asyncio.get_running_loop().run_in_executor(None, self._server_cut)

    def _server_cut(self) -> None:
        self._server.cut_streams()
