# SPDX-License-Identifier: Apache-2.0
"""Each fault as a client meets it, in front of one embedded cluster; and what counts as a repeated write."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import NAD, NAMESPACE, Object, meta
from livenad.api.recorder import Recorder
from livenad.ownership.labels import RUN_LABEL
from urllib3.exceptions import HTTPError

from tests.embedded import embedded_cluster
from tests.faults.catalogue import FAULTS
from tests.faults.exchange import Fate, Sent
from tests.faults.proxy import FaultProxy, proxied

DEFAULT = "default"


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with embedded_cluster(tmp_path_factory.mktemp("cluster")) as kubeconfig:
        yield kubeconfig


def nad(name: str) -> Object:
    labels = {RUN_LABEL: "r1"}
    return {
        "apiVersion": NAD.api_version,
        "kind": NAD.name,
        "metadata": {"name": name, "namespace": DEFAULT, "labels": labels},
        "spec": {"config": json.dumps({"cniVersion": "0.3.1", "type": "bridge", "bridge": "br1"})},
    }


@pytest.mark.parametrize("name", sorted(set(FAULTS) - {"error-bursts", "latency"}))
def test_objects_come_and_go_once_behind_each_fault(behind: Path, tmp_path: Path, name: str) -> None:
    """While they are recorded: each is seen to come, to change and to go."""
    with proxied(behind, FAULTS[name](), tmp_path / "kubeconfig") as proxy:
        cluster = Cluster(open_connection(str(proxy.kubeconfig)))
        recorder = Recorder(cluster, DEFAULT, kinds=(NAD,), watch_seconds=3)
        recorder.start()
        names = [f"{name}-{number}" for number in range(3)]
        for one in names:
            stored = cluster.create(NAD, nad(one))
            change = {"op": "add", "path": "/metadata/annotations", "value": {"changed": "yes"}}
            cluster.json_patch(NAD, one, DEFAULT, [change], done=lambda item: bool(meta(item, "annotations", {})))
            cluster.delete(NAD, one, DEFAULT, str(meta(stored, "uid")))
        gone = recorder.wait_for(
            lambda history: not history.all(NAD) and history.records(NAD, names[-1]), 20, "all gone", str
        )
        recorder.stop()
        cluster.close()
    assert gone, recorder.broken_streams()
    assert proxy.repeated() == []
    carried_out = [one for one in proxy.sent if one.verb == "POST" and one.status == 201]
    assert len(carried_out) == len(names)


def test_answers_are_as_each_fault_says(behind: Path, tmp_path: Path) -> None:
    """A plain client, which repeats nothing: how its requests for one list end."""

    def answers(name: str) -> set[str]:
        with proxied(behind, FAULTS[name](), tmp_path / name) as proxy:
            return set(ended(proxy))

    assert {name: answers(name) for name in ("undisturbed", "throttling", "resets", "half-read", "token-expires")} == {
        "undisturbed": {"200"},
        "throttling": {"200", "429"},
        "resets": {"200", "ProtocolError"},
        "half-read": {"200", "ProtocolError"},
        "token-expires": {"200", "401"},
    }


def ended(proxy: FaultProxy) -> Iterator[str]:
    connection = open_connection(str(proxy.kubeconfig))
    for _ in range(8):
        try:
            answer = connection.pool.request(
                "GET", connection.server + NAMESPACE.path(), headers=connection.headers(), retries=False
            )
            yield str(answer.status)
        except HTTPError as error:
            yield type(error).__name__
    connection.close()


def test_latency_and_skew_are_as_they_say(behind: Path, tmp_path: Path) -> None:
    with proxied(behind, FAULTS["latency"](), tmp_path / "slow") as proxy:
        began = time.monotonic()
        Cluster(open_connection(str(proxy.kubeconfig))).get(NAMESPACE, DEFAULT)
        assert time.monotonic() - began >= 0.8
    with proxied(behind, FAULTS["clock-ahead"](), tmp_path / "ahead") as proxy:
        cluster = Cluster(open_connection(str(proxy.kubeconfig)))
        created = str(meta(cluster.get(NAMESPACE, DEFAULT), "creationTimestamp"))
        assert 2200 < cluster.server_time() - time.time() < 2240
    plain = Cluster(open_connection(str(behind))).get(NAMESPACE, DEFAULT)
    assert created != meta(plain, "creationTimestamp")


def test_write_sent_again_after_it_was_carried_out_is_told() -> None:
    proxy = FaultProxy.__new__(FaultProxy)
    once = Sent("POST", "/things", b"{}", Fate.LOST, 201)
    proxy.sent = [once, Sent("GET", "/things/a", b"", Fate.ANSWERED, 200)]
    assert proxy.repeated() == []
    proxy.sent.append(Sent("POST", "/things", b"{}", Fate.ANSWERED, 409))
    assert proxy.repeated() == ["POST /things {}"]


def test_question_asked_again_after_its_answer_was_lost_is_no_repeated_write() -> None:
    proxy = FaultProxy.__new__(FaultProxy)
    review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    proxy.sent = [Sent("POST", review, b"{}", Fate.LOST, 201), Sent("POST", review, b"{}", Fate.ANSWERED, 201)]
    assert proxy.repeated() == []


def test_sort_of_a_patch_is_the_field_that_it_changes() -> None:
    test = {"op": "test", "path": "/spec/a", "value": 1}
    unplug = json.dumps([test, {"op": "add", "path": "/spec/domain/devices/interfaces/1/state", "value": "absent"}])
    plug = json.dumps([{"op": "add", "path": "/spec/domain/devices/interfaces/-", "value": {}}])
    target = "/apis/kubevirt.io/v1/namespaces/demo/virtualmachines/web"
    assert [Sent("PATCH", target, body.encode()).sort for body in (unplug, plug, "{}", "[]")] == [
        "PATCH namespaces virtualmachines state",
        "PATCH namespaces virtualmachines interfaces",
        "PATCH namespaces virtualmachines",
        "PATCH namespaces virtualmachines",
    ]
