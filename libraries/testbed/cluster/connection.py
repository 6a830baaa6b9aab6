"""From a kubeconfig to a connection: TLS, credentials, proxy; one pool for requests, one bundle for websockets.

Nothing is sent here. ``Cluster`` (cluster.py) speaks the Kubernetes API over it.
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from testbed.errors import BadInput, LabError

IN_CLUSTER = "the pod's service account"


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
    bearer token of this moment, so ask anew for each stream.
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
            arguments["http_no_proxy"] = ["*"]
        else:
            arguments |= {
                "http_proxy_host": self.proxy.host,
                "http_proxy_port": self.proxy.port,
                "http_proxy_auth": self.proxy.auth,
                "proxy_type": self.proxy.scheme,
            }
        return arguments


class Connection:
    """Where the API server is and who we are. Safe for use by several threads.

    ``source`` is what a message names: the kubeconfig's path and context, or the pod's service account.
    """

    def __init__(self, configuration: Any, source: str, reload: Any = None) -> None:
        from kubernetes.client.rest import RESTClientObject  # noqa: PLC0415 - importing a library must cost nothing

        self.source = source
        self.configuration = configuration
        self.configuration.connection_pool_maxsize = 16
        self.configuration.keep_alive = True
        self.pool = RESTClientObject(configuration).pool_manager
        self._reload = reload
        self._lock = threading.Lock()
        self._ssl: ssl.SSLContext | None = None

    @property
    def server(self) -> str:
        """URL of the API server, without a slash at its end."""
        return str(self.configuration.host).rstrip("/")

    def headers(self) -> dict[str, str]:
        """Headers that authenticate a request made now; an expired token is renewed first where the kubeconfig can."""
        with self._lock:
            headers = {"User-Agent": "kubevirt-live-nad-tests"}
            token = self.configuration.get_api_key_with_prefix("BearerToken")
            if token:
                headers["Authorization"] = token
            return headers

    def renew(self) -> bool:
        """Read the credentials again (token file, exec plugin); False when there is nothing to read again."""
        if self._reload is None:
            return False
        fresh = self._reload()
        with self._lock:
            self.configuration.api_key = fresh.api_key
            self.configuration.refresh_api_key_hook = fresh.refresh_api_key_hook
        return True

    def stream_options(self) -> StreamOptions:
        """What a websocket client needs, with the token of this moment."""
        url = urlsplit(self.server)
        secure = url.scheme == "https"
        base = f"{'wss' if secure else 'ws'}://{url.netloc}{url.path}".rstrip("/")
        sslopt: dict[str, Any] = {}
        if secure:
            sslopt["context"] = self.ssl_context()
            if self.configuration.tls_server_name:
                sslopt["server_hostname"] = self.configuration.tls_server_name
        return StreamOptions(base, self.headers(), sslopt, self._proxy())

    def ssl_context(self) -> ssl.SSLContext:
        """TLS as the kubeconfig says: its CA, its client certificate, verified unless it says otherwise."""
        if self._ssl is None:
            configuration = self.configuration
            context = ssl.create_default_context(
                cafile=configuration.ssl_ca_cert or None, cadata=configuration.ca_cert_data or None
            )
            if not configuration.verify_ssl:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            if configuration.cert_file:
                context.load_cert_chain(configuration.cert_file, configuration.key_file)
            self._ssl = context
        return self._ssl

    def close(self) -> None:
        """Close idle connections."""
        self.pool.clear()

    def _proxy(self) -> Proxy | None:
        from kubernetes.client.rest import should_bypass_proxies  # noqa: PLC0415

        address = self.configuration.proxy
        if not address or should_bypass_proxies(self.server, self.configuration.no_proxy or ""):
            return None
        url = urlsplit(address)
        if not url.hostname:
            raise BadInput(f'proxy "{address}" of {self.source}: expected a URL such as http://proxy.example:3128')
        auth = (url.username, url.password or "") if url.username else None
        return Proxy("http" if url.scheme == "https" else url.scheme, url.hostname, url.port or 80, auth)


def open_connection(kubeconfig: str = "", context: str = "") -> Connection:
    """Read a kubeconfig (several files separated by ``:`` are merged) and choose a context.

    ``kubeconfig`` empty: ``$KUBECONFIG``, then ``~/.kube/config``, then the service account of the pod we run in.
    Raises BadInput that names the file and the remedy.
    """
    origin = "variable KUBECONFIG" if kubeconfig else "environment variable KUBECONFIG"
    files = kubeconfig or os.environ.get("KUBECONFIG", "")
    if not files:
        default = Path("~/.kube/config").expanduser()
        if not default.is_file() and os.environ.get("KUBERNETES_SERVICE_HOST"):
            return Connection(_in_cluster(), IN_CLUSTER, _in_cluster)
        files, origin = str(default), "the default path"
    paths = [Path(part).expanduser() for part in files.split(os.pathsep) if part]
    missing = [path for path in paths if not path.is_file()]
    if len(missing) == len(paths):
        raise BadInput(
            f'kubeconfig "{files}" ({origin}) does not exist; give one with --variable KUBECONFIG:<path> or the '
            "environment variable KUBECONFIG, or start an embedded cluster: python -m emulator up"
        )
    joined = os.pathsep.join(str(path) for path in paths if path not in missing)

    def load() -> Any:
        return _load(joined, context)

    configuration = load()
    return Connection(configuration, f"{joined} (context {context})" if context else joined, load)


def _in_cluster() -> Any:
    from kubernetes import client, config  # noqa: PLC0415

    configuration = client.Configuration()
    loader: Any = config
    with _named(IN_CLUSTER):
        loader.load_incluster_config(client_configuration=configuration)
    return configuration


def _load(files: str, context: str) -> Any:
    from kubernetes import client, config  # noqa: PLC0415

    loader: Any = config
    with _named(files):
        known, current = loader.list_kube_config_contexts(config_file=files)
        names = [str(entry["name"]) for entry in known]
        if context and context not in names:
            raise BadInput(
                f'context "{context}" (variable CONTEXT) is not in kubeconfig {files}; it has: {", ".join(names)}'
            )
        chosen = context or str(current["name"])
        configuration = client.Configuration()
        loader.load_kube_config(
            config_file=files, context=chosen, client_configuration=configuration, persist_config=False
        )
    if not str(configuration.host).startswith(("https://", "http://")):
        raise BadInput(f'kubeconfig {files}, context "{chosen}": server "{configuration.host}" is not a URL')
    return configuration


@contextmanager
def _named(source: str) -> Iterator[None]:
    """Whatever goes wrong while credentials are read becomes one line that names where they are read from."""
    try:
        yield
    except LabError:
        raise
    except Exception as error:  # the client raises ValueError, KeyError, YAML and its own errors alike
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise BadInput(f"cannot use {source}: {first}; check it with: kubectl --kubeconfig {source} version") from error
