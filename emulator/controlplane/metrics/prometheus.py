# SPDX-License-Identifier: Apache-2.0
"""A Prometheus that scrapes virt-controller at its interval, and the part of its HTTP API that clients use."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from emulator.controlplane.accessors import Obj
from emulator.controlplane.cluster.bootstrap import METRICS_SERVICE
from emulator.controlplane.cluster.components import METRICS_PORT, VIRT_CONTROLLER, virt_controllers
from emulator.controlplane.context import Shared
from emulator.controlplane.metrics.promql import NAME, BadQuery, Labels, Vector, evaluate
from emulator.controlplane.metrics.samples import samples


class Prometheus:
    """One replica. A series that a scrape no longer finds is removed, as Prometheus marks it stale.

    ``interval`` and ``offset`` (of the first scrape) are in the real control plane's seconds.
    """

    def __init__(self, shared: Shared, interval: float, offset: float = 0.0, external: Labels | None = None) -> None:
        self._shared = shared
        self._interval = interval
        self._offset = offset
        self._external = external or {}
        self._has_targets = asyncio.Event()
        self.series: Vector = []
        shared.pods.on_change(self._discover)

    def _discover(self, _event: str, _new: Obj, _old: Obj | None) -> None:
        if virt_controllers(self._shared):
            self._has_targets.set()

    async def run(self) -> None:
        await self._has_targets.wait()
        await self._shared.pace.sleep(self._offset)
        while True:
            self.scrape()
            await self._shared.pace.sleep(self._interval)

    def scrape(self) -> None:
        """Reads what every virt-controller exposes now."""
        self.series = [
            ({NAME: sample.metric, **target_labels(pod), **sample.labels, **self._external}, sample.value)
            for number, pod in enumerate(virt_controllers(self._shared))
            for sample in samples(self._shared, leader=number == 0)
        ]


def target_labels(pod: Obj) -> Labels:
    """What a ServiceMonitor adds; a label of the series itself wins, as KubeVirt's has honorLabels."""
    return {
        "container": VIRT_CONTROLLER,
        "endpoint": "metrics",
        "instance": f"{pod['status'].get('podIP', '')}:{METRICS_PORT}",
        "job": METRICS_SERVICE,
        "namespace": pod["metadata"]["namespace"],
        "pod": pod["metadata"]["name"],
        "service": METRICS_SERVICE,
    }


def deduplicated(replicas: list[Prometheus]) -> Vector:
    """Series as Thanos merges them from replicas: each one once, also those that only one replica has."""
    found: dict[tuple[tuple[str, str], ...], tuple[Labels, float]] = {}
    for replica in replicas:
        for labels, value in replica.series:
            found.setdefault(tuple(sorted(labels.items())), (labels, value))
    return list(found.values())


async def answer(request: web.Request, path: str, series: Vector) -> web.Response:
    """``path`` is what follows Prometheus' own root."""
    if path != "api/v1/query":
        return web.Response(status=404, text="404 page not found\n")
    given = await request.post() if request.method == "POST" else request.query
    query = str(given.get("query") or request.query.get("query") or "")
    try:
        if not query:
            raise BadQuery("unknown position: parse error: no expression found in input")
        found = evaluate(query, series)
    except BadQuery as error:
        return _failed(400, "bad_data", f'invalid parameter "query": {error}')
    now = round(time.time(), 3)
    result = [{"metric": labels, "value": [now, _number(value)]} for labels, value in found]
    return web.json_response({"status": "success", "data": {"resultType": "vector", "result": result}})


def _failed(status: int, kind: str, error: str) -> web.Response:
    return web.json_response({"status": "error", "errorType": kind, "error": error}, status=status)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
