# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the API server's streams: port-forward to a local TCP port, console to a scripted handler.

It runs an event loop in a thread, so that the synchronous code under test meets a real socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import asyncssh
from aiohttp import WSMsgType, web
from livenad.api.connection import StreamOptions

T = TypeVar("T")
TOKEN = "a-secret-token"
ConsoleHandler = Callable[[web.WebSocketResponse], Awaitable[None]]


class LoopThread:
    """An event loop of its own, to be used from synchronous tests."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout: float = 20) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    def stop(self) -> None:
        async def cancel_all() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.run(cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


class StreamServer:
    """Serves ``console`` and ``portforward``; ``target`` is the TCP port behind the latter, None refuses to dial."""

    def __init__(self, thread: LoopThread, tls: ssl.SSLContext | None = None) -> None:
        self._thread = thread
        self.refusal = ""
        self._tls = tls
        self.target: int | None = None
        self.console: ConsoleHandler | None = None
        self.paths: list[str] = []
        self.authorizations: list[str] = []
        self.silent = False
        self._forwards: set[web.WebSocketResponse] = set()
        self._runner: web.AppRunner | None = None
        self.port = thread.run(self._start())

    @property
    def options(self) -> StreamOptions:
        return StreamOptions(f"ws://127.0.0.1:{self.port}", {"Authorization": f"Bearer {TOKEN}"}, {})

    def cut_streams(self) -> None:
        """Ends every stream without a close frame, as a switch-over does."""

        async def cut() -> None:
            for socket in list(self._forwards):
                transport = socket._req.transport if socket._req else None
                if transport:
                    transport.abort()

        self._thread.run(cut())

    def stop(self) -> None:
        assert self._runner is not None
        self.cut_streams()
        self._thread.run(self._runner.cleanup())

    async def _start(self) -> int:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        self.authorizations.append(request.headers.get("Authorization", ""))
        socket = web.WebSocketResponse(protocols=("plain.kubevirt.io",))
        if request.path.endswith("/console"):
            if self.console is None:
                return web.Response(status=404, text='{"kind":"Status","message":"VMI \\"web\\" not found"}')
            await socket.prepare(request)
            self._forwards.add(socket)
            await self.console(socket)
            return socket
        if self.refusal:
            return web.Response(status=500, text=self.refusal)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.target or 1)
        except OSError as error:
            return web.Response(status=500, text=f"Internal error occurred: dialing VM: {error}")
        await socket.prepare(request)
        self._forwards.add(socket)
        back = asyncio.create_task(self._backward(reader, socket))
        with contextlib.suppress(ConnectionError):
            async for message in socket:
                if message.type is WSMsgType.BINARY and not self.silent:
                    writer.write(message.data)
                    await writer.drain()
        back.cancel()
        writer.close()
        self._forwards.discard(socket)
        return socket

    async def _backward(self, reader: asyncio.StreamReader, socket: web.WebSocketResponse) -> None:
        """As virt-api does: each read is an unfinished binary frame, then an empty final continuation."""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(32768):
                if not self.silent:
                    await socket.ping(b"keep alive")
                    await socket.send_bytes(data)
            transport = socket._req.transport if socket._req else None
            if transport:
                transport.close()


class SshServer:
    """OpenSSH's part, by asyncssh: one user with one key; commands run by ``sh -c``; ``habits`` of its own."""

    def __init__(
        self, thread: LoopThread, user: str = "tester", habits: type[asyncssh.SSHServer] = asyncssh.SSHServer
    ) -> None:
        self._thread = thread
        self._habits = habits
        self.user = user
        self.user_key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.connections = 0
        self.commands: list[str] = []
        self.port = thread.run(self._start())

    @property
    def private_key(self) -> str:
        return self.user_key.export_private_key("openssh").decode()

    @property
    def host_public_key(self) -> str:
        return self.host_key.export_public_key("openssh").decode().strip()

    def stop(self) -> None:
        self._server.close()

    async def _start(self) -> int:
        keys = asyncssh.import_authorized_keys(self.user_key.export_public_key("openssh").decode())
        outer = self

        class Server(self._habits):  # type: ignore[misc, name-defined]
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                outer.connections += 1
                super().connection_made(conn)

        self._server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Server,
            server_host_keys=[self.host_key],
            authorized_client_keys=keys,
            process_factory=self._process,
            encoding=None,
        )
        return int(self._server.get_port())

    async def _process(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        command = process.command or ""
        self.commands.append(command)
        child = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        feeding = asyncio.create_task(self._feed(process.stdin, child.stdin))
        pumps = [
            asyncio.create_task(self._pump(source, sink))
            for source, sink in ((child.stdout, process.stdout), (child.stderr, process.stderr))
        ]
        try:
            await asyncio.gather(*pumps)
            process.exit(await child.wait())
        finally:
            feeding.cancel()
            if child.returncode is None:
                child.kill()
                await asyncio.shield(child.wait())

    async def _feed(self, source: asyncssh.SSHReader[bytes], sink: asyncio.StreamWriter | None) -> None:
        assert sink is not None
        with contextlib.suppress(ConnectionError, asyncssh.Error):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def _pump(self, source: asyncio.StreamReader | None, sink: asyncssh.SSHWriter[bytes]) -> None:
        assert source is not None
        with contextlib.suppress(BrokenPipeError, asyncssh.ConnectionLost):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
