# SPDX-License-Identifier: Apache-2.0
"""One node's stream endpoint: the paths and the behaviour of virt-handler's console server.

Binary messages in both directions, text ignored, no ping, and no close frame of its own: the TCP connection just ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from ..dataplane.errors import DataPlaneError
from ..dataplane.model import Console
from .addresses import NodeSockets
from .context import AgentContext
from .domains import Domain
from .kubelet import Kubelet
from .virt_handler import VirtHandler

log = logging.getLogger(__name__)

BASE = "/v1/namespaces/{namespace}/virtualmachineinstances/{name}"
PROTOCOL = "plain.kubevirt.io"
CHUNK = 32 * 1024
CLIENT_NAME = "kubevirt.io:system:client:virt-handler"
NO_SERIAL = "failed to find the serial socket"
NO_AGENT = "VMI does not have guest agent connected"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def only_virt_api(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Cuts off clients whose certificate has another name than virt-api's."""
    transport = request.transport
    certificate = transport.get_extra_info("peercert") if transport else None
    names = [value for part in (certificate or {}).get("subject", ()) for key, value in part if key == "commonName"]
    if certificate and names != [CLIENT_NAME]:
        log.warning("common name is invalid, got %s", ", ".join(names))
        if transport:
            transport.abort()
        raise ConnectionResetError("common name is invalid")
    return await handler(request)


class StreamEndpoint:
    """Serves the guests of one node."""

    def __init__(self, node: str, kubelet: Kubelet, handler: VirtHandler, context: AgentContext) -> None:
        self._node = node
        self._kubelet = kubelet
        self._handler = handler
        self._dataplane = context.dataplane
        self._fault_points = context.fault_points
        self._runners: list[web.AppRunner] = []
        self._forwards: dict[str, set[socket.socket]] = {}
        handler.migrations.on_leave(self._guest_left)

    async def start(self, sockets: NodeSockets, tls: ssl.SSLContext | None, kubelet_tls: ssl.SSLContext | None) -> None:
        """``tls`` asks clients for a certificate, of which virt-handler reads the name; the kubelet asks for none."""
        app = web.Application(middlewares=[only_virt_api])
        app.router.add_get(f"{BASE}/console", self._console)
        app.router.add_get(f"{BASE}/portforward/{{port}}/{{protocol}}", self._forward)
        app.router.add_get(f"{BASE}/guestosinfo", self._agent_data(guest_os_info))
        app.router.add_get(f"{BASE}/userlist", self._agent_data(lambda d: _listing(d, "users")))
        app.router.add_get(f"{BASE}/filesystemlist", self._agent_data(lambda d: _listing(d, "filesystems")))
        for verb in ("pause", "unpause", "freeze", "unfreeze", "softreboot", "reset"):
            app.router.add_put(f"{BASE}/{verb}", self._order(verb))
        kubelet = web.Application()
        kubelet.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        for served, listening, context in ((app, sockets.console, tls), (kubelet, sockets.kubelet, kubelet_tls)):
            runner = web.AppRunner(served, access_log=None, handle_signals=False, shutdown_timeout=0.2)
            await runner.setup()
            self._runners.append(runner)
            await web.SockSite(runner, listening, ssl_context=context).start()

    async def stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()

    def _domain(self, request: web.Request) -> Domain | None:
        place = request.match_info
        domain = self._handler.domains.of_key((place["namespace"], place["name"]))
        return domain if domain and domain.node == self._node and not domain.stopped.is_set() else None

    def _guest_left(self, domain: Domain) -> None:
        """Ends the streams through the pod that the guest has left."""
        for forwarded in self._forwards.pop(domain.pod_uid, ()):
            with contextlib.suppress(OSError):
                forwarded.shutdown(socket.SHUT_RDWR)

    async def _console(self, request: web.Request) -> web.StreamResponse:
        domain = self._domain(request)
        if domain is None:
            return web.Response(status=400, text=NO_SERIAL)
        websocket = await _upgrade(request)
        try:
            console = await self._dataplane.console(domain.uid)
        except (DataPlaneError, OSError) as error:
            log.info("console of %s: %s", domain.key, error)
            _hang_up(request)
            return websocket
        try:
            await _either(self._from_console(console, websocket, domain), _to_console(websocket, console))
        finally:
            await console.close()
            _hang_up(request)
        return websocket

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        """The kubelet's own path; only launchers write logs."""
        place = request.match_info
        pod = self._kubelet.pod((place["namespace"], place["pod"]))
        if pod is None or place["container"] != "compute":
            return web.Response(text="")
        tail = request.query.get("tailLines", "")
        text = self._kubelet.logs.read(
            pod["metadata"]["uid"],
            tail=int(tail) if tail.isdecimal() else None,
            timestamps=request.query.get("timestamps") in ("true", "1"),
        )
        return web.Response(text=text)

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        domain = self._domain(request)
        if domain is None:
            return web.Response(status=400, text="VMI is not running")
        pod_uid, port = domain.pod_uid, request.match_info["port"]
        sandbox = self._kubelet.sandboxes.get(pod_uid)
        place = f"{sandbox.primary.ips[0] if sandbox else ''}:{port}"
        try:
            self._fault_points.apply("agent.dial", None, domain=domain, port=port)
            guest = await self._dataplane.dial(pod_uid, int(port), request.match_info["protocol"])
        except ValueError:
            return web.Response(status=500, text=f"dial tcp: address {port}: invalid port")
        except (DataPlaneError, OSError) as error:
            return web.Response(status=500, text=f"dial tcp {place}: connect: {_dial_error(error)}")
        guest.setblocking(False)
        self._forwards.setdefault(pod_uid, set()).add(guest)
        try:
            websocket = await _upgrade(request)
            await _either(self._from_guest(guest, websocket, domain), _to_guest(websocket, guest))
        finally:
            self._forwards.get(pod_uid, set()).discard(guest)
            guest.close()
            _hang_up(request)
        return websocket

    async def _from_console(self, console: Console, websocket: web.WebSocketResponse, domain: Domain) -> None:
        while data := await console.read():
            if not await self._pass_on("console", data, websocket, domain):
                return

    async def _from_guest(self, guest: socket.socket, websocket: web.WebSocketResponse, domain: Domain) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(guest, CHUNK):
            if not await self._pass_on("port-forward", data, websocket, domain):
                return

    async def _pass_on(self, kind: str, data: bytes, websocket: web.WebSocketResponse, domain: Domain) -> bool:
        """Sends data to the client; False if the stream has to end."""
        seen: bytes | None = self._fault_points.apply("agent.stream_output", data, kind=kind, domain=domain)
        if seen:
            await websocket.send_bytes(seen)
        return seen is not None

    def _agent_data(self, render: Callable[[Domain], dict[str, Any]]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            domain = self._domain(request)
            if domain is None or domain.report is None:
                return web.Response(status=500, text=NO_AGENT)
            return web.json_response(render(domain))

        return handle

    def _order(self, verb: str) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            domain = self._domain(request)
            if domain is None:
                return web.Response(status=400, text="VMI is not running")
            if verb in ("pause", "unpause"):
                await self._handler.set_paused(domain, verb == "pause")
            elif verb in ("softreboot", "reset"):
                await self._dataplane.reboot(domain.uid)
            return web.Response(status=202 if verb in ("pause", "unpause") else 200)

        return handle


def guest_os_info(domain: Domain) -> dict[str, Any]:
    """The guest agent's data in virt-handler's form."""
    report = domain.seen(domain.report)
    if report is None:
        return {}
    return {
        "guestAgentVersion": "9.1.0",
        "supportedCommands": [{"name": "guest-ping", "enabled": True, "successResponse": True}],
        "hostname": report.hostname,
        "os": report.os,
        "timezone": report.timezone,
        "userList": list(report.users),
        "fsInfo": {"disks": list(report.filesystems)},
        "fsFreezeStatus": "thawed",
    }


def _listing(domain: Domain, field: str) -> dict[str, Any]:
    return {"metadata": {}, "items": list(getattr(domain.report, field))}


async def _upgrade(request: web.Request) -> web.WebSocketResponse:
    websocket = web.WebSocketResponse(protocols=(PROTOCOL,), autoclose=False, compress=False, max_msg_size=0)
    await websocket.prepare(request)
    return websocket


def _hang_up(request: web.Request) -> None:
    """Ends the TCP connection without a close frame, as virt-handler does."""
    if request.transport:
        request.transport.close()


async def _either(*directions: Awaitable[None]) -> None:
    """Runs both directions of a stream until one of them ends."""
    tasks = [asyncio.ensure_future(direction) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception) and not isinstance(ended, OSError):
                log.warning("stream ended: %r", ended)


async def _to_console(websocket: web.WebSocketResponse, console: Console) -> None:
    async for data in _client_data(websocket):
        await console.write(data)


async def _to_guest(websocket: web.WebSocketResponse, guest: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    async for data in _client_data(websocket):
        await loop.sock_sendall(guest, data)


async def _client_data(websocket: web.WebSocketResponse) -> Any:
    """The binary messages of the client until it closes; its close frame is echoed with the same code."""
    while True:
        message = await websocket.receive()
        if message.type is WSMsgType.BINARY:
            yield message.data
        elif message.type is WSMsgType.CLOSE:
            code = message.data or 0
            await websocket.send_frame(code.to_bytes(2, "big") if code else b"", WSMsgType.CLOSE)
            return
        elif message.type is not WSMsgType.TEXT:
            return


def _dial_error(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, TimeoutError):
        return "connection timed out"
    return str(error)
