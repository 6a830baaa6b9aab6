# SPDX-License-Identifier: Apache-2.0
"""The API of a whole control plane against every recorded exchange of a real one: same answers to the same requests."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import pytest

from emulator.apiserver.users import ADMIN, UserInfo
from tests.emulator.controlplane.lab import Lab, running_lab

from .accepted import judged
from .handlers import LIFECYCLE, STREAMS
from .meanwhile import act
from .player import Player
from .recordings import recorded
from .same import Chance
from .scenes import SCENES
from .stage import Scene, Stage, prepare
from .streaming import play_stream

ALICE = UserInfo("alice", ("dev", "system:authenticated"))
PROFILES = {"admission-1.9.0": "1.9", "admission-1.8.4": "1.8"}
WITHIN = 30.0
# Streams that go by the clock (test_streams.py has what they show), or that cut what they carry by chance.
BY_THE_CLOCK = ("49", "50", "55", "61", "72", "75", "77")


@asynccontextmanager
async def on_stage(area: str) -> AsyncIterator[Stage]:
    async with (
        running_lab(PROFILES.get(area, "main"), nodes=3) as lab,
        aiohttp.ClientSession(auto_decompress=False) as session,
    ):
        url = await serve(lab)
        tokens = {"admin": "admin", "alice": "alice"}
        stage = Stage(lab, Player(url, session, tokens, area == "apply", Chance(mixed=area in PROFILES)))
        try:
            yield stage
        finally:
            for handler in stage.handlers:
                await handler.stop()


async def serve(lab: Lab, tls: ssl.SSLContext | None = None) -> str:
    """The URL of the lab's API server, for both users of the recordings."""
    lab.server.tokens.add("admin", ADMIN)
    lab.server.tokens.add("alice", ALICE)
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    await lab.server.start(listening, tls)
    return f"http{'s' if tls else ''}://127.0.0.1:{listening.getsockname()[1]}"


async def play(stage: Stage, area: str, scene: Scene) -> list[str]:
    """Plays all exchanges of an area in their order; answers what is wrong."""
    exchanges, wrong = recorded(area), list[str]()
    later = await prepare(stage, scene, exchanges)
    # The second console of the recordings is opened while the first one stands.
    second = next((exchange for exchange in exchanges if exchange["name"].startswith("61-console")), None)
    for exchange in exchanges:
        number = exchange["name"].partition("-")[0]
        if number in scene.before:
            await asyncio.wait_for(scene.before[number](stage), WITHIN)
        for url, obj in later.get(number, ()):
            await stage.player.make(url, obj)
        if "Sec-WebSocket-Version" in exchange["headers"] and number not in BY_THE_CLOCK:
            found = await play_stream(stage.player, exchange, second if number == "60" else None)
        elif number in BY_THE_CLOCK and area == "stream":
            continue
        elif "lines" in exchange["answer"]:
            found = await stage.player.watch(exchange, stage.lab.core.store.rv, partial(act, stage, exchange["name"]))
        else:
            found = await stage.player.play(exchange)
        wrong += judged(f"{area}/{number}", exchange["url"], found)
    return wrong


EVERY = SCENES | {"stream": STREAMS, "stream-lifecycle": LIFECYCLE}


@pytest.mark.parametrize("area", EVERY)
async def test_answers_are_as_recorded(area: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A real server waits three seconds for a version that does not exist yet.
    monkeypatch.setattr("emulator.apiserver.read_handlers.FUTURE_WAIT", 0.1)
    # Bookmarks come once a minute, and the recorded watch for them lasts 75 seconds.
    monkeypatch.setattr("emulator.apiserver.watch_handler.BOOKMARK_EVERY", 0.3)
    async with on_stage(area) as stage:
        wrong = await play(stage, area, EVERY[area])
    assert not wrong, "\n".join(wrong)
