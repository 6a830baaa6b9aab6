# SPDX-License-Identifier: Apache-2.0
"""Pods: sandboxes, networks, status, deletion."""

from __future__ import annotations

import json

from emulator.dataplane.wiring import Segment

from .conftest import MAC, Script, pod_interface

STATUS = "k8s.v1.cni.cncf.io/network-status"


async def test_nodes_are_ready_and_have_a_virt_handler(script: Script) -> None:
    nodes, _ = await script.client.list("nodes", labels="kubevirt.io/schedulable=true")
    assert [node["metadata"]["name"] for node in nodes] == ["node-1", "node-2"]
    for node in nodes:
        ready = [c for c in node["status"]["conditions"] if c["type"] == "Ready"]
        assert ready[0]["status"] == "True"
        assert node["status"]["allocatable"]["devices.kubevirt.io/kvm"] == "1k"
    handlers, _ = await script.client.list("pods", "kubevirt", labels="kubevirt.io=virt-handler")
    assert {pod["spec"]["nodeName"] for pod in handlers} == {"node-1", "node-2"}
    addresses = {pod["status"]["podIP"] for pod in handlers}
    assert len(addresses) == 2
    assert all(address.startswith("127.") for address in addresses)


async def test_pod_gets_its_networks_and_reports_them(script: Script) -> None:
    vmi = await script.vmi()
    await script.pod("p1", "node-1", vmi, "nad-a")
    pod = await script.until("pods", "p1", lambda p: p["status"].get("phase") == "Running")
    uid = pod["metadata"]["uid"]
    assert script.dataplane.pods[uid][pod_interface("net1")] == Segment("br1", 100)
    entries = json.loads(pod["metadata"]["annotations"][STATUS])
    assert [entry["name"] for entry in entries] == ["k8s-pod-network", "demo/nad-a"]
    assert entries[0]["default"] is True
    assert entries[0]["ips"] == [pod["status"]["podIP"]]
    assert entries[1]["interface"] == pod_interface("net1")
    assert entries[1]["mac"] == MAC
    assert f"AddedInterface: Add {pod_interface('net1')} [] from demo/nad-a" in await script.events("p1")


async def test_ready_waits_for_the_readiness_gate(script: Script) -> None:
    vmi = await script.vmi()
    await script.pod("p1", "node-1", vmi, "nad-a")
    pod = await script.until("pods", "p1", lambda p: p["status"].get("phase") == "Running")
    ready = next(c for c in pod["status"]["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ReadinessGatesNotReady")
    gate = {"type": "kubevirt.io/virtual-machine-unpaused", "status": "True", "reason": "NotPaused"}
    conditions = [*pod["status"]["conditions"], gate]
    await script.client.patch("pods", "p1", "demo", {"status": {"conditions": conditions}}, subresource="status")
    pod = await script.until(
        "pods", "p1", lambda p: any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"]["conditions"])
    )
    assert gate["type"] in [c["type"] for c in pod["status"]["conditions"]]


async def test_missing_nad_is_told_and_retried(script: Script) -> None:
    vmi = await script.vmi()
    await script.pod("p1", "node-1", vmi, "late")
    events = await script.until_event("p1", "FailedCreatePodSandBox")
    sentence = (
        "cannot find a network-attachment-definition (late) in namespace (demo): "
        'network-attachment-definitions.k8s.cni.cncf.io "late" not found'
    )
    assert f"NoNetworkFound: {sentence}" in events
    assert any(e.startswith("FailedCreatePodSandBox") and e.endswith(sentence) for e in events)
    await script.nad("late", vlan=7)
    await script.until("pods", "p1", lambda p: p["status"].get("phase") == "Running")


async def test_deleted_pod_ends_and_goes(script: Script) -> None:
    vmi = await script.vmi()
    pod = await script.pod("p1", "node-1", vmi, "nad-a")
    await script.until("pods", "p1", lambda p: p["status"].get("phase") == "Running")
    await script.client.delete("pods", "p1", "demo")
    await script.until("pods", "p1", lambda p: p is None)
    assert pod["metadata"]["uid"] not in script.dataplane.pods


async def test_pod_that_never_started_goes_as_well(script: Script) -> None:
    vmi = await script.vmi()
    await script.pod("p1", "node-1", vmi, "never")
    await script.client.delete("pods", "p1", "demo")
    await script.until("pods", "p1", lambda p: p is None)
    assert not script.dataplane.pods
