# SPDX-License-Identifier: Apache-2.0
"""Console and port-forward. Every refusal comes before the upgrade."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from aiohttp import ClientConnectionError, web

from emulator.apiserver.http_call import HttpCall
from emulator.controlplane.accessors import Obj, is_final, phase
from emulator.controlplane.subresources import websocket
from emulator.controlplane.subresources.responses import bad_request, conflict, internal, page_not_found
from emulator.controlplane.subresources.targets import VM, VMI, Targets, is_paused
from emulator.controlplane.subresources.upgrade import Stream, handshake_problem, take_over
from emulator.controlplane.subresources.virthandler import Backend, HandshakeRefused, Unreachable, VirtHandlers
from emulator.controlplane.subresources.websocket import Decoder, Frame, FrameError
from emulator.fault_points import FaultPoints
from emulator.pace import clock

log = logging.getLogger(__name__)
PING_SECONDS = 1.0
PONG_SECONDS = 60.0
PING = websocket.encode(Frame(websocket.PING, b"keep alive"))
LARGEST_PORT = 65535


class Streams:
    def __init__(self, targets: Targets, handlers: VirtHandlers, fault_points: FaultPoints) -> None:
        self.targets = targets
        self.handlers = handlers
        self.fault_points = fault_points

    async def console(self, call: HttpCall) -> web.StreamResponse:
        """Like virt-api, copies the raw bytes of both connections, frames included."""
        vmi = await self.targets.vmi(call)
        devices = vmi["spec"].get("domain", {}).get("devices", {})
        if devices.get("autoattachSerialConsole") is False:
            raise bad_request("No serial consoles are present.")
        if phase(vmi) == "Failed":
            raise conflict(VMI, call.info.name, "VMI is in failed status")
        if phase(vmi) != "Running":
            raise bad_request("VMI is not running")
        backend = await self._console_backend(vmi)
        return await self._serve(call, backend, copy_raw, "console")

    async def _console_backend(self, vmi: Obj) -> Backend:
        try:
            return await self.handlers.open(vmi, "console")
        except Unreachable as error:
            raise internal(str(error)) from None
        except HandshakeRefused as error:
            said = f"websocket: bad handshake: application info: {error.body}"
            raise internal(f"Can't connect to websocket ({error.status}): {said}") from None

    async def vm_port_forward(self, call: HttpCall) -> web.StreamResponse:
        vm = await self.targets.vm(call)
        if not vm.get("status", {}).get("created"):
            raise conflict(VM, call.info.name, "VMI is not started")
        return await self.port_forward(call)

    async def port_forward(self, call: HttpCall) -> web.StreamResponse:
        if not call.info.parts:
            return page_not_found()
        port = call.info.parts[0]
        protocol = call.info.parts[1] if len(call.info.parts) > 1 else "tcp"
        vmi = await self.targets.vmi(call)
        if is_final(vmi):
            raise conflict(VMI, call.info.name, "VMI is in failed status")
        if is_paused(vmi):
            raise conflict(VMI, call.info.name, "VMI is paused")
        if not (vmi["status"].get("interfaces") or [{}])[0].get("ipAddress"):
            raise bad_request("no network interfaces are present")
        if problem := _dial_problem(port, protocol):
            raise internal(f"dialing VM: {problem}")
        try:
            backend = await self.handlers.open(vmi, f"portforward/{port}/{protocol}")
        except (Unreachable, HandshakeRefused) as error:
            raise internal(f"dialing VM: {error}") from None
        return await self._serve(call, backend, relay_messages, "port-forward")

    async def _serve(self, call: HttpCall, backend: Backend, relay: Any, kind: str) -> web.StreamResponse:
        problem = handshake_problem(call.request)
        if problem is not None:
            backend.close()
            return problem
        nothing: int | None = None
        answers = self.fault_points.apply("virt_api.stream", nothing, kind=kind, vmi=call.info.name)
        try:
            stream = await take_over(call.request, answers)
            try:
                await relay(stream, backend)
            finally:
                stream.hang_up()
        finally:
            backend.close()
        return stream.response


def _dial_problem(port: str, protocol: str) -> str:
    if protocol not in ("tcp", "udp"):
        return f"dial {protocol}: unknown network {protocol}"
    if not port.isdecimal():
        return f"dial {protocol}: lookup {protocol}/{port}: unknown port"
    if int(port) > LARGEST_PORT:
        return f"dial {protocol}: address {port}: invalid port"
    return ""


async def copy_raw(stream: Stream, backend: Backend) -> None:
    """Until either side ends."""

    async def upwards() -> None:
        while data := await stream.read():
            await backend.write(data)

    async def downwards() -> None:
        while data := await backend.read():
            await stream.write(data)

    await _first_of(upwards(), downwards())


class _Forward:
    """One forwarded connection: virt-api's websocket to the client, with its pings and deadline."""

    def __init__(self, stream: Stream, backend: Backend) -> None:
        self.stream = stream
        self.backend = backend
        self.heard = clock()

    async def from_client(self) -> None:
        decoder = Decoder()
        binary = False
        while data := await self.stream.read():
            for frame in decoder.feed(data):
                if frame.opcode == websocket.CLOSE:
                    await self.stream.write(websocket.close_frame(websocket.close_code(frame)))
                    return
                if frame.opcode == websocket.PING:
                    await self.stream.write(websocket.encode(Frame(websocket.PONG, frame.payload)))
                elif frame.opcode == websocket.PONG:
                    self.heard = clock()
                elif frame.opcode in (websocket.BINARY, websocket.TEXT):
                    binary = frame.opcode == websocket.BINARY
                # Text is read and dropped, with its continuations.
                if binary and frame.opcode in (websocket.BINARY, websocket.CONTINUATION) and frame.payload:
                    await self.backend.write(websocket.encode(Frame(websocket.BINARY, frame.payload), masked=True))

    async def from_guest(self) -> None:
        decoder = Decoder()
        while data := await self.backend.read():
            for frame in decoder.feed(data):
                if frame.opcode in (websocket.BINARY, websocket.CONTINUATION) and frame.payload:
                    await self.stream.write(websocket.binary_message(frame.payload))
                elif frame.opcode == websocket.PING:
                    await self.backend.write(websocket.encode(Frame(websocket.PONG, frame.payload), masked=True))
                elif frame.opcode == websocket.CLOSE:
                    return

    async def keep_alive(self) -> None:
        while clock() - self.heard < PONG_SECONDS:
            await asyncio.sleep(PING_SECONDS)
            await self.stream.write(PING)


async def relay_messages(stream: Stream, backend: Backend) -> None:
    forward = _Forward(stream, backend)
    await _first_of(forward.from_client(), forward.from_guest(), forward.keep_alive())


async def _first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Runs all until one ends; a disconnected peer is a normal end."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            expected = (OSError, ClientConnectionError, FrameError, asyncio.CancelledError)
            if isinstance(result, BaseException) and not isinstance(result, expected):
                log.warning("a stream ended with %r", result)


async def refuse_usbredir(call: HttpCall) -> web.StreamResponse:
    raise conflict(VMI, call.info.name, "Not configured with USB Redirection")


async def refuse_vsock(call: HttpCall) -> web.StreamResponse:
    raise bad_request("VSOCK is not attached.")


async def refuse_vnc(call: HttpCall) -> web.StreamResponse:
    """Guests of the embedded cluster have a serial line and no screen."""
    raise bad_request("No graphics devices are present.")
