# SPDX-License-Identifier: Apache-2.0
"""Events as client-go's recorder writes them: repeated ones are counted, and capped per source and object."""

from __future__ import annotations

import logging
import time
from typing import Any

from ..fault_points import FaultPoints
from ..pace import clock
from .client import Client
from .errors import ApiError
from .timestamps import timestamp

log = logging.getLogger(__name__)

Obj = dict[str, Any]
EVENTS = "events"
BURST = 25
REFILL_SECONDS = 300.0
MOST_REMEMBERED = 4096


class EventRecorder:
    """Writes the events of one component, such as kubelet or virt-controller.

    An event that the API refuses is logged and dropped, as client-go drops it: no component stops because of an event.
    """

    def __init__(self, client: Client, component: str, fault_points: FaultPoints | None = None) -> None:
        self._client = client
        self._component = component
        self._fault_points = fault_points or FaultPoints()
        self._known: dict[tuple[str, ...], Obj] = {}
        self._budget: dict[tuple[str, str], tuple[float, float]] = {}

    async def normal(self, about: Obj, reason: str, message: str, *, host: str = "") -> None:
        await self.record(about, "Normal", reason, message, host=host)

    async def warning(self, about: Obj, reason: str, message: str, *, host: str = "") -> None:
        await self.record(about, "Warning", reason, message, host=host)

    async def record(self, about: Obj, kind: str, reason: str, message: str, *, host: str = "") -> None:
        """Records an event about an object; ``host`` is the node whose component reports it, "" if it runs on none."""
        meta = about["metadata"]
        wanted = self._fault_points.apply("events.record", True, reason=reason, about=about)
        if not wanted or not self._is_allowed(host, meta["uid"]):
            return
        key = (about["kind"], meta["uid"], kind, reason, message)
        known = self._known.pop(key, None)
        try:
            event = await self._write(known, about, {"type": kind, "reason": reason, "message": message}, host)
        except (ApiError, OSError) as error:
            log.info("event %s of %s/%s not written: %s", reason, meta.get("namespace"), meta["name"], error)
            return
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = event

    async def _write(self, known: Obj | None, about: Obj, content: Obj, host: str) -> Obj:
        meta = about["metadata"]
        now = timestamp()
        if known is not None:
            namespace, name = known["metadata"]["namespace"], known["metadata"]["name"]
            count = {"count": known["count"] + 1, "lastTimestamp": now}
            try:
                return await self._client.patch(EVENTS, name, namespace, count)
            except ApiError as error:
                if error.code != 404:
                    raise
        event = {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {
                "name": f"{meta['name']}.{time.time_ns():x}",
                "namespace": meta.get("namespace", "default"),
            },
            "involvedObject": reference(about),
            "source": {"component": self._component} | ({"host": host} if host else {}),
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": host,
        }
        return await self._client.create(EVENTS, event | content)

    def _is_allowed(self, host: str, uid: str) -> bool:
        """client-go's spam filter: 25 events about an object in a burst, then one every five minutes."""
        now = clock()
        tokens, last = self._budget.get((host, uid), (float(BURST), now))
        tokens = min(float(BURST), tokens + (now - last) / REFILL_SECONDS)
        if len(self._budget) >= MOST_REMEMBERED:
            self._budget.clear()
        self._budget[host, uid] = (tokens - 1 if tokens >= 1 else tokens, now)
        return tokens >= 1


def reference(about: Obj) -> Obj:
    """The ``involvedObject`` of an event."""
    meta = about["metadata"]
    found = {
        "kind": about["kind"],
        "namespace": meta.get("namespace", ""),
        "name": meta["name"],
        "uid": meta["uid"],
        "apiVersion": about["apiVersion"],
        "resourceVersion": meta["resourceVersion"],
    }
    return {k: v for k, v in found.items() if v}
