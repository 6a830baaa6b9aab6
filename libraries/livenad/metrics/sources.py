# SPDX-License-Identifier: Apache-2.0
"""Where the metrics of a cluster can be read: Thanos by its Route, a Prometheus by the API server, else the pods.

The first that answers and knows KubeVirt is taken. What we may not use is no fault: it is left out, and said so.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from livenad.api.api_errors import ApiError
from livenad.api.kinds import POD, Kind, Object, dig, meta
from livenad.api.pool import new_pool
from livenad.api.tls import verifying_context
from livenad.errors import LabError
from livenad.metrics.series import NAME, Labels, Unread, chosen, read_exposition, read_vector, selector

if TYPE_CHECKING:
    from livenad.api.client import Cluster

ROUTE = Kind("route.openshift.io/v1", "routes", "Route")
CONFIG_MAP = Kind("v1", "configmaps", "ConfigMap")
THANOS = ("openshift-monitoring", "thanos-querier")
INGRESS_CA = ("openshift-config-managed", "default-ingress-cert", "ca-bundle.crt")
PROMETHEUS = ("monitoring", "prometheus-k8s:9090")
CONTROLLERS = "kubevirt.io=virt-controller"
METRICS_PORT = 8443
EVIDENCE = '{__name__=~"kubevirt_virt_controller_.+|kubevirt_vmi_migrations_in_.+"}'
"""Series that there are on every cluster that KubeVirt is monitored on, even one without a VM."""

_API_HOST = re.compile(r"api(-int)?\.(?P<domain>[^:/]+)")

_TIMEOUT = urllib3.Timeout(connect=3.0, read=15.0)


class Source(Protocol):
    """Something that knows the metrics. ``title`` is how messages call it."""

    title: str

    def series(self, metric: str, labels: Labels) -> list[dict[str, str]]:
        """The labels of each series of a metric that has ``labels``, as of now. Raises Unread."""
        ...

    def knows_kubevirt(self) -> bool:
        """Whether it has any metric of KubeVirt. Raises Unread."""
        ...


class PrometheusApi:
    """Prometheus' HTTP API, wherever it is served. ``headers`` gives those that authenticate a request made now."""

    def __init__(
        self, title: str, url: str, pool: urllib3.PoolManager, headers: Callable[[], Mapping[str, str]]
    ) -> None:
        self.title = title
        self._url = url.rstrip("/")
        self._pool = pool
        self._headers = headers

    def series(self, metric: str, labels: Labels) -> list[dict[str, str]]:
        return self._query(selector(metric, labels))

    def knows_kubevirt(self) -> bool:
        return bool(self._query(EVIDENCE))

    def _query(self, query: str) -> list[dict[str, str]]:
        url = f"{self._url}/api/v1/query?{urlencode({'query': query})}"
        try:
            return read_vector(*_fetch(self._pool, url, self._headers()))
        except Unread as unread:
            raise Unread(f"{self.title}: {unread}") from None


class ControllerPods:
    """virt-controller's own metrics, by the API server's pod proxy. Only the pod that leads has those of VMs."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self.title = f"the pods of virt-controller in namespace {namespace}"

    def series(self, metric: str, labels: Labels) -> list[dict[str, str]]:
        return chosen(self._all(), metric, labels)

    def knows_kubevirt(self) -> bool:
        return any(found[NAME].startswith("kubevirt_") for found in self._all())

    def _all(self) -> list[dict[str, str]]:
        try:
            pods = self._cluster.list(POD, self._namespace, CONTROLLERS).items
        except LabError as error:
            raise Unread(str(error)) from None
        names = [str(meta(pod, "name")) for pod in pods if dig(pod, "status", "phase") == "Running"]
        if not names:
            raise Unread(f"no pod with label {CONTROLLERS} runs in namespace {self._namespace}")
        connection = self._cluster.connection
        found = []
        for name in names:
            path = f"{POD.path(self._namespace)}/https:{name}:{METRICS_PORT}/proxy/metrics"
            status, text = _fetch(connection.pool, connection.server + path, connection.headers())
            if status != 200:
                raise Unread(f"GET {path} is answered {status}: {text.strip()[:300]}")
            found += read_exposition(text)
        return found


@dataclass(frozen=True)
class Given:
    """A Prometheus' HTTP API that the user names: its URL, and the file that has a token for it."""

    url: str = ""
    token_file: str = ""


def find_source(cluster: Cluster, namespace: str, given: Given | None = None) -> tuple[Source | None, list[str]]:
    """The source to read, or None; and why each one before it cannot be used. ``namespace`` is KubeVirt's."""
    reasons: list[str] = []
    named = given or Given()
    for candidate in (_given if named.url else _thanos, _prometheus, _pods):
        try:
            source = candidate(cluster, namespace, named)
            if source.knows_kubevirt():
                return source, reasons
            reasons.append(f"{source.title} has no metric of KubeVirt (does it scrape KubeVirt's namespace?)")
        except Unread as unread:
            reasons.append(str(unread))
    return None, reasons


def measure(cluster: Cluster, namespace: str, given: Given | None = None) -> tuple[bool, str]:
    """Whether KubeVirt's metrics can be read, and where; or why nowhere."""
    source, reasons = find_source(cluster, namespace, given)
    if source is None:
        return False, "; ".join(reasons)
    return True, f"they are read from {source.title}"


def _given(cluster: Cluster, _namespace: str, given: Given) -> Source:
    title = f"Prometheus at {given.url} (variable MONITORING_URL)"
    # A token is never sent in the clear, and the cluster's token is sent only to the cluster.
    secure = given.url.startswith("https://")
    headers: Callable[[], Mapping[str, str]] = dict
    if given.token_file and not secure:
        raise Unread(f"{title} takes no token over http; give a URL that begins with https://")
    if given.token_file:
        headers = _token_of(given.token_file)
    elif secure and _is_of_cluster(cluster, given.url):
        headers = cluster.connection.own_headers
    elif secure:
        title += ", asked without a token, as it is no Route of this cluster: variable MONITORING_TOKEN_FILE gives one,"
    return PrometheusApi(title, given.url, _pool(cluster, given.url), headers)


def _token_of(file: str) -> Callable[[], Mapping[str, str]]:
    """Reads the token again for each request: it may be renewed meanwhile."""

    def headers() -> Mapping[str, str]:
        try:
            token = Path(file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Unread(f"the token in {file} (variable MONITORING_TOKEN_FILE) cannot be read: {error}") from None
        if not token or not token.isascii() or len(token.split()) > 1:
            raise Unread(f"{file} (variable MONITORING_TOKEN_FILE) holds no token; expected one in one line")
        return {"Authorization": f"Bearer {token}"}

    return headers


def _is_of_cluster(cluster: Cluster, url: str) -> bool:
    """Whether a URL is that of the cluster's own Route: as the Route says, or by the names that OpenShift gives."""
    asked, namespace, name = urlsplit(url).netloc.lower(), *THANOS
    api = _API_HOST.fullmatch(urlsplit(cluster.connection.server).hostname or "")
    if api is not None and asked.removesuffix(":443") == f"{name}-{namespace}.apps.{api['domain']}":
        return True
    try:
        return asked == _host_of(cluster.get(ROUTE, name, namespace))
    except LabError:
        return False


def _host_of(route: Object) -> str:
    ingress = dig(route, "status", "ingress", default=[]) or [{}]
    return str(ingress[0].get("host") or dig(route, "spec", "host") or "")


def _thanos(cluster: Cluster, _namespace: str, _given: Given) -> Source:
    namespace, name = THANOS
    title = f"Route {namespace}/{name}"
    try:
        route = cluster.get(ROUTE, name, namespace)
    except ApiError as error:
        if error.status == 404:
            raise Unread(f"there is no {title}") from None
        raise Unread(f"{title} may not be read: {error.status} (variable MONITORING_URL names it)") from None
    host = _host_of(route)
    if not host:
        raise Unread(f"{title} has no host")
    if "Authorization" not in cluster.connection.headers():
        raise Unread(f"{title} takes a bearer token only, and the kubeconfig has none (log in with oc login)")
    url = f"https://{host}"
    return PrometheusApi(f"Thanos at {url}", url, _pool(cluster, url), cluster.connection.own_headers)


def _prometheus(cluster: Cluster, _namespace: str, _given: Given) -> Source:
    namespace, name = PROMETHEUS
    connection = cluster.connection
    url = f"{connection.server}/api/v1/namespaces/{namespace}/services/{name}/proxy"
    return PrometheusApi(f"Prometheus {namespace}/{name}", url, connection.pool, connection.headers)


def _pods(cluster: Cluster, namespace: str, _given: Given) -> Source:
    if not namespace:
        raise Unread("KubeVirt's namespace is unknown, so its pods cannot be found")
    return ControllerPods(cluster, namespace)


def _pool(cluster: Cluster, url: str) -> urllib3.PoolManager:
    """Connections to a router: its authority is another one than the API server's, and is published in a ConfigMap."""
    configuration = cluster.connection.configuration
    context = verifying_context()
    namespace, name, key = INGRESS_CA
    try:
        bundle = dig(cluster.get(CONFIG_MAP, name, namespace), "data", key)
    except ApiError:
        bundle = None
    if bundle:
        context.load_verify_locations(cadata=bundle)
    if configuration.ssl_ca_cert:
        context.load_verify_locations(cafile=configuration.ssl_ca_cert)
    if cluster.connection.unverified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    proxy = cluster.connection.proxy_to(url)
    return new_pool(context, proxy=proxy, proxy_headers=configuration.proxy_headers)


def _fetch(pool: urllib3.PoolManager, url: str, headers: Mapping[str, str]) -> tuple[int, str]:
    """One GET, without a second try: the caller polls anyway."""
    try:
        answer = pool.request("GET", url, headers=headers, retries=False, timeout=_TIMEOUT)
    except (HTTPError, OSError) as error:
        raise Unread(f"no answer: {error}") from None
    return answer.status, answer.data.decode(errors="replace")
