# SPDX-License-Identifier: Apache-2.0
"""NADs of other namespaces: open on plain Kubernetes, closed but for a few namespaces on OpenShift."""

from __future__ import annotations

import pytest

from emulator.dataplane.wiring import Segment
from emulator.platforms.platform import KUBERNETES, OPENSHIFT, Platform

from .conftest import agent_script, pod_interface


async def test_nad_of_another_namespace_holds_the_pod_up() -> None:
    async with agent_script(platform=OPENSHIFT) as script:
        await script.client.create("namespaces", {"kind": "Namespace", "metadata": {"name": "other"}})
        await script.nad("theirs", namespace="other")
        await script.pod("p1", "node-1", await script.vmi(), "other/theirs")
        events = await script.until_event("p1", "FailedCreatePodSandBox")
        said = (
            "GetNetworkDelegates: namespace isolation enabled, annotation violates permission, "
            "pod is in namespace demo but refers to target namespace other"
        )
        assert any(event.endswith(said) for event in events)
        pod = await script.client.get("pods", "p1", "demo")
        assert pod["status"]["phase"] == "Pending"
        waiting = [entry["state"] for entry in pod["status"]["containerStatuses"]]
        assert waiting == [{"waiting": {"reason": "ContainerCreating"}}]
        assert not script.dataplane.pods


@pytest.mark.parametrize(
    ("platform", "namespace"), [(KUBERNETES, "other"), (OPENSHIFT, "default"), (OPENSHIFT, "openshift-multus")]
)
async def test_nad_of_an_open_namespace_is_used(platform: Platform, namespace: str) -> None:
    async with agent_script(platform=platform) as script:
        await script.client.create("namespaces", {"kind": "Namespace", "metadata": {"name": namespace}})
        await script.nad("shared", vlan=7, namespace=namespace)
        await script.pod("p1", "node-1", await script.vmi(), f"{namespace}/shared")
        pod = await script.until("pods", "p1", lambda p: p["status"].get("phase") == "Running")
        assert script.dataplane.pods[pod["metadata"]["uid"]][pod_interface("net1")] == Segment("br1", 7)


async def test_virt_handler_lives_where_kubevirt_does() -> None:
    async with agent_script(platform=OPENSHIFT) as script:
        handlers, _ = await script.client.list("pods", labels="kubevirt.io=virt-handler")
        assert {pod["metadata"]["namespace"] for pod in handlers} == {"openshift-cnv"}
