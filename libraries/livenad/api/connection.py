# SPDX-License-Identifier: Apache-2.0
"""A connection: TLS, credentials, proxy; one pool for requests, one bundle for websockets.

Nothing is sent here. ``Cluster`` (cluster.py) speaks the Kubernetes API over it.
"""

from __future__ import annotations

import ssl
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import urllib3
from urllib3 import HTTPHeaderDict

from livenad.api import bounded
from livenad.api.kubeconfig import IN_CLUSTER, PLUGIN_SECONDS, Access, files_of, load, load_in_cluster
from livenad.api.pool import new_pool
from livenad.api.tls import context_of, fingerprint
from livenad.errors import BadInput, LabError
from livenad.secret_text import remember
from livenad.text import human

_RENEWED_JUST_NOW = 2.0
"""Seconds in which one renewal serves all threads whose requests were refused with the old token."""


@dataclass(frozen=True)
class Proxy:
    """A proxy between us and the API server; ``scheme`` is http, socks4, socks4a, socks5 or socks5h."""

    scheme: str
    host: str
    port: int
    auth: tuple[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class StreamOptions:
    """Everything that a websocket client needs to open a stream on the API server.

    ``base_url`` is ``wss://host:port`` with the server's path prefix, without a slash at its end; ``headers`` hold the
    bearer token of this moment, so ask again for each stream.
    """

    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    sslopt: Mapping[str, Any] = field(repr=False)
    proxy: Proxy | None = None

    def websocket_arguments(self) -> dict[str, Any]:
        """Keyword arguments for ``websocket.create_connection``; the environment's proxies are never consulted."""
        arguments: dict[str, Any] = {
            "header": [f"{name}: {value}" for name, value in self.headers.items()],
            "sslopt": dict(self.sslopt),
        }
        if self.proxy is None:
            # Without a proxy's name the client goes by the environment, whatever else it is told.
            arguments |= {"http_proxy_host": "no-host.invalid", "http_proxy_port": 9, "http_no_proxy": ["*"]}
        else:
            arguments |= {
                "http_proxy_host": self.proxy.host,
                "http_proxy_port": self.proxy.port,
                "http_proxy_auth": self.proxy.auth,
                "proxy_type": self.proxy.scheme,
                # Left empty, the client would go by NO_PROXY of the environment once more.
                "http_no_proxy": ["no-host.invalid"],
            }
        return arguments


class Connection:
    """Where the API server is and who we are. Safe for use by several threads.

    ``source`` is what a message names: the kubeconfig's path and context, or the pod's service account. ``reload``
    reads the credentials again. ``verify`` false: the server's certificate is not verified; ``unverified`` says why so,
    "" where it is.
    """

    def __init__(
        self, configuration: Any, source: str, reload: Callable[[], Access] | None = None, *, verify: bool = True
    ) -> None:
        """``configuration`` is the client's, or an ``Access``: that with what is impersonated."""
        self._access = configuration if isinstance(configuration, Access) else Access(configuration)
        self.source = source
        self.unverified = ""
        if not verify:
            self.unverified = "variable VERIFY_TLS is no"
        elif not self.configuration.verify_ssl:
            self.unverified = f"{source} says insecure-skip-tls-verify"
        self._reload = reload
        self._lock = threading.Lock()
        self._renewing = threading.Lock()
        self._renewed = -_RENEWED_JUST_NOW
        self._shown = fingerprint(self.configuration)
        self._ssl = self._new_context(self.configuration)
        self.pool = self._new_pool()

    @property
    def configuration(self) -> Any:
        """The client's configuration, with the credentials of this moment."""
        return self._access.configuration

    @property
    def server(self) -> str:
        """URL of the API server, without a slash at its end."""
        return str(self.configuration.host).rstrip("/")

    def headers(self, within: float = PLUGIN_SECONDS) -> HTTPHeaderDict:
        """Headers of a request made now: credentials, impersonated user; expired credentials are renewed first."""
        headers = self.own_headers(within)
        for name, value in self._access.impersonation:
            headers.add(name, value)
        return headers

    def own_headers(self, within: float = PLUGIN_SECONDS) -> HTTPHeaderDict:
        """The same for a server that is not the API server: it knows of no impersonation."""
        expires = self._access.expires
        if expires is not None and (expires - datetime.now(UTC)).total_seconds() < _RENEWED_JUST_NOW:
            self.renew(within)
        with self._lock:
            headers = HTTPHeaderDict({"User-Agent": "kubevirt-live-nad-tests"})
            token = str(self.configuration.get_api_key_with_prefix("BearerToken") or "").strip()
        if token:
            # Files of tokens end with a line end; no message may tell one that no header can have.
            remember(token.partition(" ")[2])
            if not token.isprintable():
                raise BadInput(f"the token of {self.source} has a character that no header can have; log in again")
            headers["Authorization"] = token
        return headers

    def renew(self, within: float = PLUGIN_SECONDS) -> bool:
        """Read the credentials again (token file, certificate, exec plugin); False when there is nothing to read again.

        For all threads that ask within two seconds they are read once. LabError after ``within`` seconds.
        """
        if self._reload is None:
            return False
        began = time.monotonic()
        silent = (
            f"{self.source} gave no new credentials within {human(within)}: its exec plugin, or its file, was silent"
        )
        if not self._renewing.acquire(timeout=within):
            raise LabError(silent)
        try:
            if time.monotonic() - self._renewed < _RENEWED_JUST_NOW:
                return True
            try:
                fresh = bounded.within(within - (time.monotonic() - began), self._reload)
            except TimeoutError:
                raise LabError(silent) from None
            shown = fingerprint(fresh.configuration)
            context = self._ssl
            if shown != self._shown:
                context = self._new_context(fresh.configuration)
            with self._lock:
                self._access = fresh
                if shown != self._shown:
                    self._shown, self._ssl = shown, context
                    self.pool = self._new_pool()
            self._renewed = time.monotonic()
            return True
        finally:
            self._renewing.release()

    def has_new_certificate(self) -> bool:
        """Whether the files of certificates and keys have changed since they were read."""
        return fingerprint(self.configuration) != self._shown

    def discard(self, pool: urllib3.PoolManager) -> None:
        """Open new connections from now on: those that were idle beside a silent one are as dead. Once for a pool."""
        with self._lock:
            if self.pool is pool:
                self.pool = self._new_pool()

    def stream_options(self, within: float = PLUGIN_SECONDS) -> StreamOptions:
        """What a websocket client needs, with the credentials of this moment."""
        headers = self.headers(within)
        url = urlsplit(self.server)
        secure = url.scheme == "https"
        base = f"{'wss' if secure else 'ws'}://{url.netloc}{url.path}".rstrip("/")
        sslopt: dict[str, Any] = {}
        if secure:
            sslopt["context"] = self.ssl_context()
            if self.configuration.tls_server_name:
                sslopt["server_hostname"] = self.configuration.tls_server_name
        return StreamOptions(base, headers, sslopt, self._proxy())

    def ssl_context(self) -> ssl.SSLContext:
        """TLS as the kubeconfig says: its CA, its client certificate; verified unless `unverified` says why not."""
        return self._ssl

    def close(self) -> None:
        """Close idle connections."""
        self.pool.clear()

    def proxy_to(self, url: str) -> str:
        """The proxy on the way to a URL, "" for none."""
        from kubernetes.client.rest import should_bypass_proxies  # noqa: PLC0415

        address = str(self.configuration.proxy or "")
        return "" if should_bypass_proxies(url, self.configuration.no_proxy or "") else address

    def _new_context(self, configuration: Any) -> ssl.SSLContext:
        return context_of(configuration, self.source, verify=not self.unverified)

    def _new_pool(self) -> urllib3.PoolManager:
        """Connections for requests. Raises BadInput for a proxy that cannot be used."""
        from urllib3.exceptions import DependencyWarning, HTTPError, InsecureRequestWarning  # noqa: PLC0415
        from urllib3.util import make_headers  # noqa: PLC0415

        configuration = self.configuration
        if self.unverified:
            # Said once, by name, and not by the client at each request.
            warnings.simplefilter("ignore", InsecureRequestWarning)
        address = self.proxy_to(self.server)
        if address:
            url = self._proxy_url(address)
            if url.username and configuration.proxy_headers is None:
                login = f"{unquote(url.username)}:{unquote(url.password or '')}"
                configuration.proxy_headers = make_headers(proxy_basic_auth=login)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DependencyWarning)
            try:
                return new_pool(self._ssl, configuration.tls_server_name or "", address, configuration.proxy_headers)
            except (ImportError, HTTPError) as error:
                raise BadInput(
                    f"proxy {bare(address)} of {self.source} cannot be used: {error}; for a SOCKS proxy install "
                    "PySocks and python-socks"
                ) from error

    def _proxy(self) -> Proxy | None:
        address = self.proxy_to(self.server)
        if not address:
            return None
        url = self._proxy_url(address)
        if url.scheme == "https":
            raise BadInput(
                f"proxy {bare(address)} of {self.source}: console and port-forward streams go through no proxy that is "
                "itself reached by TLS; name one that takes http:// in proxy-url or HTTPS_PROXY"
            )
        auth = (unquote(url.username), unquote(url.password or "")) if url.username else None
        return Proxy(url.scheme, str(url.hostname), url.port or 80, auth)

    def _proxy_url(self, address: str) -> SplitResult:
        url = urlsplit(address)
        if not url.hostname:
            raise BadInput(
                f'proxy "{address.rpartition("@")[2]}" of {self.source}: expected a URL such as http://proxy.example:3128'
            )
        return url


def bare(address: str) -> str:
    """A proxy's address without the credentials that may stand in it."""
    url = urlsplit(address)
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"


def open_connection(kubeconfig: str = "", context: str = "", *, verify: bool = True) -> Connection:
    """Read a kubeconfig (several files separated by ``:`` are merged) and choose a context.

    ``kubeconfig`` empty: ``$KUBECONFIG``, then ``~/.kube/config``, then the service account of the pod we run in.
    Raises BadInput that names the file and the remedy.
    """
    files = files_of(kubeconfig)
    if not files:
        return Connection(load_in_cluster(), IN_CLUSTER, load_in_cluster, verify=verify)

    def read() -> Access:
        return load(files, context)

    return Connection(read(), f"{files} (context {context})" if context else files, read, verify=verify)
