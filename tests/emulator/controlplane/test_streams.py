# SPDX-License-Identifier: Apache-2.0
"""Console and port-forward on the wire: the bytes of the recorded virt-api, frame by frame."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from emulator.apiserver.server import ApiServer
from emulator.apiserver.users import ADMIN, UserInfo
from emulator.controlplane import names
from emulator.controlplane.subresources import websocket
from emulator.controlplane.subresources.websocket import Decoder, Frame
from emulator.fault_points import Defect, FaultPoints
from emulator.kube import conditions
from emulator.kube.errors import ApiError

from .handler import Handler
from .lab import NAMESPACE, Lab, running_lab

pytestmark = pytest.mark.real_clock
BASE = f"/apis/subresources.kubevirt.io/v1/namespaces/{NAMESPACE}"
VMI = f"{BASE}/virtualmachineinstances/vm1"
KEY = base64.b64encode(b"0123456789abcdef").decode()
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Protocol": "plain.kubevirt.io",
}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Wire:
    """Raw HTTP against the API server of a lab."""

    lab: Lab
    handler: Handler
    port: int

    async def ask(self, method: str, path: str, body: str = "", user: str = "admin", **headers: str) -> Answer:
        status, found, reader, writer = await self._send(method, path, body, user, headers)
        text = (await reader.readexactly(int(found.get("content-length", "0")))).decode()
        writer.close()
        return Answer(status, found, text)

    async def upgrade(self, path: str, **headers: str) -> Peer:
        status, found, reader, writer = await self._send("GET", path, "", "admin", UPGRADE | headers)
        assert status == 101, await reader.read(2000)
        return Peer(found, reader, writer)

    async def _send(
        self, method: str, path: str, body: str, user: str, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        sent = {"Host": "x", "Authorization": f"Bearer {user}", "Content-Length": str(len(body)), **headers}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in sent.items()) + "\r\n"
        writer.write((head + body).encode())
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        return int(lines[0].split(" ")[1]), found, reader, writer


class Peer:
    """The client's end of an upgraded connection."""

    def __init__(self, headers: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.headers = headers
        self._reader = reader
        self._writer = writer
        self._decoder = Decoder()
        self._frames: list[Frame] = []

    async def send(self, opcode: int, payload: bytes = b"") -> None:
        await self.send_frame(Frame(opcode, payload))

    async def send_frame(self, frame: Frame) -> None:
        self._writer.write(websocket.encode(frame, masked=True))
        await self._writer.drain()

    async def next(self) -> Frame | None:
        """The next frame; None when the server has ended the connection."""
        while not self._frames:
            data = await asyncio.wait_for(self._reader.read(65536), 10)
            if not data:
                return None
            self._frames = self._decoder.feed(data)
        return self._frames.pop(0)

    async def next_data(self) -> Frame | None:
        while (frame := await self.next()) is not None and frame.opcode == websocket.PING:
            pass
        return frame


@asynccontextmanager
async def wired(profile: str = "1.9", fault_points: FaultPoints | None = None) -> AsyncIterator[Wire]:
    async with running_lab(profile, fault_points=fault_points) as lab:
        assert isinstance(lab.server, ApiServer)
        lab.server.tokens.add("admin", ADMIN)
        lab.server.tokens.add("alice", UserInfo("alice", ("dev", "system:authenticated")))
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        await lab.server.start(listening)
        handler = Handler()
        await lab.running_vm()
        await lab.until("it has an address", lambda: bool(_address(lab)))
        node = (lab.last("VirtualMachineInstance") or {})["status"]["nodeName"]
        await handler.start(lab, node)
        try:
            yield Wire(lab, handler, listening.getsockname()[1])
        finally:
            await handler.stop()


def _address(lab: Lab) -> str:
    vmi = lab.last("VirtualMachineInstance") or {}
    found = vmi.get("status", {}).get("interfaces") or [{}]
    return str(found[0].get("ipAddress", ""))


async def edit(lab: Lab, **status: object) -> None:
    """Writes fields of the VMI's status as virt-handler."""
    await lab.agent.client.patch(names.VMI, "vm1", NAMESPACE, {"status": status})


async def test_console_echoes_and_ends_without_a_close_frame() -> None:
    async with wired() as wire:
        peer = await wire.upgrade(f"{VMI}/console")
        assert peer.headers["sec-websocket-protocol"] == "plain.kubevirt.io"
        assert peer.headers["sec-websocket-accept"] == "BACScCJPNqyz+UBoqMH89VmURoA="
        await peer.send(websocket.BINARY, b"root\r")
        assert await peer.next() == Frame(websocket.BINARY, b"root\r")
        await peer.send(websocket.PING, b"are you there")
        assert await peer.next() == Frame(websocket.PONG, b"are you there")
        await peer.send(websocket.BINARY, b"bye")
        assert await peer.next() is None


async def test_a_console_client_that_leaves_frees_the_handler() -> None:
    async with wired() as wire:
        peer = await wire.upgrade(f"{VMI}/console")
        peer._writer.close()
        await asyncio.wait_for(wire.handler.client_closed.wait(), 5)


async def test_stream_that_falls_silent_stays_open_and_passes_nothing_either_way() -> None:
    """After all but the last byte of a frame, and before the request itself is answered."""
    answers = iter([len(websocket.encode(Frame(websocket.BINARY, b"root\r"))) + 1, 0])
    defect = Defect("silent", "It is silent.", (), "virt_api.stream", lambda _, **__: next(answers), "lab")
    async with wired(fault_points=FaultPoints([defect])) as wire:
        peer = await wire.upgrade(f"{VMI}/console")
        await peer.send(websocket.BINARY, b"root\r")
        assert await peer.next() == Frame(websocket.BINARY, b"root\r")
        await peer.send(websocket.BINARY, b"more")
        assert await peer._reader.read(100) == b"\x82"
        await peer.send(websocket.BINARY, b"bye")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(peer._reader.read(100), 0.2)
        peer._writer.close()
        await asyncio.wait_for(wire.handler.client_closed.wait(), 5)
        wire.handler.client_closed.clear()
        asked = asyncio.create_task(wire.upgrade(f"{VMI}/console"))
        done, _ = await asyncio.wait([asked], timeout=0.3)
        assert not done
        asked.cancel()


@pytest.mark.parametrize("kind", ["virtualmachineinstances", "virtualmachines"])
async def test_port_forward_speaks_binary_and_ends_without_a_close_frame(kind: str) -> None:
    async with wired() as wire:
        peer = await wire.upgrade(f"{BASE}/{kind}/vm1/portforward/22")
        assert await peer.next_data() == Frame(websocket.BINARY, b"hello\r\n")
        await peer.send(websocket.TEXT, b"dropped")
        await peer.send(websocket.BINARY, b"echo")
        assert await peer.next_data() == Frame(websocket.BINARY, b"echo")
        await peer.send(websocket.BINARY, b"bye")
        assert await peer.next_data() is None


async def test_port_forward_pings_and_echoes_a_close() -> None:
    async with wired() as wire:
        peer = await wire.upgrade(f"{VMI}/portforward/22/tcp")
        await peer.next_data()
        assert await peer.next() == Frame(websocket.PING, b"keep alive")
        await peer.send(websocket.PING, b"p")
        assert await peer.next_data() == Frame(websocket.PONG, b"p")
        await peer.send(websocket.CLOSE, struct.pack("!H", 1001) + b"going")
        assert await peer.next_data() == Frame(websocket.CLOSE, struct.pack("!H", 1001))
        assert await peer.next_data() is None


async def test_a_full_buffer_is_an_unfinished_frame_and_an_empty_one() -> None:
    async with wired() as wire:
        wire.handler.greeting = b"y" * 40000
        peer = await wire.upgrade(f"{VMI}/portforward/22")
        found = [await peer.next_data() for _ in range(3)]
    sizes = [(f.opcode, len(f.payload), f.final) for f in found if f]
    assert sizes[:2] == [(websocket.BINARY, 32768, False), (websocket.CONTINUATION, 0, True)]
    assert sizes[2] == (websocket.BINARY, 7232, True)


async def test_refusals_before_the_upgrade() -> None:
    async with wired() as wire:

        async def said(path: str, **headers: str) -> tuple[int, str]:
            answer = await wire.ask("GET", path, **(UPGRADE | headers))
            with contextlib.suppress(ValueError):
                return answer.status, ApiError.from_status(answer.status, json.loads(answer.body)).message
            return answer.status, answer.body

        missing = f"{BASE}/virtualmachineinstances/nope"
        gone = 'virtualmachineinstance.kubevirt.io "nope" not found'
        assert await said(f"{missing}/console") == (404, gone)
        assert await said(f"{missing}/portforward/22") == (404, gone)
        dialing = "Internal error occurred: dialing VM: "
        assert await said(f"{VMI}/portforward/1") == (
            500,
            dialing + "dial tcp 10.244.0.9:1: connect: connection refused",
        )
        assert await said(f"{VMI}/portforward/abc") == (500, dialing + "dial tcp: lookup tcp/abc: unknown port")
        assert await said(f"{VMI}/portforward/99999") == (500, dialing + "dial tcp: address 99999: invalid port")
        assert await said(f"{VMI}/portforward/22/sctp") == (500, dialing + "dial sctp: unknown network sctp")
        assert await said(f"{VMI}/portforward") == (404, "404: Page Not Found")
        assert await said(f"{VMI}/bogus") == (404, "404: Page Not Found")
        assert await said(f"{BASE}/nothings/vm1/console") == (404, "404: Page Not Found")
        wire.handler.console_serves = False
        bad = "websocket: bad handshake: application info: failed to find the serial socket"
        wanted = (500, f"Internal error occurred: Can't connect to websocket (400): {bad}")
        assert await said(f"{VMI}/console") == wanted
        wire.handler.console_serves = True
        no_upgrade = await wire.ask("GET", f"{VMI}/console")
        assert (no_upgrade.status, no_upgrade.body.splitlines()[0]) == (400, "Bad Request")
        assert "'upgrade' token not found in 'Connection' header" in no_upgrade.body
        assert (await wire.ask("POST", f"{VMI}/console")).body == "405: Method Not Allowed"
        denied = await wire.ask("GET", f"{VMI}/console", user="alice", **UPGRADE)
        assert denied.status == 403
        node = await wire.handler.leave(wire.lab)
        assert await said(f"{VMI}/console") == (400, f"No virt-handler on node {node} found")
        await edit(wire.lab, conditions=[conditions.new("Paused", "True", reason="PausedByUser")])
        paused = 'Operation cannot be fulfilled on virtualmachineinstance.kubevirt.io "vm1": VMI is paused'
        assert await said(f"{VMI}/portforward/22") == (409, paused)


async def test_a_handler_that_does_not_listen() -> None:
    async with wired() as wire:
        await wire.handler.stop()
        answer = await wire.ask("GET", f"{VMI}/console", **UPGRADE)
        assert answer.status == 500
        assert "dial tcp 127.0.0.1:" in answer.body
        assert "connect: connection refused" in answer.body


def test_frames_come_apart_as_they_went_together() -> None:
    sent = [Frame(websocket.BINARY, bytes([7]) * size) for size in (0, 1, 125, 126, 65535, 65536)]
    wire = b"".join(websocket.encode(frame, masked=True) for frame in sent)
    decoder = Decoder()
    found = [frame for start in range(0, len(wire), 1000) for frame in decoder.feed(wire[start : start + 1000])]
    assert found == sent
