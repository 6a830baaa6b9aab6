# SPDX-License-Identifier: Apache-2.0
"""Live migration: the recorded order of what the two virt-handlers write, failure and abort."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.fault_points import Defect
from emulator.kube.client import Obj

from .conftest import MAC, NIC, VMIS, Script, agent_script, has, pod_interface

# What the source and target virt-handler write, in the order in which the real control plane's watchers see it.
RECORDED_ORDER = [
    "targetNodeAddress",
    "startTimestamp",
    "targetNodeDomainDetected",
    "targetNodeDomainReadyTimestamp",
    "endTimestamp",
    "completed",
]


def steps(history: list[Obj]) -> list[str]:
    """The fields of migrationState in the order in which they first appeared, one write after the other."""
    seen: list[str] = []
    for vmi in history:
        state = vmi["status"].get("migrationState", {})
        fresh = [field for field in RECORDED_ORDER if field in state and field not in seen]
        assert len(fresh) <= 1, f"written at once: {fresh}"
        seen += fresh
    return seen


def completed(vmi: Obj | None) -> Any:
    return vmi and vmi["status"].get("migrationState", {}).get("completed")


async def require_migration(script: Script) -> None:
    vmi = await script.client.get(VMIS, "vm1", "demo")
    needed = {"type": "MigrationRequired", "status": "True", "reason": "AutoMigrationDueToLiveUpdate"}
    await script.patch_vmi("vm1", {"conditions": [*vmi["status"]["conditions"], needed]})


async def test_migration_is_written_in_the_recorded_order(script: Script) -> None:
    vmi = await script.running()
    await require_migration(script)
    await script.hand_over(vmi)
    await script.until(VMIS, "vm1", completed)
    assert steps(script.vmi_history) == RECORDED_ORDER
    state = (await script.client.get(VMIS, "vm1", "demo"))["status"]["migrationState"]
    assert state["mode"] == "PreCopy"
    assert list(state["targetDirectMigrationNodePorts"].values()) == [0, 49152]
    assert "failed" not in state
    assert (await script.events("vm1"))[2:] == [
        "PreparingTarget: VirtualMachineInstance Migration Target Prepared.",
        f"PreparingTarget: Migration Target is listening at {state['targetNodeAddress']}, on ports: "
        + ",".join(state["targetDirectMigrationNodePorts"]),
        "Migrating: VirtualMachineInstance is migrating.",
        "Migrated: The VirtualMachineInstance migrated to node node-2.",
    ]


async def test_migration_required_goes_before_the_node_changes(script: Script) -> None:
    vmi = await script.running()
    await require_migration(script)
    await script.hand_over(vmi)
    await script.until(VMIS, "vm1", completed)
    assert {v["status"]["nodeName"] for v in script.vmi_history if has(v, "MigrationRequired")} == {"node-1"}
    between = [
        v for v in script.vmi_history if "targetNodeDomainReadyTimestamp" in v["status"].get("migrationState", {})
    ]
    assert not has(between[0], "MigrationRequired")
    assert between[0]["status"]["nodeName"] == "node-1"
    final = next(v for v in between if v["status"]["nodeName"] == "node-2")
    assert final["metadata"]["labels"]["kubevirt.io/nodeName"] == "node-2"
    assert "endTimestamp" in final["status"]["migrationState"]


async def test_guest_moves_and_keeps_its_nics(script: Script) -> None:
    before = await script.running()
    uid = before["metadata"]["uid"]
    await script.hand_over(before)
    await script.until(VMIS, "vm1", completed)
    guest = script.dataplane.guests[uid]
    target = await script.client.get("pods", "target-vm1", "demo")
    assert guest.pod == target["metadata"]["uid"]
    move = next(call for call in script.dataplane.calls if call[0] == "move")
    assert move[3] == {"default": "eth0", NIC: pod_interface(NIC)}
    address = target["status"]["podIP"]
    after = await script.until(VMIS, "vm1", lambda v: v["status"]["interfaces"][0]["ipAddress"] == address)
    assert after["status"]["interfaces"][1] == before["status"]["interfaces"][1]
    assert after["status"]["interfaces"][0]["mac"] == before["status"]["interfaces"][0]["mac"]


async def test_source_pod_completes_and_label_goes(script: Script) -> None:
    vmi = await script.running()
    await script.hand_over(vmi)
    label = "kubevirt.io/migrationTargetNodeName"
    await script.until(VMIS, "vm1", lambda v: completed(v) and label not in v["metadata"]["labels"])
    source = await script.until("pods", "launcher-vm1", lambda p: p["status"]["phase"] == "Succeeded")
    conditions = {c["type"]: (c["status"], c.get("reason")) for c in source["status"]["conditions"]}
    assert conditions["Ready"] == ("False", "PodCompleted")
    target = await script.client.get("pods", "target-vm1", "demo")
    assert target["status"]["phase"] == "Running"


async def test_refused_move_fails_and_the_guest_stays(script: Script) -> None:
    vmi = await script.running()
    script.dataplane.refuse_move = "no room"
    await script.hand_over(vmi)
    failed = await script.until(VMIS, "vm1", completed)
    state = failed["status"]["migrationState"]
    assert state["failed"] is True
    assert state["failureReason"] == "Live migration failed: no room"
    assert failed["status"]["nodeName"] == "node-1"
    assert failed["status"]["phase"] == "Running"
    source = await script.client.get("pods", "launcher-vm1", "demo")
    assert script.dataplane.guests[vmi["metadata"]["uid"]].pod == source["metadata"]["uid"]
    events = await script.until_event("vm1", "Migrated")
    assert events[-1] == "Migrated: VirtualMachineInstance migration uid job-1 failed. reason:" + state["failureReason"]


@pytest.fixture
async def slow_script() -> Any:
    async with agent_script(speed=4) as running:
        await running.nad("nad-a", vlan=100)
        await running.nad("nad-b", vlan=200)
        yield running


async def test_abort_while_copying(slow_script: Script) -> None:
    vmi = await slow_script.running()
    await slow_script.hand_over(vmi)
    await slow_script.until(VMIS, "vm1", lambda v: "startTimestamp" in v["status"].get("migrationState", {}))
    await slow_script.patch_vmi("vm1", {"migrationState": {"abortRequested": True}})
    aborted = await slow_script.until(VMIS, "vm1", completed, seconds=0.5)
    state = aborted["status"]["migrationState"]
    assert (state["abortStatus"], state["failed"]) == ("Succeeded", True)
    assert state["failureReason"] == "Live migration aborted "
    assert not [call for call in slow_script.dataplane.calls if call[0] == "move"]


async def test_target_pod_that_goes_fails_the_migration_at_once(slow_script: Script) -> None:
    vmi = await slow_script.running()
    await slow_script.hand_over(vmi)
    await slow_script.until(VMIS, "vm1", lambda v: "startTimestamp" in v["status"].get("migrationState", {}))
    await slow_script.client.delete("pods", "target-vm1", "demo", grace=0)
    failed = await slow_script.until(VMIS, "vm1", completed, seconds=0.5)
    state = failed["status"]["migrationState"]
    assert (state["failed"], state["failureReason"]) == (True, "Target pod is down")
    assert failed["status"]["nodeName"] == "node-1"


async def test_failure_reason_can_be_decided() -> None:
    defect = Defect("x", "", (), "agent.migration_failure", lambda _value, **_: "out of luck")
    async with agent_script([defect]) as script:
        await script.nad("nad-a")
        await script.nad("nad-b", vlan=2)
        vmi = await script.running()
        await script.hand_over(vmi)
        failed = await script.until(VMIS, "vm1", completed)
        assert failed["status"]["migrationState"]["failureReason"] == "Live migration failed: out of luck"
        target = failed["status"]["migrationState"]["targetPod"]
        await script.until("pods", target, lambda p: p["status"]["phase"] == "Succeeded")


async def test_second_migration_after_the_first(script: Script) -> None:
    vmi = await script.running()
    await script.hand_over(vmi)
    await script.until(VMIS, "vm1", completed)
    await script.until("pods", "launcher-vm1", lambda p: p["status"]["phase"] == "Succeeded")
    back = await script.pod("back-vm1", "node-1", vmi, "nad-a")
    await script.until("pods", "back-vm1", lambda p: p["status"].get("phase") == "Running")
    stored = await script.client.get(VMIS, "vm1", "demo")
    stored["status"]["migrationState"] = {
        "migrationUid": "job-2",
        "sourceNode": "node-2",
        "targetNode": "node-1",
        "targetPod": "back-vm1",
    }
    stored["status"]["activePods"][back["metadata"]["uid"]] = "node-1"
    await script.client.replace(VMIS, stored)
    done = await script.until(VMIS, "vm1", completed)
    assert done["status"]["migrationState"]["migrationUid"] == "job-2"
    assert done["status"]["nodeName"] == "node-1"
    assert done["status"]["interfaces"][1]["mac"] == MAC


async def test_addresses_follow_after_the_node(script: Script) -> None:
    vmi = await script.running()
    await script.hand_over(vmi)
    await script.until(VMIS, "vm1", completed)
    target = await script.client.get("pods", "target-vm1", "demo")
    address = target["status"]["podIP"]
    await script.until(VMIS, "vm1", lambda v: v["status"]["interfaces"][0]["ipAddress"] == address)
    for seen in script.vmi_history:
        if seen["status"].get("nodeName") == "node-1" and "ipAddress" in seen["status"]["interfaces"][0]:
            assert seen["status"]["interfaces"][0]["ipAddress"] != address
