# SPDX-License-Identifier: Apache-2.0
"""The monitoring stack of the cluster, and how clients outside of the cluster reach it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from aiohttp import web

from emulator.apiserver.http_call import HttpCall
from emulator.controlplane.context import Shared
from emulator.controlplane.metrics.prometheus import Prometheus, answer
from emulator.kube.client import Client
from emulator.kube.errors import ApiError

Obj = dict[str, Any]
INTERVAL = 15.0


class Monitoring(Protocol):
    """A monitoring stack. ``install`` creates its objects; ``controllers`` are the coroutines that run as long as the
    cluster.
    """

    async def install(self, client: Client) -> None: ...

    def controllers(self) -> list[Coroutine[Any, Any, None]]: ...

    async def through_service(self, call: HttpCall, name: str, port: str) -> web.StreamResponse | None:
        """A request through the API server's service proxy; None where there is no such service."""
        ...

    async def stop(self) -> None: ...


class PlainMonitoring:
    """kube-prometheus: one Prometheus without authentication, behind a Service."""

    NAMESPACE = "monitoring"
    SERVICE = "prometheus-k8s"
    PORT = 9090

    def __init__(self, shared: Shared) -> None:
        self._prometheus = Prometheus(shared, INTERVAL)

    async def install(self, client: Client) -> None:
        await ensure(client, "namespaces", stack_object("v1", "Namespace", self.NAMESPACE))
        await ensure(client, "serviceaccounts", stack_object("v1", "ServiceAccount", self.SERVICE, self.NAMESPACE))
        await ensure(client, "services", service(self.SERVICE, self.NAMESPACE, "web", self.PORT))

    def controllers(self) -> list[Coroutine[Any, Any, None]]:
        return [self._prometheus.run()]

    async def through_service(self, call: HttpCall, name: str, port: str) -> web.StreamResponse | None:
        if (call.info.namespace, name) != (self.NAMESPACE, self.SERVICE) or port not in ("web", str(self.PORT)):
            return None
        return await answer(call.request, "/".join(call.info.parts), self._prometheus.series)

    async def stop(self) -> None:
        """Does nothing: the control plane cancels its loop."""


def stack_object(api_version: str, kind: str, name: str, namespace: str = "", **more: Any) -> Obj:
    """An object of the stack."""
    meta = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **more}


def service(name: str, namespace: str, port: str, number: int) -> Obj:
    ports = [{"name": port, "port": number, "protocol": "TCP", "targetPort": port}]
    return stack_object("v1", "Service", name, namespace, spec={"ports": ports})


async def ensure(client: Client, resource: str, obj: Obj) -> None:
    """Creates what is not there yet."""
    try:
        await client.create(resource, obj)
    except ApiError as error:
        if error.code != 409:
            raise
