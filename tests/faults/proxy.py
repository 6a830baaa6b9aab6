# SPDX-License-Identifier: Apache-2.0
"""A proxy between the libraries and the API server, HTTPS on both sides, through which a fault comes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import trustme
import yaml

from tests.faults.exchange import Exchange, Fate, Sent
from tests.faults.wire import body_of, read_head


class Fault(Protocol):
    """What happens to each request."""

    async def meet(self, exchange: Exchange) -> None: ...


class FaultProxy:
    """``kubeconfig`` leads through it. ``sent`` is the record of what was sent; read it when the clients are done."""

    def __init__(self, behind: Path, fault: Fault, kubeconfig: Path) -> None:
        config = yaml.safe_load(behind.read_text(encoding="utf-8"))
        cluster = config["clusters"][0]["cluster"]
        url = urlsplit(cluster["server"])
        self._address = (str(url.hostname), int(url.port or 443))
        self._trusts = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode()
        )
        self._fault = fault
        self.sent: list[Sent] = []
        authority = trustme.CA()
        self._certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self._certificate)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        cluster["server"] = f"https://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        cluster["certificate-authority-data"] = base64.b64encode(authority.cert_pem.bytes()).decode()
        kubeconfig.write_text(yaml.safe_dump(config), encoding="utf-8")
        self.kubeconfig = kubeconfig

    def stop(self) -> None:
        """End all connections."""

        async def end() -> None:
            self._server.close()
            # Again and again: closing a TLS connection may take a cancellation for itself, and wait on.
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                for task in others:
                    task.cancel()
                await asyncio.wait(others, timeout=0.2)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def repeated(self) -> list[str]:
        """The writes that were sent again, in the same words, though they had been carried out; a line each.

        A deletion names the object by its UID, or is one of a name that only this run uses: a second one does no harm.
        Nor does a second renewal of a lease, which tests its holder first.
        """
        lost: set[tuple[str, str, bytes]] = set()
        found = []
        for one in self.sent:
            words = (one.verb, one.target, one.body)
            if words in lost:
                found.append(f"{one.verb} {one.target} {one.body[:200].decode(errors='replace')}")
            harmless = one.verb == "DELETE" or _renews(one)
            if one.fate is Fate.LOST and one.is_write and not harmless and one.status < 300:
                lost.add(words)
        return found

    async def _start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._certificate)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            while await self._serve_one(reader, writer):
                pass
        writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await read_head(reader)
        if head is None:
            return False
        body = b"".join([piece async for piece in body_of(reader, head, is_answer=False)])
        exchange = Exchange(head, body, (reader, writer), self._connect)
        self.sent.append(exchange.sent)
        await self._fault.meet(exchange)
        return exchange.stays_open

    def _connect(self) -> asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        host, port = self._address
        return asyncio.ensure_future(asyncio.open_connection(host, port, ssl=self._trusts))


def _renews(one: Sent) -> bool:
    return one.verb == "PATCH" and "/leases/" in one.target and b'"path": "/spec/holderIdentity"' in one.body


@contextmanager
def proxied(behind: Path, fault: Fault, kubeconfig: Path) -> Iterator[FaultProxy]:
    """A proxy for the time of the block. ``behind`` is the kubeconfig of the cluster itself."""
    proxy = FaultProxy(behind, fault, kubeconfig)
    try:
        yield proxy
    finally:
        proxy.stop()
