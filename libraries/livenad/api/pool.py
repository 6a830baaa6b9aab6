# SPDX-License-Identifier: Apache-2.0
"""Connections for requests: kept while they are young, and known to be dead soon even if the peer does not say so."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError

from livenad.api.bounded import within

IDLE_SECONDS = 15.0
"""A connection that was not used for so long is not used again: balancers drop idle ones without a word."""

LOOK_UP_SHARE = 2
"""How many times its limit a connection may take together with the look-up of the server's name."""

SIZE = 16
"""Connections that are kept for further requests."""

_KEEP_ALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}

TCP_OPTIONS: list[tuple[int, int, int]] = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in _KEEP_ALIVE.items()
        if hasattr(socket, name)
    ),
]
"""Traffic on quiet connections, so that balancers keep them; and an end, after 20 s, of those that get no answer."""


class _Ageing(HTTPConnection):
    """A connection that counts as dropped once it has been idle for long."""

    _answered_at = 0.0

    def _new_conn(self) -> socket.socket:
        """The library's limit is one for each address, and none for the look-up of the name."""
        connect = super()._new_conn
        if not isinstance(self.timeout, int | float):
            return connect()
        limit = LOOK_UP_SHARE * self.timeout
        try:
            return within(limit, connect, lambda late: late.close())
        except TimeoutError:
            raise ConnectTimeoutError(self, f"no connection to {self.host} within {limit:.1f} s") from None

    def getresponse(self) -> Any:
        answer = super().getresponse()
        self._answered_at = time.monotonic()
        return answer

    @property
    def is_connected(self) -> bool:
        return super().is_connected and time.monotonic() - self._answered_at < IDLE_SECONDS


class _AgeingTls(_Ageing, HTTPSConnection):
    pass


class _Plain(HTTPConnectionPool):
    ConnectionCls = _Ageing


class _Tls(HTTPSConnectionPool):
    ConnectionCls = _AgeingTls


def new_pool(
    context: ssl.SSLContext, server_name: str = "", proxy: str = "", proxy_headers: dict[str, str] | None = None
) -> urllib3.PoolManager:
    """A pool, through a proxy where one is given. ImportError, or an error of urllib3, where that cannot be used.

    ``server_name`` is what the server's certificate must name, where that is not its host.
    """
    options: dict[str, Any] = {"ssl_context": context, "maxsize": SIZE, "socket_options": TCP_OPTIONS}
    if server_name:
        options["server_hostname"] = server_name
    if proxy.startswith("socks"):
        return _socks_pool(proxy, options)
    if proxy:
        pool: urllib3.PoolManager = urllib3.ProxyManager(
            proxy, proxy_headers=proxy_headers, proxy_ssl_context=context, **options
        )
    else:
        pool = urllib3.PoolManager(**options)
    pool.pool_classes_by_scheme = {"http": _Plain, "https": _Tls}
    return pool


def _socks_pool(proxy: str, options: dict[str, Any]) -> urllib3.PoolManager:
    from urllib3.contrib import socks  # noqa: PLC0415 - it needs a package of its own

    class Plain(_Ageing, socks.SOCKSConnection):
        pass

    class Tls(_Ageing, socks.SOCKSHTTPSConnection):
        pass

    class PlainPool(socks.SOCKSHTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(socks.SOCKSHTTPSConnectionPool):
        ConnectionCls = Tls

    pool = socks.SOCKSProxyManager(proxy, **options)
    pool.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
    return pool
