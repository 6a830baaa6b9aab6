# SPDX-License-Identifier: Apache-2.0
"""Plays recorded websocket exchanges: the handshake, every frame in its order, and how the connection ends."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from emulator.controlplane.subresources import websocket
from emulator.controlplane.subresources.websocket import Frame
from tests.emulator.controlplane.test_streams import Peer

from .player import Obj, Player

OPCODES = {
    "continuation": websocket.CONTINUATION,
    "text": websocket.TEXT,
    "binary": websocket.BINARY,
    "close": websocket.CLOSE,
    "ping": websocket.PING,
    "pong": websocket.PONG,
}
KEEP_ALIVE = Frame(websocket.PING, b"keep alive")
IN_SUBPROTOCOL = "base64url.bearer.authorization.k8s.io."


async def play_stream(player: Player, exchange: Obj, beside: Obj | None = None) -> list[str]:
    """What differs from the recorded exchange. ``beside`` is another client's, begun when this one's frames are over.

    Keep-alive pings come by the clock, and are left out on both sides.
    """
    status, headers, reader, writer = await _shake_hands(player, exchange)
    recorded = exchange["answer"]
    try:
        if status != 101 or recorded["status"] != 101:
            size = int({key.lower(): value for key, value in headers}.get("content-length", "0"))
            return list(player.compare(recorded, status, headers, await reader.readexactly(size)))
        found = list(player.compare_head(recorded, status, headers))
        return found + [said async for said in _dialogue(player, exchange, Peer({}, reader, writer), beside)]
    finally:
        writer.close()


async def _shake_hands(
    player: Player, exchange: Obj
) -> tuple[int, list[tuple[str, str]], asyncio.StreamReader, asyncio.StreamWriter]:
    place = urlsplit(player.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    sent = {"Host": place.netloc, **exchange["headers"], "Content-Length": "0"}
    if exchange["who"]:
        sent["Authorization"] = f"Bearer {player.tokens.get(exchange['who'], exchange['who'])}"
    protocol = sent.get("Sec-WebSocket-Protocol", "")
    if protocol.startswith(IN_SUBPROTOCOL):
        token = base64.urlsafe_b64encode(player.tokens["admin"].encode()).decode().rstrip("=")
        sent["Sec-WebSocket-Protocol"] = protocol.replace("REDACTED", token)
    lines = [f"{exchange['method']} {exchange['url']} HTTP/1.1", *(f"{key}: {value}" for key, value in sent.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    head, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = [(key, value.strip()) for key, _, value in (line.partition(":") for line in rest)]
    return int(head.split(" ")[1]), headers, reader, writer


async def _dialogue(player: Player, exchange: Obj, peer: Peer, beside: Obj | None) -> AsyncIterator[str]:
    for number, recorded in enumerate(exchange["frames"]):
        frame = _frame(recorded)
        if recorded["from"] == "client":
            if frame.payload != KEEP_ALIVE.payload:
                await peer.send_frame(frame)
        elif frame != KEEP_ALIVE:
            seen = await _next(peer)
            if seen != frame:
                yield f"frames[{number}]: seen {_shown(seen)}, recorded {_shown(frame)}"
    if beside is not None:
        for said in await play_stream(player, beside):
            yield f"beside: {said}"
    if exchange["end"]["how"].startswith("server closed"):
        seen = await _next(peer)
        if seen is not None:
            yield f"end: seen {_shown(seen)}, recorded the end without a close frame"


async def _next(peer: Peer) -> Frame | None:
    while (frame := await peer.next()) == KEEP_ALIVE:
        pass
    return frame


def _frame(recorded: Obj) -> Frame:
    payload = str(recorded.get("payload") or "").encode()
    if recorded["kind"] == "close" and recorded["code"] is not None:
        payload = struct.pack("!H", recorded["code"]) + recorded["reasonText"].encode()
    if len(payload) < recorded["length"]:
        payload = payload[:1] * recorded["length"]
    return Frame(OPCODES[recorded["kind"]], payload, recorded["fin"])


def _shown(frame: Frame | None) -> str:
    return str(frame and (frame.opcode, frame.payload[:40], len(frame.payload), frame.final))
