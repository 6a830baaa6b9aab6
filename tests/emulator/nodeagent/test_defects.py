# SPDX-License-Identifier: Apache-2.0
"""Each defect breaks what its sentence says, and leaves everything else right."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from emulator.controlplane.network.evaluator import Need
from emulator.dataplane.detour import Detour
from emulator.dataplane.wiring import Segment
from emulator.deviations.description import deviation
from emulator.fault_points import all_defects, fault_points_for
from emulator.kube.client import Obj

from .conftest import MAC, NIC, VMIS, Script, agent_script, has, pod_interface

OLD, NEW = Segment("br1", 100), Segment("br1", 200)


@asynccontextmanager
async def swapped(defect: str, *peers: str) -> AsyncIterator[tuple[Script, Obj, Obj]]:
    """The script, and the VMI before and after a migration from one VLAN to another, with the defect on."""
    known = deviation(defect) if defect.startswith("deviation=") else all_defects()[defect]
    async with agent_script([known]) as script:
        await script.nad("nad-a", vlan=100)
        await script.nad("nad-b", vlan=200)
        for peer in peers:
            await script.running(peer)
        before = await script.running()
        await script.hand_over(before)
        after = await script.until(VMIS, "vm1", lambda v: v["status"].get("migrationState", {}).get("completed"))
        yield script, before, after


async def target_pod(script: Script) -> Any:
    return await script.client.get("pods", "target-vm1", "demo")


def network_names(pod: Obj) -> list[str]:
    return [entry["name"] for entry in json.loads(pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/network-status"])]


async def test_target_pod_gets_old_network() -> None:
    async with swapped("target-pod-gets-old-network") as (script, _, after):
        pod = await target_pod(script)
        assert script.dataplane.pods[pod["metadata"]["uid"]][pod_interface(NIC)] == OLD
        assert network_names(pod) == ["k8s-pod-network", "demo/nad-a"]
        assert "failed" not in after["status"]["migrationState"]


async def test_attached_to_both_networks() -> None:
    async with swapped("attached-to-both-networks") as (script, _, _after):
        pod = await target_pod(script)
        uid = pod["metadata"]["uid"]
        assert ("join", uid, pod_interface(NIC), OLD) in script.dataplane.calls
        assert script.dataplane.pods[uid][pod_interface(NIC)] == NEW
        assert network_names(pod) == ["k8s-pod-network", "demo/nad-b"]


async def test_mac_changes_in_guest_only() -> None:
    async with swapped("mac-changes-in-guest-only") as (script, before, _):
        uid = before["metadata"]["uid"]
        argv = next(call[2] for call in script.dataplane.calls if call[0] == "run_inside")
        assert isinstance(argv, list)
        assert argv[:6] == ["ip", "link", "set", "dev", "eth1", "address"]
        assert argv[6] != MAC
        guest = script.dataplane.guests[uid]
        guest.nics[NIC] = type(guest.nics[NIC])(NIC, argv[6], pod_interface(NIC))
        await script.patch_vmi("vm1", {"selinuxContext": "touched"})
        touched = await script.until(VMIS, "vm1", lambda v: v["status"]["interfaces"][0]["ipAddress"] != "")
        assert touched["status"]["interfaces"][1] == before["status"]["interfaces"][1]
        assert len(touched["status"]["interfaces"]) == 2


async def test_guest_rebooted_vmi_stays() -> None:
    async with swapped("guest-rebooted-vmi-stays") as (script, before, after):
        assert script.dataplane.guests[before["metadata"]["uid"]].boots == 2
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        assert after["status"]["phase"] == "Running"


async def test_peer_guest_dies() -> None:
    async with swapped("peer-guest-dies", "peer") as (script, before, _):
        peer = await script.client.get(VMIS, "peer", "demo")
        killed = [call[1] for call in script.dataplane.calls if call[0] == "kill_inside"]
        assert killed == [peer["metadata"]["uid"]]
        gone = await script.until(VMIS, "peer", lambda v: not has(v, "AgentConnected"))
        assert gone["status"]["phase"] == "Running"
        assert script.dataplane.guests[before["metadata"]["uid"]].agent


def test_migration_never_requested() -> None:
    assert fault_points_for(["migration-never-requested"]).apply("updater.candidates", [{"a": 1}]) == []


def test_restart_required_blinks_once_for_each_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("emulator.defects.conditions.clock", lambda: now)
    fault_points = fault_points_for(["restart-required-blinks"])
    asked: list[float] = []

    def required(generation: int) -> bool:
        vm = {"metadata": {"uid": "u", "generation": generation}}
        return fault_points.apply("vm.restart_required", False, vm=vm, vmi={}, requeue=asked.append)

    assert not required(1)
    assert required(2)
    assert asked == [pytest.approx(0.3)]
    now += 0.29
    assert required(2)
    now += 0.02
    assert not required(2)
    assert required(3)


def test_every_defect_is_described() -> None:
    found = all_defects()
    assert len(found) >= 7
    for name, defect in found.items():
        assert name == name.lower().replace("_", "-")
        assert defect.sentence.endswith(".")
        assert defect.fault in {"product", "lab"}
        assert defect.rows or defect.fault == "lab"


def test_unknown_defect_is_named() -> None:
    with pytest.raises(ValueError, match=r"no defect is called 'rain'; .*python -m emulator defects lists all \d+"):
        fault_points_for(["rain"])


def test_control_plane_is_content_with_the_old_network() -> None:
    fault_points = fault_points_for(["target-pod-gets-old-network"])
    migrated = {"metadata": {"labels": {"kubevirt.io/migrationJobUID": "u"}}}
    assert fault_points.apply("vmi.migration_required", Need.IMMEDIATE, pod=migrated, vmi={}) is Need.NONE
    first: Obj = {"metadata": {"labels": {}}}
    assert fault_points.apply("vmi.migration_required", Need.IMMEDIATE, pod=first, vmi={}) is Need.IMMEDIATE


@pytest.mark.parametrize("how", [{"command": ["hostname", "odd"]}, {"reboot": True}, {"link": NIC}])
async def test_one_thing_described_goes_wrong_in_the_guest(how: dict[str, Any], tmp_path: Path) -> None:
    report = tmp_path / "report"
    name = "deviation=" + json.dumps({"vm": "vm1", "report": str(report), "guest": how})
    async with swapped(name) as (script, before, _):
        uid = before["metadata"]["uid"]
        done = [call[0] for call in script.dataplane.calls if call[0] in ("run_inside", "set_link")]
        assert done == {"command": ["run_inside"], "reboot": [], "link": ["set_link"] * 2}[next(iter(how))]
        assert script.dataplane.guests[uid].boots == (2 if "reboot" in how else 1)
    assert '"done"' in report.read_text(encoding="utf-8")


async def test_one_kind_of_frame_described_goes_another_way(tmp_path: Path) -> None:
    frames = {"nic": NIC, "to_guest": True, "kind": "UDP", "how": "delayed", "seconds": 0.5}
    name = "deviation=" + json.dumps({"vm": "vm1", "report": str(tmp_path / "report"), "frames": frames})
    async with swapped(name) as (script, before, _):
        _, *where, detour = next(call for call in script.dataplane.calls if call[0] == "divert")
        assert where == [before["metadata"]["uid"], NIC]
        assert isinstance(detour, Detour)
        assert (detour.how, detour.seconds, detour.to_guest) == ("delayed", 0.5, True)
