"""Serves the metrics where a client inside no pod network reaches them: through the API server's service proxy."""

from __future__ import annotations

from aiohttp import web

from emulator.apiserver.calls import HttpCall
from emulator.controlplane import names
from emulator.controlplane.cluster.bootstrap import METRICS_SERVICE
from emulator.controlplane.context import Shared
from emulator.controlplane.metrics.exposition import CONTENT_TYPE, exposition
from emulator.controlplane.metrics.samples import samples
from emulator.controlplane.subresources.register import Routes
from emulator.kube.errors import ApiError


def register_metrics(routes: Routes, shared: Shared) -> None:
    """``/api/v1/namespaces/kubevirt/services/https:kubevirt-prometheus-metrics:443/proxy/metrics``."""

    async def proxy(call: HttpCall) -> web.StreamResponse:
        service = call.info.name.split(":")
        name = service[1] if len(service) > 1 else service[0]
        if (call.info.namespace, name) != (names.KUBEVIRT_NAMESPACE, METRICS_SERVICE):
            message = f'no endpoints available for service "{call.info.name}"'
            raise ApiError(503, "ServiceUnavailable", message)
        if call.info.parts != ("metrics",):
            return web.Response(status=404, text="404 page not found\n")
        return web.Response(text=exposition(samples(shared)), headers={"Content-Type": CONTENT_TYPE})

    routes.handle("", "services", "proxy", proxy)
