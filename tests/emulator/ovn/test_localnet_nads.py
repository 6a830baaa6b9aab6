# SPDX-License-Identifier: Apache-2.0
"""NADs of OVN-Kubernetes at the node agent: what pods are plugged into, and which NADs it does not take."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.dataplane.wiring import Segment
from emulator.kube.client import Obj
from tests.emulator.nodeagent.conftest import NADS, Script, agent_script

POD_NETWORKS = "k8s.ovn.org/pod-networks"


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with agent_script() as running:
        yield running


async def nad(script: Script, nad_name: str, **config: Any) -> None:
    whole = {
        "cniVersion": "0.4.0",
        "name": nad_name,
        "type": "ovn-k8s-cni-overlay",
        "topology": "localnet",
        "netAttachDefName": f"demo/{nad_name}",
        "physicalNetworkName": "physnet",
        "vlanID": 100,
        **config,
    }
    meta = {"name": nad_name, "namespace": "demo"}
    kind = {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition", "metadata": meta}
    await script.client.create(NADS, kind | {"spec": {"config": json.dumps(whole)}})


async def pod(script: Script, name: str, network: str) -> Obj:
    made = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "demo", "annotations": {"k8s.v1.cni.cncf.io/networks": network}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "c", "image": "registry.example/c:1"}]},
    }
    return await script.client.create("pods", made)


async def running(script: Script, name: str) -> Obj:
    found = await script.until("pods", name, lambda p: p and p["status"].get("phase") == "Running")
    return dict(found)


async def test_pod_is_plugged_into_the_mapped_network(script: Script) -> None:
    await nad(script, "net-a", name="tenant-a")
    made = await pod(script, "p1", "net-a")
    started = await running(script, "p1")
    assert script.dataplane.pods[made["metadata"]["uid"]]["net1"] == Segment("physnet", 100, "localnet")
    noted = json.loads(started["metadata"]["annotations"][POD_NETWORKS])
    assert list(noted) == ["demo/net-a"]
    assert noted["demo/net-a"]["mac_address"].count(":") == 5


async def test_name_is_the_mapping_where_none_is_given(script: Script) -> None:
    await nad(script, "net-a", name="physnet", physicalNetworkName=None, vlanID=None)
    made = await pod(script, "p1", "net-a")
    await running(script, "p1")
    assert script.dataplane.pods[made["metadata"]["uid"]]["net1"] == Segment("physnet", 0, "localnet")


async def test_bridge_networks_carry_no_mark(script: Script) -> None:
    await script.nad("nad-a")
    await pod(script, "p1", "nad-a")
    assert POD_NETWORKS not in (await running(script, "p1"))["metadata"]["annotations"]


async def test_same_network_in_two_nads_is_one(script: Script) -> None:
    await nad(script, "net-a", name="shared")
    await nad(script, "net-b", name="shared", cniVersion="1.0.0", role="secondary")
    await pod(script, "p1", "net-b")
    await running(script, "p1")


@pytest.mark.parametrize(
    "config",
    [
        {"name": "taken", "vlanID": 200},
        {"name": "taken", "mtu": 1400},
        {"netAttachDefName": "demo/other"},
        {"role": "primary"},
    ],
)
async def test_nad_that_ovn_does_not_take(script: Script, config: Obj) -> None:
    await nad(script, "net-a", name="taken")
    await nad(script, "net-b", **config)
    made = await pod(script, "p1", "net-b")
    events = await script.until_event("p1", "FailedCreatePodSandBox")
    assert "failed to get pod annotation: timed out waiting for annotations" in events[-1]
    assert made["metadata"]["uid"] not in script.dataplane.pods
    # The older one of the same name goes on.
    await pod(script, "p2", "net-a")
    await running(script, "p2")
