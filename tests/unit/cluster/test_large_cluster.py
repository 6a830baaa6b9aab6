# SPDX-License-Identifier: Apache-2.0
"""Preflight and inventory of a cluster with a thousand nodes and ten thousand pods of others: what they cost here."""

from __future__ import annotations

import time

import pytest
from livenad.api.kinds import KUBEVIRT, NODE, NODE_STATE, POD, Object
from livenad.cluster.capabilities import Capabilities
from livenad.cluster.environment import DAEMON_SET, Lab
from livenad.cluster.facts import read_facts, read_version
from livenad.cluster.inventory import survey
from livenad.cluster.preflight import Preflight
from livenad.settings import Settings

from tests.unit.support.canned_api import CannedApi
from tests.unit.support.healthy_cluster import kubevirt, node

NODES, PODS = 1000, 10_000
FEATURES = tuple(f"cpu-feature.node.kubevirt.io/feature-{number}" for number in range(120))
MODELS = tuple(
    f"cpu-model{where}.node.kubevirt.io/model-{number}" for where in ("", "-migration") for number in range(20)
)


def full_node(name: str, number: int) -> Object:
    """With the labels of virt-handler, and the images that a kubelet reports: 15 kB, as they are on clusters."""
    own = f"host-model-cpu.node.kubevirt.io/model-{number % 4}"
    found = node(name, *FEATURES, *MODELS, own, "cpu-vendor.node.kubevirt.io/Intel")
    found["metadata"]["labels"]["kubernetes.io/arch"] = "amd64"
    images = [{"names": [f"registry.example/image-{one}@sha256:{'0' * 64}"], "sizeBytes": one} for one in range(50)]
    found["status"] |= {"images": images}
    return found


def pod(number: int) -> Object:
    containers = [{"name": "main", "image": "registry.example/image", "env": [{"name": "A", "value": "b"}] * 20}]
    return {"metadata": {"name": f"foreign-{number}", "namespace": "others"}, "spec": {"containers": containers}}


def node_state(name: str) -> Object:
    ports = [{"name": f"eth{number}", "type": "ethernet", "state": "up", "mtu": 1500} for number in range(100)]
    status = {"currentState": {"interfaces": ports}, "lastSuccessfulUpdateTime": "2026-11-22T16:12:36Z"}
    return {"metadata": {"name": name}, "status": status}


def listed(items: list[Object]) -> Object:
    return {"items": items, "metadata": {"resourceVersion": "1"}}


@pytest.fixture(scope="module")
def large() -> CannedApi:
    return large_cluster()


def large_cluster() -> CannedApi:
    """A client of such a cluster."""
    names = [f"node-{number}" for number in range(NODES)]
    return CannedApi(
        {
            "/version": {"gitVersion": "v1.36.0"},
            "/apis": {"groups": [{"name": "k8s.cni.cncf.io"}, {"name": "nmstate.io"}]},
            KUBEVIRT.path(): listed([kubevirt()]),
            NODE.path(): listed([full_node(name, number) for number, name in enumerate(names)]),
            NODE_STATE.path(): listed([node_state(name) for name in names]),
            POD.path(): listed([pod(number) for number in range(PODS)]),
            DAEMON_SET.path(): listed([]),
        }
    )


def test_the_preflight_of_a_large_cluster_takes_less_than_two_seconds_here(large: CannedApi) -> None:
    began = time.process_time()
    lab = Lab(large, read_facts(large, read_version(large)), Settings())
    findings = Preflight(lambda: lab).require_fit()
    assert time.process_time() - began < 2
    assert findings[2].value.partition(" nodes: ")[2].startswith("node-0, node-1, ")
    assert len(findings[2].value) < 400


def test_the_inventory_of_a_large_cluster_takes_less_than_two_seconds_here(large: CannedApi) -> None:
    lab = Lab(large, read_facts(large, read_version(large)), Settings())
    large.asked.clear()
    began = time.process_time()
    rows = survey(lab, Capabilities(lambda: lab), Preflight(lambda: lab))
    assert time.process_time() - began < 2
    assert all(len(row.value) < 500 for row in rows)
    told = {row.name: row.value for row in rows}
    assert told["nmstate"] == "NMState reports 20 nodes of the 20 that were looked at, 980 more are there"


def test_no_pod_of_others_and_no_node_twice_is_asked_for(large: CannedApi) -> None:
    large.asked.clear()
    lab = Lab(large, read_facts(large, read_version(large)), Settings())
    survey(lab, Capabilities(lambda: lab), Preflight(lambda: lab))
    lists = [(path, query) for verb, path, query in large.asked if verb == "GET"]
    assert [path for path, _ in lists].count(NODE.path()) == 1
    assert (POD.path(), {}) not in lists
    assert all("limit" in query for path, query in lists if path == NODE_STATE.path())
