"""Events as client-go's recorder writes them: aggregated by count, capped per source and object."""

from __future__ import annotations

import time
from typing import Any

from emulator.fault_points import FaultPoints
from emulator.kube.client import Client
from emulator.kube.errors import ApiError
from emulator.kube.timestamps import timestamp
from emulator.pace import clock

from .names import EVENTS

Obj = dict[str, Any]
BURST = 25
REFILL_SECONDS = 300.0


class EventRecorder:
    """Writes events of one component. An event that cannot be written is dropped, as client-go drops it."""

    def __init__(self, client: Client, component: str, fault_points: FaultPoints | None = None) -> None:
        self.client = client
        self._fault_points = fault_points or FaultPoints()
        self.component = component
        self._known: dict[tuple[str, ...], Obj] = {}
        self._budget: dict[str, tuple[float, float]] = {}

    async def normal(self, about: Obj, reason: str, message: str) -> None:
        await self.record(about, "Normal", reason, message)

    async def warning(self, about: Obj, reason: str, message: str) -> None:
        await self.record(about, "Warning", reason, message)

    async def record(self, about: Obj, kind: str, reason: str, message: str) -> None:
        meta = about["metadata"]
        wanted = self._fault_points.apply("events.record", True, reason=reason, about=about)
        if not wanted or not self._allowed(meta["uid"]):
            return
        key = (about["kind"], meta["uid"], kind, reason, message)
        try:
            self._known[key] = await self._write(self._known.get(key), about, kind, reason, message)
        except ApiError:
            self._known.pop(key, None)

    async def _write(self, known: Obj | None, about: Obj, kind: str, reason: str, message: str) -> Obj:
        meta = about["metadata"]
        now = timestamp()
        if known is not None:
            namespace, name = known["metadata"]["namespace"], known["metadata"]["name"]
            count = {"count": known["count"] + 1, "lastTimestamp": now}
            try:
                return await self.client.patch(EVENTS, name, namespace, count)
            except ApiError as error:
                if error.code != 404:
                    raise
        namespace = meta.get("namespace", "default")
        return await self.client.create(
            EVENTS,
            {
                "kind": "Event",
                "apiVersion": "v1",
                "metadata": {"name": f"{meta['name']}.{time.time_ns():x}", "namespace": namespace},
                "involvedObject": reference(about),
                "reason": reason,
                "message": message,
                "source": {"component": self.component},
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
                "type": kind,
                "eventTime": None,
                "reportingComponent": self.component,
                "reportingInstance": "",
            },
        )

    def _allowed(self, uid: str) -> bool:
        """client-go's spam filter: a burst of 25 events for an object, then one every five minutes."""
        now = clock()
        tokens, last = self._budget.get(uid, (float(BURST), now))
        tokens = min(float(BURST), tokens + (now - last) / REFILL_SECONDS)
        if tokens < 1:
            self._budget[uid] = (tokens, now)
            return False
        self._budget[uid] = (tokens - 1, now)
        return True


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
