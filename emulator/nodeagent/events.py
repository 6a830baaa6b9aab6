"""Events as client-go's recorders write them: one object for each message, its count raised when it comes again."""

from __future__ import annotations

import logging
import time

from ..kube.client import Client, Obj
from ..kube.errors import ApiError
from ..kube.timestamps import timestamp

log = logging.getLogger(__name__)

Identity = tuple[str, str, str, str]
REMEMBERED = 4096


class EventRecorder:
    """Writes events of one component, such as kubelet or virt-handler."""

    def __init__(self, client: Client, component: str) -> None:
        self._client = client
        self._component = component
        self._known: dict[Identity, tuple[str, int]] = {}

    async def record(self, obj: Obj, reason: str, message: str, *, host: str = "", kind: str = "Normal") -> None:
        """Records an event about ``obj``. An API that refuses it is logged: no component stops for an event."""
        meta = obj["metadata"]
        identity = (meta["uid"], kind, reason, message)
        try:
            if identity in self._known and await self._count_up(identity, meta.get("namespace", "default")):
                return
            name = f"{meta['name']}.{time.time_ns():x}"
            content = {"type": kind, "reason": reason, "message": message}
            await self._client.create("events", self._event(obj, name, host) | content)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[identity] = (name, 1)
        except (ApiError, OSError) as error:
            log.warning("event %s of %s/%s not written: %s", reason, meta.get("namespace"), meta["name"], error)

    async def _count_up(self, identity: Identity, namespace: str) -> bool:
        name, count = self._known[identity]
        patch = {"count": count + 1, "lastTimestamp": timestamp()}
        try:
            await self._client.patch("events", name, namespace, patch)
        except ApiError as error:
            if error.code != 404:
                raise
            return False
        self._known[identity] = (name, count + 1)
        return True

    def _event(self, obj: Obj, name: str, host: str) -> Obj:
        meta = obj["metadata"]
        source = {"component": self._component}
        if host:
            source["host"] = host
        stamp = timestamp()
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": meta.get("namespace", "default")},
            "involvedObject": {
                "kind": obj["kind"],
                "namespace": meta.get("namespace", ""),
                "name": meta["name"],
                "uid": meta["uid"],
                "apiVersion": obj["apiVersion"],
                "resourceVersion": meta["resourceVersion"],
            },
            "source": source,
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": host,
        }
