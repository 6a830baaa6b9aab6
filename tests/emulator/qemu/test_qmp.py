# SPDX-License-Identifier: Apache-2.0
"""The dialogues with QEMU and with the agent of a guest."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.qemu.qmp import Dialogue, QmpError


class OtherSide:
    """Reads questions, and says what it is told to say."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        end.setblocking(False)

    async def question(self) -> dict[str, Any]:
        data = b""
        while not data.endswith(b"\n"):
            data += await asyncio.get_running_loop().sock_recv(self.end, 4096)
        found: dict[str, Any] = json.loads(data.lstrip(b"\xff"))
        return found

    def say(self, **message: Any) -> None:
        self.end.send(json.dumps(message).encode() + b"\n")


@pytest.fixture
async def both() -> AsyncIterator[tuple[Dialogue, OtherSide, list[str]]]:
    here, there = socket.socketpair()
    events: list[str] = []
    dialogue = Dialogue(here)
    await dialogue.open(lambda name, _: events.append(name))
    yield dialogue, OtherSide(there), events
    dialogue.close()
    there.close()


Both = tuple[Dialogue, OtherSide, list[str]]


async def test_answer_is_that_of_the_question_with_events_between(both: Both) -> None:
    dialogue, other, events = both
    other.say(QMP={"version": {}})
    asking = asyncio.create_task(dialogue.ask("query_status", some_thing=1))
    question = await other.question()
    assert question["arguments"] == {"some-thing": 1}
    other.say(event="RESET")
    other.say(id="another", **{"return": 1})
    other.say(id=question["id"], **{"return": {"status": "running"}})
    assert await asking == {"status": "running"}
    assert events == ["RESET"]


async def test_refusal_has_the_words_of_the_other_side(both: Both) -> None:
    dialogue, other, _ = both
    asking = asyncio.create_task(dialogue.ask("migrate"))
    other.say(id=(await other.question())["id"], error={"class": "GenericError", "desc": "blocked by vvfat"})
    with pytest.raises(QmpError, match="blocked by vvfat"):
        await asking


async def test_end_of_the_other_side_ends_questions(both: Both) -> None:
    dialogue, other, _ = both
    asking = asyncio.create_task(dialogue.ask("stop"))
    await other.question()
    other.end.close()
    with pytest.raises(QmpError, match="the machine has ended"):
        await asking
    with pytest.raises(QmpError, match="the machine has ended"):
        await dialogue.ask("cont")


async def test_descriptor_goes_along(both: Both) -> None:
    dialogue, other, _ = both
    other.end.setblocking(True)
    asking = asyncio.create_task(dialogue.ask("getfd", other.end.fileno(), fdname="line"))
    data, descriptors, _, _ = await asyncio.to_thread(socket.recv_fds, other.end, 4096, 2)
    assert len(descriptors) == 1
    other.say(id=json.loads(data)["id"], **{"return": {}})
    assert await asking == {}


async def test_agent_that_answers_older_questions_first_gets_in_step(both: Both) -> None:
    dialogue, other, _ = both
    asking = asyncio.create_task(dialogue.synchronise())
    number = (await other.question())["arguments"]["id"]
    other.say(error={"desc": "JSON parse error, stray '\xff'"})
    other.say(**{"return": number - 1})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(asking), 0.2)
    other.say(**{"return": number})
    await asking
    asking_more = asyncio.create_task(dialogue.ask_guest("guest-ping"))
    await other.question()
    other.say(**{"return": {}})
    assert await asking_more == {}
