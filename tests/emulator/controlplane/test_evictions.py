# SPDX-License-Identifier: Apache-2.0
"""Evictions by clients of the API: kubectl drain, disruption budgets, and what they must not do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from emulator.cluster_process.certificates import write_certificates
from emulator.controlplane import names
from emulator.controlplane.accessors import phase
from emulator.fault_points import FaultPoints, all_defects
from emulator.kube import conditions
from tests.emulator.wire.test_recorded_kubectl import run_kubectl, write_kubeconfig
from tests.emulator.wire.test_recorded_requests import serve

from .conformance.acts import ended, reached, succeeded, synced
from .conformance.evicted import DENIED, IN_PROGRESS, TRIGGERED, evicted, pod_of
from .lab import NAMESPACE, Lab, running_lab

Obj = dict[str, Any]
pytestmark = pytest.mark.real_clock
DRAIN = ("--ignore-daemonsets", "--delete-emptydir-data")
VMIS = f"/apis/subresources.kubevirt.io/v1/namespaces/{NAMESPACE}/virtualmachineinstances"


@asynccontextmanager
async def served_lab(folder: Path) -> AsyncIterator[tuple[Lab, Path]]:
    """A lab and the kubeconfig of its API."""
    files = write_certificates(folder)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files.api_cert, files.api_key)
    async with running_lab("1.9") as lab:
        yield lab, write_kubeconfig(folder / "kubeconfig", await serve(lab, tls), files.ca)


async def kubectl(kubeconfig: Path, *words: str) -> tuple[int, str, str]:
    return await run_kubectl({"who": "admin", "words": list(words)}, kubeconfig)


def node_of(lab: Lab, pod: str) -> str:
    return str((lab.last("Pod", pod) or {})["spec"]["nodeName"])


async def test_drain_ends_well_and_its_dry_run_never(tmp_path: Path) -> None:
    """At the same time, on a cluster each: kubectl waits for five seconds before it asks again."""
    await asyncio.gather(_drain(tmp_path / "drain"), _dry_run(tmp_path / "dry"))


async def _drain(folder: Path) -> None:
    """The VM runs on, elsewhere."""
    async with served_lab(folder) as (lab, kubeconfig):
        await lab.running_vm(evictionStrategy="LiveMigrate")
        source = pod_of(lab)
        node = node_of(lab, source)
        status, out, errors = await kubectl(kubeconfig, "drain", node, *DRAIN)
        assert status == 0, errors
        assert f"node/{node} cordoned" in out
        assert f"pod/{source} evicted" in out
        assert f"node/{node} drained" in out
        assert f"{DENIED}{TRIGGERED}" in errors
        assert (lab.last("VirtualMachineInstance") or {})["status"]["nodeName"] != node
        assert len(lab.all_of("VirtualMachineInstance")) == 1, "the VM was not restarted"
        assert [m["spec"]["priority"] for m in lab.migrations()] == ["system-critical"]
        budgets, _ = await lab.client.list("poddisruptionbudgets.policy")
        assert budgets == [], "KubeVirt makes no budgets"


async def _dry_run(folder: Path) -> None:
    """Nothing is marked."""
    async with served_lab(folder) as (lab, kubeconfig):
        await lab.running_vm(evictionStrategy="LiveMigrate")
        words = ("drain", node_of(lab, pod_of(lab)), *DRAIN, "--dry-run=server", "--timeout=1s")
        status, out, errors = await kubectl(kubeconfig, *words)
        assert status == 1
        assert "cordoned (server dry run)" in out
        assert f"{DENIED}{TRIGGERED}" in errors
        assert "global timeout reached: 1s" in errors
        assert "evacuationNodeName" not in (lab.last("VirtualMachineInstance") or {})["status"]
        assert not lab.migrations()
        nodes, _ = await lab.client.list(names.NODES)
        assert not any(node["spec"].get("unschedulable") for node in nodes)


async def test_exec_into_a_launcher_is_refused_clearly(tmp_path: Path) -> None:
    async with served_lab(tmp_path) as (lab, kubeconfig):
        await lab.running_vm()
        status, _, errors = await kubectl(kubeconfig, "exec", "-n", NAMESPACE, pod_of(lab), "--", "true")
        assert status == 1
        assert "the embedded cluster runs no containers" in errors


async def test_disruption_budget_of_a_user_counts() -> None:
    async with running_lab("1.9") as lab:
        await lab.running_vm()
        spec: Obj = {"minAvailable": 1, "selector": {"matchLabels": {"kubevirt.io/domain": "vm1"}}}
        meta = {"name": "keep", "namespace": NAMESPACE}
        budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": spec}
        await lab.client.create("poddisruptionbudgets.policy", budget)
        await _counted(lab, currentHealthy=1, desiredHealthy=1, disruptionsAllowed=0)
        meta = {"name": pod_of(lab), "namespace": NAMESPACE}
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}
        try:
            await lab.client.create(names.PODS, eviction, subresource="eviction")
            raise AssertionError("the budget did not count")
        except Exception as error:
            assert (getattr(error, "code", 0), getattr(error, "reason", "")) == (429, "TooManyRequests")
            why = "The disruption budget keep needs 1 healthy pods and has 1 currently"
            assert getattr(error, "details", {})["causes"] == [{"reason": "DisruptionBudget", "message": why}]
        await lab.client.patch("poddisruptionbudgets.policy", "keep", NAMESPACE, {"spec": {"minAvailable": 0}})
        await _counted(lab, disruptionsAllowed=1)
        await lab.client.create(names.PODS, eviction, subresource="eviction")

        def marked() -> bool:
            return any(conditions.is_true(obj, "DisruptionTarget") for _, kind, obj in lab.history if kind == "Pod")

        await lab.until("the pod is evicted", marked)


async def test_budget_that_needs_a_scale_allows_nothing() -> None:
    """As the real one says of launcher pods: a VMI has no scale to ask."""
    async with running_lab("1.9") as lab:
        await lab.running_vm()
        spec: Obj = {"maxUnavailable": 1, "selector": {"matchLabels": {"kubevirt.io/domain": "vm1"}}}
        meta = {"name": "keep", "namespace": NAMESPACE}
        budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": spec}
        await lab.client.create("poddisruptionbudgets.policy", budget)
        await _counted(lab, disruptionsAllowed=0)
        found = await lab.client.get("poddisruptionbudgets.policy", "keep", NAMESPACE)
        assert found["status"]["conditions"][0]["reason"] == "SyncFailed"
        assert "does not implement the scale subresource" in found["status"]["conditions"][0]["message"]


async def _counted(lab: Lab, **wanted: int) -> None:
    """Until the budget's status says so."""
    for _ in range(500):
        status = (await lab.client.get("poddisruptionbudgets.policy", "keep", NAMESPACE)).get("status") or {}
        if wanted.items() <= status.items():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"wanted {wanted}, seen {status}")


async def test_drain_taint_of_kubevirt_moves_all_vms() -> None:
    async with running_lab("1.9") as lab:
        await lab.running_vm(evictionStrategy="LiveMigrateIfPossible")
        taint = {"key": "kubevirt.io/drain", "effect": "NoSchedule"}
        node = node_of(lab, pod_of(lab))
        await lab.client.patch(names.NODES, node, None, {"spec": {"taints": [taint]}})
        await lab.until("it has moved", lambda: lab.last("VirtualMachineInstance")["status"]["nodeName"] != node)  # type: ignore[index]
        assert [m["metadata"]["annotations"][names.EVACUATION] for m in lab.migrations()] == [node]


async def test_evacuation_can_be_cancelled_by_its_node_only() -> None:
    async with running_lab("1.9") as lab, aiohttp.ClientSession() as session:
        await lab.configure({"configuration": {"migrations": {"parallelOutboundMigrationsPerNode": 0}}})
        await lab.running_vm(evictionStrategy="External")
        assert await evicted(lab, pod_of(lab)) == TRIGGERED
        assert await evicted(lab, pod_of(lab)) == IN_PROGRESS
        told = "the eviction is told"
        await lab.until(
            told, lambda: conditions.is_true(lab.last("VirtualMachineInstance") or {}, names.EVICTION_REQUESTED)
        )
        await lab.quiet(5)
        assert not lab.migrations(), "another client is to migrate it"
        url = f"{await serve(lab)}{VMIS}/vm1/evacuate/cancel"
        node = node_of(lab, pod_of(lab))
        for body, status in (({}, 500), ({"evacuationNodeName": "nope"}, 500), ({"evacuationNodeName": node}, 200)):
            assert await _put(session, url, body) == status
        gone = "the condition is gone"
        await lab.until(gone, lambda: not conditions.find(lab.last("VirtualMachine") or {}, names.EVICTION_REQUESTED))
        assert await _put(session, url, {}) == 200


async def _put(session: aiohttp.ClientSession, url: str, body: Obj) -> int:
    headers = {"Authorization": "Bearer admin", "Accept": "application/json, */*"}
    async with session.put(url, json=body, headers=headers) as answer:
        if answer.status == 500:
            assert "the server rejected our request due to an error in our request" in await answer.text()
        return answer.status


async def test_defect_leaves_only_an_evacuation_with_an_edit_in_running() -> None:
    """As recorded of the real race; a plain swap, and an evacuation without an edit, end well."""
    defect = all_defects()["edit-under-evacuation-wedges-migration"]
    async with running_lab("1.9", fault_points=FaultPoints([defect])) as lab:
        await lab.running_vm(evictionStrategy="LiveMigrate")
        await lab.swap("nad-b")
        await succeeded(lab)
        assert await evicted(lab, pod_of(lab, 1)) == TRIGGERED
        await succeeded(lab, 2)
        lab.agent.gap = asyncio.Event()
        lab.agent.may_finish.clear()
        assert await evicted(lab, pod_of(lab, 2)) == TRIGGERED
        await reached(lab, "Running", 2)
        await lab.swap("nad-c")
        await synced(lab, "nad-c")
        lab.agent.may_finish.set()
        asked = "the VMI asks for the next migration"
        vmi = "VirtualMachineInstance"
        await lab.until(asked, lambda: conditions.is_true(lab.last(vmi) or {}, names.MIGRATION_REQUIRED))
        lab.agent.gap.set()
        await ended(lab)
        await lab.quiet(30)
        assert [phase(m) for m in lab.migrations()] == ["Succeeded", "Succeeded", "Running"]
        gap = dict(defect.also)["agent.completion_gap"]
        assert gap(0.0, vmi={"status": {"evacuationNodeName": "node1"}}) > 0 == gap(0.0, vmi={"status": {}})
