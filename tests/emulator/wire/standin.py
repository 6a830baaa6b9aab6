# SPDX-License-Identifier: Apache-2.0
"""virt-handler as the recordings' stand-in plays it: consoles that echo, ports that behave, orders that are noted."""

from __future__ import annotations

import struct

from aiohttp import web

from emulator.controlplane import names
from emulator.controlplane.subresources import websocket
from emulator.controlplane.subresources.upgrade import Stream, take_over
from emulator.controlplane.subresources.websocket import Decoder, Frame
from emulator.kube import conditions
from tests.emulator.controlplane.handler import Handler
from tests.emulator.controlplane.lab import Lab

from .recordings import recorded

SPACE = "wire-stream"
FAILED = 'server error. command Pause failed: "LibvirtError(...)"'
GUEST = {"guestosinfo": "01", "userlist": "05", "filesystemlist": "09"}
# By port: what the guest says first. On these it ends the connection then.
GREETINGS = {"20022": b"SSH-2.0-StandIn_1.0\r\n", "20023": b"bye\r\n", "20025": b"y" * 100_000}
REFUSED = "20099"
ENDING = ("20023", "20024", REFUSED)


class RecordedHandler(Handler):
    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab
        self._consoles: dict[str, Stream] = {}
        exchanges = {exchange["name"]: exchange for exchange in recorded("stream-lifecycle")}
        self._guest = {what: exchanges[f"{number}-{what}-ok"]["answer"]["body"] for what, number in GUEST.items()}

    async def _data(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._guest[request.match_info["what"]])

    async def _order(self, request: web.Request) -> web.StreamResponse:
        name, order = request.match_info["name"], request.match_info["what"]
        if name == "vm-herr":
            return web.Response(status=500, text=FAILED)
        if order in ("pause", "unpause"):
            client = self._lab.agent.client
            vmi = await client.get(names.VMI, name, SPACE)
            conditions.remove(vmi, "Paused")
            if order == "pause":
                message = "VMI was paused by user"
                conditions.put(vmi, conditions.new("Paused", "True", reason="PausedByUser", message=message))
            await client.replace(names.VMI, vmi)
        return web.Response(status=202)

    async def _console(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name == "vm-herr":
            return web.Response(status=400, text="failed to find the serial socket")
        stream = await take_over(request)
        if name in self._consoles:
            self._consoles[name].hang_up()
        self._consoles[name] = stream
        if name != "vm-nosock":
            await echo(stream)
        stream.hang_up()
        return stream.response

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        port, protocol = request.match_info["port"], request.match_info["protocol"]
        if port == REFUSED and protocol == "tcp":
            return web.Response(status=500, text=f"dial tcp 127.0.0.1:{port}: connect: connection refused")
        stream = await take_over(request)
        if port in GREETINGS:
            await stream.write(websocket.encode(Frame(websocket.BINARY, GREETINGS[port])))
        if port not in ENDING:
            await echo(stream)
        stream.hang_up()
        return stream.response


async def echo(stream: Stream) -> None:
    """Sends every binary frame back as a message of its own, and does what some of them ask for."""
    decoder = Decoder()
    while data := await stream.read():
        for frame in decoder.feed(data):
            if frame.opcode == websocket.PING:
                await stream.write(websocket.encode(Frame(websocket.PONG, frame.payload)))
            elif frame.opcode == websocket.CLOSE:
                await stream.write(websocket.close_frame(websocket.close_code(frame)))
                return
            elif frame.opcode in (websocket.BINARY, websocket.CONTINUATION):
                await stream.write(websocket.encode(Frame(websocket.BINARY, frame.payload)))
                if await _ends(stream, frame.payload.rstrip(b"\r").split(b" ")):
                    return


async def _ends(stream: Stream, words: list[bytes]) -> bool:
    if words[0] == b"ping":
        await stream.write(websocket.encode(Frame(websocket.PING, b"hello")))
    if words[0] == b"close":
        payload = struct.pack("!H", int(words[1])) + b"standin"
        await stream.write(websocket.encode(Frame(websocket.CLOSE, payload)))
    return words[0] in (b"eof", b"abrupt", b"close")
