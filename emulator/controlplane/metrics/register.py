# SPDX-License-Identifier: Apache-2.0
"""Access to the metrics through the API server: the proxies of pods and of services."""

from __future__ import annotations

from aiohttp import web

from emulator.apiserver.http_call import HttpCall
from emulator.controlplane.cluster.bootstrap import METRICS_SERVICE
from emulator.controlplane.cluster.components import METRICS_PORT, virt_controllers
from emulator.controlplane.context import Shared
from emulator.controlplane.metrics.exposition import CONTENT_TYPE, exposition
from emulator.controlplane.metrics.monitoring import Monitoring
from emulator.controlplane.metrics.samples import samples
from emulator.controlplane.subresources.register import Routes
from emulator.kube.errors import ApiError


def register_metrics(routes: Routes, shared: Shared, monitoring: Monitoring) -> None:
    """``.../pods/https:virt-controller-x:8443/proxy/metrics`` and what ``monitoring`` offers as a service."""

    async def pod_proxy(call: HttpCall) -> web.StreamResponse:
        scheme, name, port = _split(call.info.name)
        pods = virt_controllers(shared)
        place = (call.info.namespace, name)
        places = [(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in pods]
        number = places.index(place) if place in places else -1
        if number < 0:
            if shared.pods.get(*place) is None:
                raise ApiError(404, "NotFound", f'pods "{name}" not found', {"name": name, "kind": "pods"})
            raise _unreachable(f"dial tcp: connect to port {port or 80} of pod {name}: connection refused")
        if port != str(METRICS_PORT):
            address = pods[number]["status"]["podIP"]
            raise _unreachable(f"dial tcp {address}:{port or 80}: connect: connection refused")
        if scheme != "https":
            return web.Response(status=400, text="Client sent an HTTP request to an HTTPS server.\n")
        return _metrics(call, shared, leader=number == 0)

    async def service_proxy(call: HttpCall) -> web.StreamResponse:
        _, name, port = _split(call.info.name)
        if (call.info.namespace, name) == (shared.platform.kubevirt_namespace, METRICS_SERVICE):
            return _metrics(call, shared, leader=True)
        found = await monitoring.through_service(call, name, port)
        if found is None:
            raise ApiError(503, "ServiceUnavailable", f'no endpoints available for service "{call.info.name}"')
        return found

    routes.handle("", "pods", "proxy", pod_proxy)
    routes.handle("", "services", "proxy", service_proxy)


def _metrics(call: HttpCall, shared: Shared, *, leader: bool) -> web.Response:
    if call.info.parts != ("metrics",):
        return web.Response(status=404, text="404 page not found\n")
    return web.Response(text=exposition(samples(shared, leader=leader)), headers={"Content-Type": CONTENT_TYPE})


def _split(name: str) -> tuple[str, str, str]:
    """Scheme, name and port of ``[https:]name[:port]``."""
    parts = name.split(":")
    if len(parts) == 3:
        return parts[0] or "http", parts[1], parts[2]
    return "http", parts[0], parts[1] if len(parts) == 2 else ""


def _unreachable(why: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", f"error trying to reach service: {why}")
