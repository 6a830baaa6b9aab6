# SPDX-License-Identifier: Apache-2.0
"""A bridge that a NAD names as a resource: the launcher asks for it, and gets no node without it."""

from __future__ import annotations

import json

from emulator.controlplane import names
from emulator.controlplane.scheduling.predicates import failure_message, objection
from emulator.kube.client import Obj
from tests.emulator.controlplane.lab import NAMESPACE, Lab, running_lab

BRIDGE = "bridge.network.kubevirt.io/br-x"


async def annotated(lab: Lab) -> None:
    patch = {"metadata": {"annotations": {"k8s.v1.cni.cncf.io/resourceName": BRIDGE}}}
    await lab.client.patch(names.NAD, "nad-a", NAMESPACE, patch)


async def test_launcher_waits_for_a_node_with_the_bridge() -> None:
    async with running_lab("1.8") as lab:
        await annotated(lab)
        await lab.create_vm()
        await lab.until("the pod is refused", lambda: bool(lab.events("FailedScheduling")))
        told = lab.events("FailedScheduling")[0]["message"]
        assert told.startswith(f"0/2 nodes are available: 2 Insufficient {BRIDGE}.")
        nodes, _ = await lab.client.list(names.NODES)
        for node in nodes:
            status = {"status": {"allocatable": {BRIDGE: "1k"}, "capacity": {BRIDGE: "1k"}}}
            await lab.client.patch(names.NODES, node["metadata"]["name"], None, status, subresource="status")
        await lab.until("the VM runs", lambda: bool((lab.last("VirtualMachine") or {})["status"].get("ready")))
        launcher = lab.last("Pod")
        assert launcher
        resources = launcher["spec"]["containers"][0]["resources"]
        assert (resources["requests"][BRIDGE], resources["limits"][BRIDGE]) == ("1", "1")


async def test_from_1_9_on_virt_controller_leaves_them_to_others() -> None:
    async with running_lab("1.9") as lab:
        await annotated(lab)
        await lab.running_vm()
        launcher = lab.last("Pod")
        assert launcher
        assert BRIDGE not in json.dumps(launcher["spec"])


def test_what_is_used_up_is_gone() -> None:
    ready = [{"type": "Ready", "status": "True"}]
    status = {"allocatable": {BRIDGE: "1"}, "conditions": ready}
    node: Obj = {"metadata": {"name": "node-1", "labels": {}}, "spec": {}, "status": status}
    container = {"name": "compute", "resources": {"requests": {BRIDGE: "1", "cpu": "100m"}}}
    new: Obj = {"metadata": {"namespace": "demo", "uid": "1"}, "spec": {"containers": [container]}}
    taken = {**new, "spec": {**new["spec"], "nodeName": "node-1"}, "status": {"phase": "Running"}}
    assert not objection(new, node, [])
    assert objection(new, node, [taken]) == f"Insufficient {BRIDGE}"
    assert not objection(new, node, [taken | {"status": {"phase": "Succeeded"}}])
    assert f"1 Insufficient {BRIDGE}" in failure_message([f"Insufficient {BRIDGE}"])
