# SPDX-License-Identifier: Apache-2.0
"""Where metrics are read: which source is taken, why another is not, and what each one's answers mean."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.metrics import sources
from livenad.metrics.series import Unread, Vnic, read_exposition, read_vector, selector, vnics
from livenad.metrics.sources import Given, PrometheusApi, find_source, measure

from tests.unit.support.kubeconfig import TOKEN, write_kubeconfig
from tests.unit.support.web import Web, vector

NAMESPACE = "kubevirt"
ROUTE = "/apis/route.openshift.io/v1/namespaces/openshift-monitoring/routes/thanos-querier"
PROMETHEUS = "/api/v1/namespaces/monitoring/services/prometheus-k8s:9090/proxy/api/v1/query"
INGRESS_CA = "/api/v1/namespaces/openshift-config-managed/configmaps/default-ingress-cert"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
METRICS = PODS + "/https:{}:8443/proxy/metrics"
EXPOSITION = """# HELP kubevirt_vmi_vnic_info Details of virtual NICs.
# TYPE kubevirt_vmi_vnic_info gauge
kubevirt_vmi_vnic_info{name="web",namespace="demo",vnic_name="secondary",\
network="blue",binding_type="core",binding_name="bridge"} 1
kubevirt_vmi_vnic_info{name="other",namespace="demo",vnic_name="secondary",network="red \\"1\\"",binding_type="core"} 1
kubevirt_virt_controller_ready_status 1
"""
CARD = {"vnic_name": "secondary", "network": "blue", "binding_type": "core", "binding_name": "bridge"}
WEB = {"namespace": "demo", "name": "web"}


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        yield server


@pytest.fixture
def cluster(web: Web, tmp_path: Path) -> Iterator[Cluster]:
    opened = Cluster(open_connection(str(write_kubeconfig(tmp_path / "kubeconfig", web.url))), patience=0.1)
    yield opened
    opened.close()


def serve_pods(web: Web, *names: str) -> None:
    pods = [{"metadata": {"name": name}, "status": {"phase": "Running"}} for name in names]
    web.answers[PODS] = 200, {"metadata": {}, "items": pods}


def test_pods_are_read_and_merged_where_there_is_nothing_else(web: Web, cluster: Cluster) -> None:
    serve_pods(web, "vc-1", "vc-2")
    web.answers[METRICS.format("vc-1")] = 200, "kubevirt_virt_controller_ready_status 1\n"
    web.answers[METRICS.format("vc-2")] = 200, EXPOSITION
    source, reasons = find_source(cluster, NAMESPACE)
    assert source is not None
    assert vnics(source.series("kubevirt_vmi_vnic_info", WEB)) == {Vnic("secondary", "blue", "core", "bridge")}
    assert "no Route openshift-monitoring/thanos-querier" in reasons[0]
    assert reasons[1].startswith("Prometheus monitoring/prometheus-k8s:9090: it answers 404")
    assert any(query.get("labelSelector") == "kubevirt.io=virt-controller" for _, query, _ in web.seen)


def test_a_pod_that_cannot_be_read_might_be_the_leader(web: Web, cluster: Cluster) -> None:
    serve_pods(web, "vc-1", "vc-2")
    web.answers[METRICS.format("vc-1")] = 200, EXPOSITION
    web.answers[METRICS.format("vc-2")] = 503, "error trying to reach service"
    source = sources.ControllerPods(cluster, NAMESPACE)
    with pytest.raises(Unread, match="vc-2:8443/proxy/metrics is answered 503: error trying"):
        source.series("kubevirt_vmi_vnic_info", WEB)


def test_prometheus_goes_before_pods(web: Web, cluster: Cluster) -> None:
    serve_pods(web, "vc-1")
    web.answers[PROMETHEUS] = vector(CARD)
    source, _ = find_source(cluster, NAMESPACE)
    assert source is not None
    assert source.title == "Prometheus monitoring/prometheus-k8s:9090"
    assert source.series("kubevirt_vmi_vnic_info", WEB) == [CARD]
    assert web.queries()[-1] == 'kubevirt_vmi_vnic_info{namespace="demo",name="web"}'


def test_prometheus_that_does_not_know_kubevirt_is_passed_over(web: Web, cluster: Cluster) -> None:
    web.answers[PROMETHEUS] = vector()
    serve_pods(web, "vc-1")
    web.answers[METRICS.format("vc-1")] = 200, EXPOSITION
    there, value = measure(cluster, NAMESPACE)
    assert there
    assert value == "they are read from the pods of virt-controller in namespace kubevirt"
    _, reasons = find_source(cluster, NAMESPACE)
    assert "Prometheus monitoring/prometheus-k8s:9090 has no metric of KubeVirt" in reasons[1]


def test_nothing_readable_tells_every_reason(web: Web, cluster: Cluster) -> None:
    web.answers[ROUTE] = 403, {"kind": "Status", "code": 403, "message": "routes is forbidden"}
    web.answers[PROMETHEUS] = 403, {"kind": "Status", "code": 403, "message": "services/proxy is forbidden"}
    web.answers[PODS] = 403, {"kind": "Status", "code": 403, "message": "pods is forbidden"}
    there, value = measure(cluster, NAMESPACE)
    assert not there
    for part in ("may not be read: 403 (variable MONITORING_URL", "services/proxy is forbidden", "pods is forbidden"):
        assert part in value


@pytest.fixture
def router(web: Web) -> Iterator[Web]:
    """What the Route leads to, with an authority of its own that the cluster publishes."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Web(context) as server:
        host = server.url.removeprefix("https://")
        web.answers[ROUTE] = 200, {"spec": {"host": "elsewhere"}, "status": {"ingress": [{"host": host}]}}
        web.answers[INGRESS_CA] = 200, {"data": {"ca-bundle.crt": authority.cert_pem.bytes().decode()}}
        server.answers["/api/v1/query"] = vector(CARD)
        yield server


def test_thanos_goes_first_and_gets_our_token_over_verified_tls(web: Web, router: Web, cluster: Cluster) -> None:
    web.answers[PROMETHEUS] = vector(CARD)
    source, reasons = find_source(cluster, NAMESPACE)
    assert source is not None
    assert (source.title, reasons) == (f"Thanos at {router.url}", [])
    assert router.seen[0][2]["Authorization"] == f"Bearer {TOKEN}"
    web.answers[INGRESS_CA] = 403, {"kind": "Status", "code": 403, "message": "forbidden"}
    source, reasons = find_source(cluster, NAMESPACE)
    assert source is not None
    assert source.title.startswith("Prometheus monitoring")
    assert "CERTIFICATE_VERIFY_FAILED" in reasons[0]


def test_thanos_needs_a_token(router: Web, cluster: Cluster) -> None:
    cluster.connection.configuration.api_key.clear()
    cluster.connection.configuration.refresh_api_key_hook = None
    _, reasons = find_source(cluster, NAMESPACE)
    assert "takes a bearer token only, and the kubeconfig has none" in reasons[0]
    assert not router.seen


def test_token_is_never_sent_in_the_clear_to_a_given_url(web: Web, cluster: Cluster) -> None:
    web.answers["/prom/api/v1/query"] = vector(CARD)
    source, _ = find_source(cluster, NAMESPACE, Given(web.url + "/prom/"))
    assert source is not None
    assert "MONITORING_URL" in source.title
    headers = [sent for path, _, sent in web.seen if path.startswith("/prom")]
    assert headers
    assert not any(TOKEN in value for sent in headers for value in sent.values())


def tokens_sent(server: Web) -> set[str]:
    return {sent.get("Authorization", "") for path, _, sent in server.seen if path.endswith("/api/v1/query")}


@pytest.mark.circumstance(
    "MONITORING_URL is no Route of the cluster",
    topic="connection",
    sees="asked without a token, as it is no Route of this cluster",
    verdict="SKIP",
    source="tried on commit 34c8c6b",
)
def test_token_of_the_cluster_goes_to_its_own_route_only(web: Web, router: Web, cluster: Cluster) -> None:
    source, _ = find_source(cluster, NAMESPACE, Given(router.url))
    assert source is not None
    assert tokens_sent(router) == {f"Bearer {TOKEN}"}
    router.seen.clear()
    web.answers[ROUTE] = 200, {"spec": {"host": "thanos.apps.lab.example.com"}}
    router.seen.clear()
    router.answers["/api/v1/query"] = 401, "Unauthorized"
    _, reasons = find_source(cluster, NAMESPACE, Given(router.url))
    assert tokens_sent(router) == {""}
    assert "asked without a token, as it is no Route of this cluster: variable MONITORING_TOKEN_FILE" in reasons[0]
    assert "it answers 401: Unauthorized" in reasons[0]


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://thanos-querier-openshift-monitoring.apps.lab.example.com", True),
        ("https://thanos-querier-openshift-monitoring.apps.lab.example.com:443/", True),
        ("https://thanos-querier-openshift-monitoring.apps.other.example.com", False),
        ("https://thanos-querier-openshift-monitoring.apps.lab.example.com.evil.example", False),
        ("https://thanos-querier-openshift-monitoring.apps.lab.example.com@evil.example", False),
        ("https://mine.apps.lab.example.com", False),
    ],
)
def test_route_that_may_not_be_read_is_known_by_its_name(tmp_path: Path, web: Web, url: str, own: bool) -> None:
    web.answers[ROUTE] = 403, {"kind": "Status", "code": 403, "message": "routes is forbidden"}
    cluster = Cluster(open_connection(str(write_kubeconfig(tmp_path / "config", web.url))), patience=0.1)
    cluster.connection.configuration.host = "https://api.lab.example.com:6443"
    assert sources._is_of_cluster(cluster, url) is own
    cluster.close()


def test_token_of_a_file_is_read_for_each_request(web: Web, router: Web, cluster: Cluster, tmp_path: Path) -> None:
    web.answers[ROUTE] = 404, {}
    file = tmp_path / "token"
    file.write_text("one\n")
    source, _ = find_source(cluster, NAMESPACE, Given(router.url, str(file)))
    assert source is not None
    file.write_text("two\n")
    source.series("up", {})
    assert tokens_sent(router) == {"Bearer one", "Bearer two"}
    file.write_text("two words\n")
    with pytest.raises(Unread, match=r"MONITORING_TOKEN_FILE\) holds no token"):
        source.series("up", {})
    _, reasons = find_source(cluster, NAMESPACE, Given("http://127.0.0.1:9", str(file)))
    assert "takes no token over http" in reasons[0]


def test_given_url_goes_before_the_route(web: Web, cluster: Cluster) -> None:
    web.answers[PROMETHEUS] = vector(CARD)
    _, reasons = find_source(cluster, NAMESPACE, Given("http://127.0.0.1:9/nothing"))
    assert reasons[0].startswith("Prometheus at http://127.0.0.1:9/nothing (variable MONITORING_URL): no answer")
    assert not any(path == ROUTE for path, _, _ in web.seen)


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (401, "Unauthorized\n", "it answers 401: Unauthorized"),
        (403, "Forbidden (user=me, verb=get, resource=prometheuses)", "it answers 403: Forbidden (user=me"),
        (503, "<html><body>\nnot available", "it answers 503: <html>"),
        (400, '{"status":"error","errorType":"bad_data","error":"parse error"}', "400: bad_data: parse error"),
        (200, '{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}', "with a scalar"),
        (200, "<html>log in</html>", "it answers 200: <html>log in"),
        (200, "[]", "it answers 200"),
        (403, '{"kind":"Status","status":"Failure","message":"no"}', "it answers 403: no"),
    ],
)
def test_refusals(status: int, text: str, said: str) -> None:
    with pytest.raises(Unread) as caught:
        read_vector(status, text)
    assert said in str(caught.value)


def test_exposition_is_read_with_escapes() -> None:
    found = read_exposition(EXPOSITION + "up 1\n\n# a comment\n")
    assert [labels["__name__"] for labels in found][-2:] == ["kubevirt_virt_controller_ready_status", "up"]
    assert found[1]["network"] == 'red "1"'


def test_labels_of_the_scrape_make_no_second_nic() -> None:
    assert len(vnics([{**CARD, "pod": "a"}, {**CARD, "pod": "b", "model": "virtio"}])) == 1
    assert len(vnics([CARD, {**CARD, "network": "green"}])) == 2


def test_selector_quotes() -> None:
    assert selector("up", {"name": 'a"b\\'}) == r'up{name="a\"b\\"}'


def test_service_that_is_gone_is_no_answer(cluster: Cluster) -> None:
    api = PrometheusApi("It", "http://127.0.0.1:9", cluster.connection.pool, dict)
    with pytest.raises(Unread, match="It: no answer"):
        api.series("up", {})
