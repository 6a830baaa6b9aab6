# SPDX-License-Identifier: Apache-2.0
"""Sends recorded exchanges to an API server and compares its answers with the recorded ones."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import yaml
from yarl import URL

from .same import Chance

Obj = dict[str, Any]
# Of the transport, and what names the parts of a server.
LEFT_OUT = {"audit-id", "cache-control", "connection", "content-length", "date", "transfer-encoding"}
LEFT_OUT |= {"x-kubernetes-pf-flowschema-uid", "x-kubernetes-pf-prioritylevel-uid"}
AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
# The uid that recorded requests give when it shall not be the object's.
# Versions that recorded requests give when there shall be no such yet are larger than this.
FUTURE = 100_000
# Seconds in which a watch has nothing more to say, and in which a recorded event must have come.
QUIET, PATIENCE = 0.1, 20.0
NO_UID = "11111111-2222-3333-4444-555555555555"


@dataclass
class Player:
    """``tokens`` by the recordings' words for who asks; ``managed``: whether managedFields are compared too."""

    url: str
    session: aiohttp.ClientSession
    tokens: dict[str, str]
    managed: bool = False
    chance: Chance = field(default_factory=Chance)

    async def make(self, url: str, obj: Obj, **options: Any) -> Obj:
        """Creates an object as the administrator, unless it is there."""
        headers = {"Authorization": f"Bearer {self.tokens['admin']}"}
        async with self.session.post(self.url + url, json=obj, headers=headers, **options) as answer:
            made: Obj = await answer.json()
            assert answer.status in (201, 409), f"{url}: {made}"
            return made

    async def play(self, exchange: Obj) -> list[str]:
        """What of the answer differs from the recorded one."""
        await self._learn_request(exchange)
        headers = dict(exchange["headers"])
        if exchange["who"]:
            headers["Authorization"] = f"Bearer {self.tokens.get(exchange['who'], exchange['who'])}"
        async with self.session.request(
            exchange["method"],
            URL(self.url + self.chance.here(exchange["url"]), encoded=True),
            data=self._body(exchange),
            headers=headers,
            skip_auto_headers=AUTOMATIC,
        ) as answer:
            seen = list(answer.headers.items())
            return list(self.compare(exchange["answer"], answer.status, seen, await answer.read()))

    async def watch(self, exchange: Obj, version: int, act: Callable[[str], Awaitable[Any]]) -> list[str]:
        """As :meth:`play`, of a watch: ``act`` does what the recordings' driver did meanwhile.

        ``version`` stands for a version that the driver had from a list which is not recorded.
        """
        asked = re.search(r"resourceVersion=(\d+)", exchange["url"])
        if asked and 1 < int(asked[1]) < FUTURE:
            self.chance.known.setdefault(asked[1], str(version))
        recorded, seen = exchange["answer"]["lines"], list[Obj]()
        shortened = exchange["url"].replace("timeoutSeconds=75", "timeoutSeconds=2")
        url = URL(self.url + self.chance.here(shortened), encoded=True)
        headers = {**exchange["headers"], "Authorization": f"Bearer {self.tokens[exchange['who']]}"}
        async with self.session.get(url, headers=headers) as answer:
            for did in exchange["actions"]:
                await act(did)
            with contextlib.suppress(TimeoutError):
                while line := await asyncio.wait_for(
                    answer.content.readline(), QUIET if len(seen) >= len(recorded) else PATIENCE
                ):
                    seen.append(json.loads(line))
            found = list(self.compare_head(exchange["answer"], answer.status, list(answer.headers.items())))
        without_managers(seen)
        if len(seen) != len(recorded):
            return [*found, f"lines: seen {len(seen)}, recorded {len(recorded)}: {seen[len(recorded) :]}"]
        return [*found, *self.chance.differences(recorded, seen, "lines")]

    async def _learn_request(self, exchange: Obj) -> None:
        """A uid or version that a request names and no answer has shown is the object's own of now."""
        body = exchange.get("body")
        meta = body.get("metadata", body.get("preconditions")) if isinstance(body, dict) else None
        if not isinstance(meta, dict) or exchange["method"] == "POST":
            return
        asked = ["uid"] if meta.get("uid", NO_UID) not in (NO_UID, *self.chance.known) else []
        if exchange["answer"]["status"] in (200, 201, 422) and meta.get("resourceVersion", "") not in (
            "",
            *self.chance.known,
        ):
            asked.append("resourceVersion")
        if asked:
            headers = {"Authorization": f"Bearer {self.tokens['admin']}"}
            async with self.session.get(self.url + exchange["url"].partition("?")[0], headers=headers) as answer:
                found = (await answer.json())["metadata"]
            for key in asked:
                self.chance.learn(meta[key], found[key])

    def _body(self, exchange: Obj) -> bytes | None:
        if "body" in exchange:
            return json.dumps(self.chance.here(exchange["body"])).encode()
        if "bodyText" not in exchange:
            return None
        text = str(self.chance.here(exchange["bodyText"]))
        return (filled(text, exchange["bodyLength"]) if "bodyLength" in exchange else text).encode()

    def compare_head(self, recorded: Obj, status: int, headers: list[tuple[str, str]]) -> Iterator[str]:
        """What of status and headers differs."""
        if status != recorded["status"]:
            yield f"status: seen {status}, recorded {recorded['status']}"
        wanted = sorted((key.lower(), value) for key, value in recorded["headers"])
        found = sorted((key.lower(), value) for key, value in headers if key.lower() not in LEFT_OUT)
        if wanted != found:
            yield f"headers: seen {found}, recorded {wanted}"

    def compare(self, recorded: Obj, status: int, headers: list[tuple[str, str]], body: bytes) -> Iterator[str]:
        """What of a whole answer differs."""
        yield from self.compare_head(recorded, status, headers)
        text = body.decode(errors="replace")
        if "body" not in recorded:
            yield from self._compare_text(recorded.get("bodyText", ""), text)
            return
        try:
            seen = json.loads(text)
        except ValueError:
            yield f"body: seen {text!r}, recorded {recorded['body']!r}"
            return
        if not self.managed:
            without_managers(seen)
        yield from self.chance.differences(recorded["body"], seen)

    def _compare_text(self, recorded: str, seen: str) -> Iterator[str]:
        if recorded.startswith("apiVersion: "):
            both = [yaml.safe_load(text) for text in (recorded, seen)]
            for value in both:
                without_managers(value)
            yield from self.chance.differences(*both)
        else:
            yield from self.chance.differences(recorded, seen, "text")


def without_managers(value: Any) -> None:
    """Takes metadata.managedFields out, wherever they are."""
    if isinstance(value, list):
        for item in value:
            without_managers(item)
    elif isinstance(value, dict):
        value.pop("managedFields", None)
        for item in value.values():
            without_managers(item)


def filled(text: str, length: int) -> str:
    """A body of which the recording has the beginning: a list of one item again and again, or a text of one letter."""
    if text.startswith("["):
        item = text[1 : text.index("}") + 1]
        return f"[{', '.join([item] * ((length + 2) // (len(item) + 2)))}]"
    closing = '"' + "}" * (text.count("{") - text.count("}"))
    return text + text[-1] * (length - len(text) - len(closing)) + closing
