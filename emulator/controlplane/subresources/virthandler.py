# SPDX-License-Identifier: Apache-2.0
"""virt-api's side of the connection to the virt-handler of a node."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import ssl
from dataclasses import dataclass

import aiohttp

from emulator.controlplane.accessors import Obj, labels_of, phase
from emulator.controlplane.context import Shared
from emulator.controlplane.subresources.responses import bad_request
from emulator.controlplane.subresources.upgrade import PROTOCOL

READ_SIZE = 64 * 1024


class Unreachable(Exception):
    """virt-handler's endpoint cannot be reached; the message is Go's."""


class HandshakeRefused(Exception):
    """virt-handler answered with another status than 101."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(body)
        self.status = status
        self.body = body


@dataclass
class Backend:
    """A websocket to virt-handler, as raw bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def read(self) -> bytes:
        """b"" at the end, whatever ended it."""
        try:
            return await self.reader.read(READ_SIZE)
        except (OSError, ssl.SSLError):
            return b""

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self.writer.close()


class VirtHandlers:
    """Finds the virt-handler of a VMI's node by its pod, and connects to it."""

    def __init__(self, shared: Shared, tls: ssl.SSLContext | None) -> None:
        self.shared = shared
        self.tls = tls

    def address(self, vmi: Obj) -> tuple[str, int]:
        """(IP, port); Refusal where the VMI's node has no running virt-handler."""
        return self.address_on(vmi.get("status", {}).get("nodeName", ""))

    def address_on(self, node: str) -> tuple[str, int]:
        """(IP, port); Refusal where the node has no running virt-handler."""
        for pod in self.shared.pods.all(self.shared.platform.kubevirt_namespace):
            ours = labels_of(pod).get("kubevirt.io") == "virt-handler" and pod["spec"].get("nodeName") == node
            ip = pod.get("status", {}).get("podIP")
            if ours and ip and phase(pod) == "Running":
                ports = pod["spec"]["containers"][0].get("ports") or []
                if ports:
                    return str(ip), int(ports[0]["containerPort"])
        raise bad_request(f"No virt-handler on node {node} found")

    def path(self, vmi: Obj, rest: str) -> str:
        meta = vmi["metadata"]
        return f"/v1/namespaces/{meta['namespace']}/virtualmachineinstances/{meta['name']}/{rest}"

    async def open(self, vmi: Obj, rest: str) -> Backend:
        """A websocket; Refusal, Unreachable or HandshakeRefused otherwise."""
        ip, port = self.address(vmi)
        try:
            reader, writer = await asyncio.open_connection(ip, port, ssl=self.tls)
        except OSError as error:
            raise Unreachable(f"dial tcp {ip}:{port}: {go_error(error)}") from error
        try:
            key = base64.b64encode(os.urandom(16)).decode()
            lines = (
                f"GET {self.path(vmi, rest)} HTTP/1.1",
                f"Host: {ip}:{port}",
                "User-Agent: Go-http-client/1.1",
                "Connection: Upgrade",
                "Upgrade: websocket",
                f"Sec-WebSocket-Key: {key}",
                f"Sec-WebSocket-Protocol: {PROTOCOL}",
                "Sec-WebSocket-Version: 13",
            )
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            await writer.drain()
            status, headers = await _read_head(reader)
            if status != 101:
                body = await reader.read(min(int(headers.get("content-length", "1024")), 4096))
                raise HandshakeRefused(status, body.decode(errors="replace").strip())
        except BaseException:
            writer.close()
            raise
        return Backend(reader, writer)

    async def call(self, method: str, vmi: Obj, rest: str, body: bytes | None = None) -> tuple[int, bytes]:
        """One HTTP request to the node of a VMI; Unreachable if its endpoint cannot be reached."""
        return await self.request(method, vmi.get("status", {}).get("nodeName", ""), self.path(vmi, rest), body)

    async def kubelet_request(self, method: str, name: str, path: str) -> tuple[int, bytes]:
        """One HTTP request to a node's kubelet; Unreachable if it cannot be reached."""
        status = (self.shared.nodes.get("", name) or {}).get("status") or {}
        ips = [entry["address"] for entry in status.get("addresses") or [] if entry["type"] == "InternalIP"]
        port = status.get("daemonEndpoints", {}).get("kubeletEndpoint", {}).get("Port")
        if not ips or not port:
            raise Unreachable(f"no preferred addresses found; known addresses: {ips}")
        return await self._request(method, (str(ips[0]), int(port)), path)

    async def request(self, method: str, node: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """One HTTP request to a node's virt-handler; Unreachable if its endpoint cannot be reached."""
        return await self._request(method, self.address_on(node), path, body)

    async def _request(
        self, method: str, address: tuple[str, int], path: str, body: bytes | None = None
    ) -> tuple[int, bytes]:
        ip, port = address
        url = f"{'https' if self.tls else 'http'}://{ip}:{port}{path}"
        connector = aiohttp.TCPConnector(ssl=self.tls or True)
        try:
            async with (
                aiohttp.ClientSession(connector=connector) as session,
                session.request(method, url, data=body, headers={"Accept": "application/json"}) as answer,
            ):
                return answer.status, await answer.read()
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(
                f'{method.capitalize()} "{url}": dial tcp {ip}:{port}: {go_error(error.os_error)}'
            ) from error
        except aiohttp.ClientError as error:
            raise Unreachable(f'{method.capitalize()} "{url}": {error}') from error


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
        raise Unreachable("unexpected EOF") from error
    first, *rest = head.split("\r\n")
    headers = {}
    for line in rest:
        name, found, value = line.partition(":")
        if found:
            headers[name.strip().lower()] = value.strip()
    return int(first.split(" ")[1]), headers


def go_error(error: OSError) -> str:
    """The error of a dial as Go prints it."""
    if isinstance(error, ConnectionRefusedError):
        return "connect: connection refused"
    if isinstance(error, TimeoutError):
        return "i/o timeout"
    return f"connect: {(error.strerror or str(error)).lower()}"
