# SPDX-License-Identifier: Apache-2.0
"""A virt-handler's stream endpoint for the tests of virt-api: an echoing console and a port that says hello."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import WSMsgType, web

from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.users import ADMIN
from emulator.controlplane import names

from .lab import Lab

BASE = "/v1/namespaces/{namespace}/virtualmachineinstances/{name}"


class Handler:
    """Registers itself as the virt-handler pod of a node, as the node agent does."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.console_serves = True
        self.order_status = 200
        self.greeting = b"hello\r\n"
        self.client_closed = asyncio.Event()
        self.node = ""
        self._runner: web.AppRunner | None = None

    async def start(self, lab: Lab, node: str) -> None:
        self.node = node
        app = web.Application()
        app.router.add_get(f"{BASE}/console", self._console)
        app.router.add_get(f"{BASE}/portforward/{{port}}/{{protocol}}", self._forward)
        app.router.add_get(f"{BASE}/{{what}}", self._data)
        app.router.add_put(f"{BASE}/{{what}}", self._order)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        client = LocalClient(lab.core, ADMIN)
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"virt-handler-{node}",
                "namespace": "kubevirt",
                "labels": {"kubevirt.io": "virt-handler"},
            },
            "spec": {
                "nodeName": node,
                "containers": [{"name": "virt-handler", "image": "i", "ports": [{"containerPort": port}]}],
            },
        }
        await client.create(names.PODS, pod)
        status = {"status": {"phase": "Running", "podIP": "127.0.0.1"}}
        written = await client.patch(names.PODS, f"virt-handler-{node}", "kubevirt", status, subresource="status")
        await lab.plane.shared.pods.catch_up(written)

    async def leave(self, lab: Lab, *, back: bool = False) -> str:
        """Its pod loses the label by which virt-api finds it, or gets it back; the node's name."""
        client = LocalClient(lab.core, ADMIN)
        patch = {"metadata": {"labels": {"kubevirt.io": "virt-handler" if back else None}}}
        written = await client.patch(names.PODS, f"virt-handler-{self.node}", "kubevirt", patch)
        await lab.plane.shared.pods.catch_up(written)
        return self.node

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _console(self, request: web.Request) -> web.StreamResponse:
        if not self.console_serves:
            return web.Response(status=400, text="failed to find the serial socket")
        socket = web.WebSocketResponse(protocols=("plain.kubevirt.io",), autoclose=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type == WSMsgType.BINARY:
                if message.data == b"bye":
                    break
                await socket.send_bytes(message.data)
        self.client_closed.set()
        if request.transport:
            request.transport.close()
        return socket

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["port"] == "1":
            return web.Response(status=500, text="dial tcp 10.244.0.9:1: connect: connection refused")
        socket = web.WebSocketResponse(autoclose=False)
        await socket.prepare(request)
        await socket.send_bytes(self.greeting)
        with contextlib.suppress(ConnectionError):
            async for message in socket:
                if message.type == WSMsgType.BINARY:
                    if message.data == b"bye":
                        break
                    await socket.send_bytes(message.data)
        if request.transport:
            request.transport.close()
        return socket

    async def _data(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.match_info["what"])
        return web.json_response({"hostname": "vm1"})

    async def _order(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.match_info["what"])
        return web.Response(status=self.order_status, text="server error" if self.order_status > 299 else "")
