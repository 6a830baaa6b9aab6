# SPDX-License-Identifier: Apache-2.0
"""The faults, by name. Each is deterministic but for what the clients' own timing brings."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import ClassVar
from urllib.parse import urlsplit

from tests.faults.exchange import Course, Exchange

CONFLICT = 'Operation cannot be fulfilled on {} "{}": the object has been modified; please apply your changes to the '
CONFLICT += "latest version and try again"
GONE = "too old resource version: 1 (2)"


class Fault:
    """Nothing happens: what every other fault is compared with."""

    name: ClassVar[str] = "undisturbed"
    speed: ClassVar[int] = 5
    """How many times as fast as a real control plane the cluster behind it may be at most."""

    def __init__(self) -> None:
        self.chance = random.Random(self.name)  # noqa: S311 - not for secrets
        self._counts: dict[str, int] = {}

    async def meet(self, exchange: Exchange) -> None:
        await exchange.forward()

    def every(self, nth: int, what: str = "") -> bool:
        """Whether this is the nth one of its sort, the 2nth, and so on."""
        self._counts[what] = self._counts.get(what, 0) + 1
        return self._counts[what] % nth == 0

    def first(self, what: str) -> bool:
        """Whether this is the first one of its sort."""
        self._counts[what] = self._counts.get(what, 0) + 1
        return self._counts[what] == 1

    def seconds(self, least: float, most: float) -> float:
        return self.chance.uniform(least, most)


class Latency(Fault):
    """Each answer takes 800 ms longer; so do watch events, and what guests say on their streams, on their way."""

    name = "latency"
    # Where all else takes a fifth of its time, a round trip of 800 ms is one of four seconds: migrations end within it.
    speed = 1

    async def meet(self, exchange: Exchange) -> None:
        await exchange.forward(Course(delay=0.4))


class Throttling(Fault):
    """Each fourth request is turned away with 429 for a second."""

    name = "throttling"
    # As with latency: a second is five at that pace, and no VM is starting for so long.
    speed = 1

    async def meet(self, exchange: Exchange) -> None:
        if self.every(4):
            await exchange.refuse(429, "too many requests, please try again later", headers={"Retry-After": "1"})
        else:
            await exchange.forward()


class ErrorBursts(Fault):
    """For two seconds of every ten nothing is carried out: 500, 502 and 503 by turns."""

    name = "error-bursts"

    async def meet(self, exchange: Exchange) -> None:
        if time.monotonic() % 10 >= 2:
            await exchange.forward()
        elif self.every(3):
            await exchange.refuse(500, "etcdserver: leader changed", "InternalError")
        elif self.every(2, "gateway"):
            await exchange.refuse(502, "502 Bad Gateway")
        else:
            await exchange.refuse(503, "apiserver is shutting down", "ServiceUnavailable")


class Resets(Fault):
    """Each fifth request ends in a connection reset and is not carried out."""

    name = "resets"

    async def meet(self, exchange: Exchange) -> None:
        if self.every(5):
            exchange.reset()
        else:
            await exchange.forward()


class AnswersLost(Fault):
    """The first write of each sort is carried out, and the connection reset in place of the answer; so is every third.

    A sort is a verb and a resource with its subresource: none goes by undisturbed.
    """

    name = "answers-lost"

    async def meet(self, exchange: Exchange) -> None:
        if exchange.is_write and (self.first(exchange.sort) or self.every(3)):
            await self.lose(exchange)
        else:
            await exchange.forward()

    async def lose(self, exchange: Exchange) -> None:
        await exchange.lose_answer()


class AnswersReplaced(AnswersLost):
    """The same, but that what stands before the server answers 500, 502 or 504."""

    name = "answers-replaced"

    async def lose(self, exchange: Exchange) -> None:
        status = (500, 502, 504)[self.chance.randrange(3)]
        await exchange.replace_answer(status, f"{status} the upstream server took too long")


class WritesRefused(Fault):
    """The first write of each sort is answered 500, 502 or 503 and not carried out; so is every third."""

    name = "writes-refused"

    async def meet(self, exchange: Exchange) -> None:
        if exchange.is_write and (self.first(exchange.sort) or self.every(3)):
            status = (500, 502, 503)[self.chance.randrange(3)]
            await exchange.refuse(status, f"{status} no server is ready for this")
        else:
            await exchange.forward()


class HalfRead(Fault):
    """Of each fourth answer half the body comes."""

    name = "half-read"

    async def meet(self, exchange: Exchange) -> None:
        if not exchange.is_watch and not exchange.is_stream and self.every(4):
            await exchange.lose_answer(share=0.5)
        else:
            await exchange.forward()


class WatchesCut(Fault):
    """Each watch is reset within four seconds, in the middle of a line."""

    name = "watches-cut"

    async def meet(self, exchange: Exchange) -> None:
        await exchange.forward(
            Course(cut_after=self.seconds(1, 4) if exchange.is_watch else None, last_words=b'{"type":"MODIFIED","obje')
        )


class WatchesStall(Fault):
    """Every second watch falls silent within six seconds, and stays open."""

    name = "watches-stall"
    # What a watch does not tell is looked up each second: at five times the pace a migration is over by then.
    speed = 1

    async def meet(self, exchange: Exchange) -> None:
        stalls = exchange.is_watch and self.every(2)
        await exchange.forward(Course(stall_after=self.seconds(2, 6) if stalls else None))


class Gone(Fault):
    """Each watch ends with 410 within five seconds, every third at once."""

    name = "gone"

    async def meet(self, exchange: Exchange) -> None:
        if not exchange.is_watch:
            await exchange.forward()
        elif self.every(3):
            await exchange.refuse(410, GONE, "Expired")
        else:
            status = {"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": GONE}
            event = json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"
            await exchange.forward(Course(cut_after=self.seconds(1, 5), last_words=event))


class ClockAhead(Fault):
    """The cluster's clock is 37 minutes ahead: the Date of each answer, and every time in an object."""

    name = "clock-ahead"
    skew = timedelta(minutes=37)

    async def meet(self, exchange: Exchange) -> None:
        await exchange.forward(Course(inward=shifted(-self.skew), outward=shifted(self.skew)))


class ClockBehind(ClockAhead):
    """The cluster's clock is 37 minutes behind."""

    name = "clock-behind"
    skew = timedelta(minutes=-37)


class TokenExpires(Fault):
    """Each seventh request is answered 401, and carried out when it is repeated: the token has to be read again."""

    name = "token-expires"

    def __init__(self) -> None:
        super().__init__()
        self._refused: set[tuple[str, str, bytes]] = set()

    async def meet(self, exchange: Exchange) -> None:
        words = (exchange.verb, exchange.target, exchange.body)
        if self.every(7) and words not in self._refused:
            self._refused.add(words)
            await exchange.refuse(401, "Unauthorized", "Unauthorized")
        else:
            self._refused.discard(words)
            await exchange.forward()


class VersionsRepeat(Fault):
    """Watches are cut, and begin again from versions long seen; lists come in any order."""

    name = "versions-repeat"

    async def meet(self, exchange: Exchange) -> None:
        if exchange.is_watch:
            await exchange.forward(Course(cut_after=self.seconds(1, 4), inward=self._earlier))
        elif exchange.verb == "GET" and not exchange.is_stream:
            await exchange.forward(Course(outward=self._shuffled))
        else:
            await exchange.forward()

    def _earlier(self, words: bytes) -> bytes:
        return re.sub(rb"(?<=resourceVersion=)\d+", lambda found: b"%d" % max(1, int(found[0]) - 40), words)

    def _shuffled(self, answer: bytes) -> bytes:
        try:
            listed = json.loads(answer)
        except ValueError:
            return answer
        if not isinstance(listed, dict) or "items" not in listed:
            return answer
        self.chance.shuffle(listed["items"])
        return json.dumps(listed).encode()


class Conflicts(Fault):
    """Each second write is refused with 409: another client was quicker."""

    name = "conflicts"

    async def meet(self, exchange: Exchange) -> None:
        if exchange.is_write and self.every(2):
            *_, resource, name = ("", "", *urlsplit(exchange.target).path.split("/"))
            await exchange.refuse(409, CONFLICT.format(resource, name), "Conflict")
        else:
            await exchange.forward()


class StreamsCut(Fault):
    """Each console and each forwarded port is reset within eight seconds."""

    name = "streams-cut"

    async def meet(self, exchange: Exchange) -> None:
        await exchange.forward(Course(cut_after=self.seconds(3, 8) if exchange.is_stream else None))


class Everything(Fault):
    """Each tenth request meets one of the faults, whichever."""

    name = "everything"

    def __init__(self) -> None:
        super().__init__()
        others = (Latency, Throttling, Resets, AnswersLost, AnswersReplaced, HalfRead, WatchesCut, Gone, TokenExpires)
        self._faults = [other() for other in (*others, Conflicts)]
        for fault in self._faults:
            fault.every = _always  # type: ignore[method-assign]

    async def meet(self, exchange: Exchange) -> None:
        if self.every(10):
            await self.chance.choice(self._faults).meet(exchange)
        else:
            await exchange.forward()


def _always(nth: int, what: str = "") -> bool:
    return True


_TIME = re.compile(rb"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?=(?:\.\d+)?Z)")
_DATE = re.compile(rb"\A\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\Z")


def shifted(skew: timedelta) -> Callable[[bytes], bytes]:
    """Every time in a text later by ``skew``; the text keeps its length."""

    def time_later(found: re.Match[bytes]) -> bytes:
        return (datetime.fromisoformat(found[0].decode()) + skew).isoformat().encode()

    def change(text: bytes) -> bytes:
        if _DATE.match(text):
            return format_datetime(parsedate_to_datetime(text.decode()) + skew, usegmt=True).encode()
        return _TIME.sub(time_later, text)

    return change


def _all() -> dict[str, type[Fault]]:
    found, waiting = {}, [Fault]
    while waiting:
        one = waiting.pop(0)
        found[one.name] = one
        waiting += one.__subclasses__()
    return found


FAULTS = _all()
UNDISTURBED = Fault.name
