# SPDX-License-Identifier: Apache-2.0
"""Flows in which launcher pods are evicted: evacuations, alone and together with an edit of the network."""

from __future__ import annotations

import asyncio
from typing import Any

from emulator.controlplane import names
from emulator.controlplane.accessors import phase
from emulator.kube import conditions
from emulator.kube.errors import ApiError
from tests.emulator.controlplane.lab import NAMESPACE, Lab

from .acts import ended, reached, ready, succeeded, synced
from .configured import BY_BINDING

CORDONED = {"spec": {"unschedulable": True}}
UNCORDONED = {"spec": {"unschedulable": None}}
BY_DESCHEDULER = {"requested-by": "sigs.k8s.io/descheduler"}
DENIED = 'admission webhook "virt-launcher-eviction-interceptor.kubevirt.io" denied the request: '
TRIGGERED = f'Eviction triggered evacuation of VMI "{NAMESPACE}/vm1"'
IN_PROGRESS = f"Evacuation in progress: {TRIGGERED}"
NOT_MIGRATABLE = "is configured with an eviction strategy but is not live-migratable"


async def evicted(lab: Lab, pod: str, notes: dict[str, str] | None = None) -> str:
    """Asks for an eviction; the refusal's text, "" if the pod is evicted."""
    meta: dict[str, Any] = {"name": pod, "namespace": NAMESPACE} | ({"annotations": notes} if notes else {})
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}
    try:
        await lab.client.create(names.PODS, eviction, subresource="eviction")
    except ApiError as error:
        assert (error.code, error.reason, error.details) == (429, "", None)
        assert error.message.startswith(DENIED)
        return error.message.removeprefix(DENIED)
    return ""


def pod_of(lab: Lab, number: int = 0, name: str = "vm1") -> str:
    """A launcher pod of a VM by its number."""
    pods = [pod for pod in lab.all_of("Pod") if pod["metadata"]["labels"]["vm.kubevirt.io/name"] == name]
    return str(pods[number]["metadata"]["name"])


async def ran_out(lab: Lab, pod: str) -> None:
    await lab.until(f"{pod} has ended", lambda: phase(lab.last("Pod", pod) or {}) == "Succeeded")


async def alone(lab: Lab) -> None:
    await lab.running_vm(evictionStrategy="LiveMigrate")
    source = pod_of(lab)
    lab.agent.may_end_launchers.clear()
    assert await evicted(lab, source) == TRIGGERED
    assert await evicted(lab, source) == IN_PROGRESS
    await reached(lab, "Running")
    assert await evicted(lab, source) == IN_PROGRESS
    await lab.until("it is over", lambda: phase(lab.migrations()[0]) == "Succeeded")
    assert await evicted(lab, source) == "Eviction request for target Pod"
    lab.agent.may_end_launchers.set()
    await succeeded(lab)
    await lab.quiet(70)


async def alone_and_once_more(lab: Lab) -> None:
    """As above; in the end the pod that has ended is evicted, too."""
    await alone(lab)
    assert await evicted(lab, pod_of(lab)) == ""
    await lab.quiet(5)


async def during_a_swap(lab: Lab) -> None:
    lab.agent.may_finish.clear()
    await lab.running_vm(evictionStrategy="LiveMigrate")
    await lab.swap("nad-b")
    await reached(lab, "Running")
    assert await evicted(lab, pod_of(lab)) == TRIGGERED
    assert await evicted(lab, pod_of(lab, 1)) == IN_PROGRESS
    await lab.quiet(2)
    assert await evicted(lab, pod_of(lab)) == IN_PROGRESS
    lab.agent.may_finish.set()
    await succeeded(lab)
    await ran_out(lab, pod_of(lab))
    await lab.quiet(8)
    assert await evicted(lab, pod_of(lab)) == ""
    await lab.quiet(15)


async def swap_while_running(lab: Lab) -> None:
    """The edit comes while the evacuation copies; the race at its end is lost."""
    await _stuck(lab)
    await lab.quiet(60)
    await ran_out(lab, pod_of(lab))
    assert await evicted(lab, pod_of(lab)) == ""
    await lab.quiet(5)


async def swap_before_copying(lab: Lab) -> None:
    """The edit comes while the target pod starts; the evacuation ends in time, and a second migration follows."""
    await lab.running_vm(evictionStrategy="LiveMigrate")
    assert await evicted(lab, pod_of(lab)) == TRIGGERED
    await reached(lab, "Scheduling")
    await lab.swap("nad-b")
    await succeeded(lab, 2)
    await lab.quiet(12)


async def swap_before_copying_lost(lab: Lab) -> None:
    """As above, but the race at the end of the evacuation is lost."""
    lab.agent.gap = asyncio.Event()
    await lab.running_vm(evictionStrategy="LiveMigrate")
    assert await evicted(lab, pod_of(lab)) == TRIGGERED
    await reached(lab, "Scheduling")
    await lab.swap("nad-b")
    await _lose_the_race(lab)
    await lab.quiet(60)


async def drained(lab: Lab) -> None:
    """As ``kubectl drain``: it asks every five seconds, and the third eviction meets a pod that has ended."""
    await lab.running_vm(evictionStrategy="LiveMigrate")
    source = pod_of(lab)
    node = str((lab.last("Pod", source) or {})["spec"]["nodeName"])
    await lab.client.patch(names.NODES, node, None, CORDONED)
    lab.agent.may_finish.clear()
    assert await evicted(lab, source) == TRIGGERED
    await lab.quiet(5)
    assert await evicted(lab, source) == IN_PROGRESS
    lab.agent.may_finish.set()
    await ran_out(lab, source)
    assert await evicted(lab, source) == ""
    await lab.until("it is gone", lambda: lab.last("Pod", source) is None)
    await lab.client.patch(names.NODES, node, None, UNCORDONED)
    await lab.quiet(2)


STRATEGIES = {
    "lm-nonmig": "LiveMigrate",
    "lmip": "LiveMigrateIfPossible",
    "lmip-nonmig": "LiveMigrateIfPossible",
    "external": "External",
    "none": "None",
    "unset": "",
    "desched": "LiveMigrate",
    "cancel": "LiveMigrate",
}


async def strategies(lab: Lab) -> None:
    """A VM of each eviction strategy, and what its pod's eviction does."""
    await lab.configure({"configuration": {"migrations": {"parallelOutboundMigrationsPerNode": 20}}})
    lab.agent.reports_ends = True
    for name, strategy in STRATEGIES.items():
        fixed = name.endswith("-nonmig")
        if fixed:
            lab.agent.non_migratable[name] = BY_BINDING
        more: dict[str, Any] = {"evictionStrategy": strategy} if strategy else {}
        await lab.create_vm(name, pod_network="bridge" if fixed else "masquerade", **more)
    await lab.until("all are ready", lambda: all(ready(lab, name) for name in STRATEGIES))
    await lab.quiet(3)
    for name in STRATEGIES:
        said = await evicted(lab, pod_of(lab, name=name), BY_DESCHEDULER if name == "desched" else None)
        if name == "lm-nonmig":
            assert said == f"VMI {name} {NOT_MIGRATABLE}"
        elif name in ("lmip-nonmig", "none", "unset"):
            assert said == ""
        else:
            assert said == TRIGGERED.replace("vm1", name)
    await lab.quiet(25)
    assert await evicted(lab, pod_of(lab, name="external")) == IN_PROGRESS.replace("vm1", "external")
    await lab.quiet(3)


async def again_when_stuck(lab: Lab) -> None:
    await _stuck(lab)
    await lab.quiet(3)
    assert await evicted(lab, pod_of(lab, 1)) == TRIGGERED
    await lab.quiet(12)
    # As evacuate/cancel does; its answers are tested with the other subresources.
    path = "/status/evacuationNodeName"
    await lab.agent.client.patch(names.VMI, "vm1", NAMESPACE, [{"op": "remove", "path": path}])
    await lab.quiet(2)
    await lab.client.delete(names.MIGRATION, lab.migrations()[0]["metadata"]["name"], NAMESPACE)
    await lab.quiet(20)


async def _stuck(lab: Lab) -> None:
    lab.agent.gap = asyncio.Event()
    lab.agent.may_finish.clear()
    await lab.running_vm(evictionStrategy="LiveMigrate")
    assert await evicted(lab, pod_of(lab)) == TRIGGERED
    await reached(lab, "Running")
    await lab.swap("nad-b")
    await synced(lab, "nad-b")
    lab.agent.may_finish.set()
    await _lose_the_race(lab)


async def _lose_the_race(lab: Lab) -> None:
    assert lab.agent.gap is not None

    def asked() -> bool:
        vmi = lab.last("VirtualMachineInstance") or {}
        end = (vmi.get("status", {}).get("migrationState") or {}).get("endTimestamp")
        return bool(end) and conditions.is_true(vmi, "MigrationRequired")

    await lab.until("the VMI asks for the next migration", asked)
    lab.agent.gap.set()
    await ended(lab)
