# SPDX-License-Identifier: Apache-2.0
"""The ways to the metrics: pods, a Prometheus behind the service proxy, Thanos behind a Route; what PromQL answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from emulator.apiserver.server import ApiServer
from emulator.apiserver.users import ADMIN
from emulator.controlplane.cluster.components import virt_controllers
from emulator.controlplane.metrics.promql import BadQuery, evaluate
from emulator.controlplane.metrics.thanos import NAMESPACE as OPENSHIFT
from emulator.controlplane.metrics.thanos import OpenShiftMonitoring

from .lab import Lab, running_lab
from .test_streams import Wire, wired

PODS = "/api/v1/namespaces/kubevirt/pods"
PROMETHEUS = "/api/v1/namespaces/monitoring/services/prometheus-k8s:9090/proxy/api/v1/query"
VNIC = 'kubevirt_vmi_vnic_info{vnic_name="net1"}'

SERIES: list[tuple[dict[str, str], float]] = [
    ({"__name__": "up", "job": "a", "pod": "a-1"}, 1.0),
    ({"__name__": "up", "job": "a", "pod": "a-2"}, 0.0),
    ({"__name__": "up", "job": "b"}, 1.0),
    ({"__name__": "other", "job": "b"}, 7.0),
]


async def query(wire: Wire, text: str) -> tuple[int, Any]:
    answer = await wire.ask("GET", f"{PROMETHEUS}?query={quote(text)}")
    return answer.status, json.loads(answer.body)


async def networks(wire: Wire, text: str = VNIC) -> list[str]:
    status, body = await query(wire, text)
    assert status == 200
    return [series["metric"]["network"] for series in body["data"]["result"]]


async def scraped(lab: Lab) -> None:
    """Lets the next scrape of each replica pass."""
    await lab.plane.shared.pace.sleep(31)


async def test_pod_proxy_shows_vms_at_the_leader_only() -> None:
    async with wired() as wire:
        await wire.lab.until("both stand", lambda: len(virt_controllers(wire.lab.plane.shared)) == 2)
        found = [pod["metadata"]["name"] for pod in virt_controllers(wire.lab.plane.shared)]
        leader, other = [await wire.ask("GET", f"{PODS}/https:{name}:8443/proxy/metrics") for name in found]
        assert (leader.status, other.status) == (200, 200)
        assert 'kubevirt_vmi_vnic_info{binding_name="bridge"' in leader.body
        assert "vnic_info" not in other.body
        assert "kubevirt_virt_controller_leading_status 0" in other.body


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("{}:8443", 400, "HTTP request to an HTTPS server"),
        ("https:{}:9999", 503, "connection refused"),
        ("https:missing:8443", 404, 'pods \\"missing\\" not found'),
    ],
)
async def test_pod_proxy_refuses(name: str, status: int, said: str) -> None:
    async with wired() as wire:
        await wire.lab.until("one stands", lambda: bool(virt_controllers(wire.lab.plane.shared)))
        pod = virt_controllers(wire.lab.plane.shared)[0]["metadata"]["name"]
        answer = await wire.ask("GET", f"{PODS}/{name.format(pod)}/proxy/metrics")
        assert answer.status == status
        assert said in answer.body


async def test_proxies_ask_for_rights() -> None:
    async with wired() as wire:
        for path in (f"{PODS}/https:x:8443/proxy/metrics", PROMETHEUS):
            answer = await wire.ask("GET", path, user="alice")
            assert answer.status == 403


async def test_prometheus_shows_an_edit_after_its_next_scrape_and_the_old_series_no_more() -> None:
    async with wired() as wire:
        await scraped(wire.lab)
        assert await networks(wire) == ["nad-a"]
        await wire.lab.swap("nad-b")
        await scraped(wire.lab)
        assert await networks(wire) == ["nad-b"]
        assert await networks(wire, VNIC.replace("vmi_", "vm_")) == ["nad-b"]


async def test_prometheus_adds_the_labels_of_its_target() -> None:
    async with wired() as wire:
        await scraped(wire.lab)
        _, body = await query(wire, VNIC)
        (series,) = body["data"]["result"]
        assert series["value"][1] == "1"
        assert series["metric"]["namespace"] == "lab"
        assert series["metric"]["job"] == "kubevirt-prometheus-metrics"
        assert series["metric"]["pod"].startswith("virt-controller-")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", 'invalid parameter "query": unknown position: parse error: no expression found in input'),
        ("up{", 'invalid parameter "query": 1:4: parse error: unexpected end of input'),
        ('up{job~"a"}', "unexpected character"),
        ('{job=~".*"}', "must contain at least one non-empty matcher"),
        ('up{job=~"("}', "error parsing regexp"),
        ("count by (job) up", 'unexpected "up"'),
    ],
)
async def test_prometheus_refuses_what_is_no_query(text: str, said: str) -> None:
    async with wired() as wire:
        status, body = await query(wire, text)
    assert (status, body["status"], body["errorType"]) == (400, "error", "bad_data")
    assert said in body["error"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('up{job="b"}', [({"__name__": "up", "job": "b"}, 1.0)]),
        ("up{job!='a'}", [({"__name__": "up", "job": "b"}, 1.0)]),
        ('{__name__=~"oth.*"}', [({"__name__": "other", "job": "b"}, 7.0)]),
        ('up{pod!~"a-.", job=~"a|b"}', [({"__name__": "up", "job": "b"}, 1.0)]),
        ("count by (job) (up)", [({"job": "a"}, 2.0), ({"job": "b"}, 1.0)]),
        ("sum(up) by (job)", [({"job": "a"}, 1.0), ({"job": "b"}, 1.0)]),
        ("max by () ((other))", [({}, 7.0)]),
        ("count(nothing)", []),
    ],
)
def test_promql(text: str, expected: object) -> None:
    assert evaluate(text, SERIES) == expected


def test_promql_has_no_more_than_one_expression() -> None:
    with pytest.raises(BadQuery, match='unexpected "up"'):
        evaluate("up up", SERIES)


async def test_thanos_asks_for_a_token_and_a_right_and_shows_each_series_once() -> None:
    async with running_lab() as lab:
        assert isinstance(lab.server, ApiServer)
        lab.server.tokens.add("admin", ADMIN)
        await lab.running_vm()
        monitoring = OpenShiftMonitoring(lab.plane.shared, lab.server.tokens, lab.server.authorizer)
        await monitoring._listen()
        running = [asyncio.create_task(work) for work in monitoring.controllers()]
        await lab.swap("nad-b")
        url = f"http://{monitoring.host}/api/v1/query"
        try:
            await scraped(lab)
            async with aiohttp.ClientSession() as session:
                anonymous = await session.get(url)
                assert (anonymous.status, await anonymous.text()) == (401, "Unauthorized\n")
                admin = {"Authorization": "Bearer admin"}
                body = await (await session.get(url, params={"query": VNIC}, headers=admin)).json()
                (series,) = body["data"]["result"]
                assert series["metric"]["network"] == "nad-b"
                assert series["metric"]["prometheus"] == f"{OPENSHIFT}/k8s"
                posted = await (await session.post(url, data={"query": VNIC}, headers=admin)).json()
                assert [s["metric"] for s in posted["data"]["result"]] == [series["metric"]]
                elsewhere = await session.get(f"http://{monitoring.host}/graph", headers=admin)
                assert elsewhere.status == 503
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await monitoring.stop()
