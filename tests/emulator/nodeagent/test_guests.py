# SPDX-License-Identifier: Apache-2.0
"""VMIs: boot, status, shutdown."""

from __future__ import annotations

import asyncio
import base64

from .conftest import MAC, NIC, VMIS, Script, has, pod_interface


async def test_guest_boots_from_the_vmis_spec(script: Script) -> None:
    secret = {"userdata": base64.b64encode(b"#cloud-config\nhostname: x\n").decode()}
    meta = {"name": "init", "namespace": "demo"}
    await script.client.create("secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": secret})
    source = {"secretRef": {"name": "init"}, "networkData": "version: 2"}
    vmi = await script.running(volumes=[{"name": "ci", "cloudInitNoCloud": source}], hostname="web")
    spec = script.dataplane.guests[vmi["metadata"]["uid"]].spec
    assert spec.user_data == "#cloud-config\nhostname: x\n"
    assert spec.network_data == "version: 2"
    assert (spec.hostname, spec.firmware_uuid) == ("web", "6fa9c5ab-fe7c-4cfb-842b-098e92eeeda7")
    assert [(nic.name, nic.pod_interface, nic.binding) for nic in spec.nics] == [
        ("default", "eth0", "masquerade"),
        (NIC, pod_interface(NIC), "bridge"),
    ]
    assert spec.nics[1].mac == MAC


async def test_status_is_the_guests(script: Script) -> None:
    vmi = await script.running()
    status = vmi["status"]
    assert status["phase"] == "Running"
    assert [t["phase"] for t in status["phaseTransitionTimestamps"]] == ["Running"]
    assert has(vmi, "LiveMigratable")
    assert has(vmi, "StorageLiveMigratable")
    assert status["migrationMethod"] == "BlockMigration"
    assert status["guestOSInfo"]["id"] == "debian"
    default, second = status["interfaces"]
    assert default["infoSource"] == "domain, guest-agent"
    assert default["ipAddress"].startswith("10.244.")
    assert second == {
        "name": NIC,
        "mac": MAC,
        "interfaceName": "eth1",
        "ipAddress": "192.168.1.5",
        "ipAddresses": ["192.168.1.5", "fe80::1"],
        "infoSource": "domain, guest-agent, multus-status",
        "podInterfaceName": pod_interface(NIC),
        "queueCount": 1,
        "linkState": "up",
    }
    assert await script.events("vm1") == [
        "Created: VirtualMachineInstance defined.",
        "Started: VirtualMachineInstance started.",
    ]


async def test_nothing_is_written_when_nothing_changed(script: Script) -> None:
    vmi = await script.running()
    await asyncio.sleep(1.3)
    later = await script.client.get(VMIS, "vm1", "demo")
    assert later["metadata"]["resourceVersion"] == vmi["metadata"]["resourceVersion"]


async def test_agent_that_falls_silent_is_no_longer_connected(script: Script) -> None:
    vmi = await script.running()
    script.dataplane.guests[vmi["metadata"]["uid"]].agent = False
    gone = await script.until(VMIS, "vm1", lambda v: not has(v, "AgentConnected"))
    assert "interfaceName" not in gone["status"]["interfaces"][1]
    assert gone["status"]["interfaces"][1]["infoSource"] == "domain, multus-status"


async def test_guest_that_powers_off_ends_vmi_and_pod(script: Script) -> None:
    vmi = await script.running()
    script.dataplane.guests[vmi["metadata"]["uid"]].exited.set()
    await script.until(VMIS, "vm1", lambda v: v["status"]["phase"] == "Succeeded")
    await script.until("pods", "launcher-vm1", lambda p: p["status"]["phase"] == "Succeeded")
    assert (await script.events("vm1"))[-1] == "Stopped: The VirtualMachineInstance was shut down."


async def test_deleted_vmi_is_shut_down_with_its_grace(script: Script) -> None:
    vmi = await script.running(terminationGracePeriodSeconds=20)
    await script.client.delete(VMIS, "vm1", "demo")
    await script.until(VMIS, "vm1", lambda v: v["status"]["phase"] == "Succeeded")
    halts = [call for call in script.dataplane.calls if call[0] == "halt"]
    assert halts[0] == ("halt", vmi["metadata"]["uid"], 20 / 200)


async def test_pod_bridge_makes_it_non_migratable(script: Script) -> None:
    interfaces = [{"name": "default", "bridge": {}}, {"name": NIC, "bridge": {}, "macAddress": MAC}]
    vmi = await script.running(
        domain={"devices": {"interfaces": interfaces}, "machine": {"type": "q35"}, "resources": {}}
    )
    condition = next(c for c in vmi["status"]["conditions"] if c["type"] == "LiveMigratable")
    assert (condition["status"], condition["reason"]) == ("False", "InterfaceNotLiveMigratable")


async def test_unshared_claim_makes_it_non_migratable(script: Script) -> None:
    vmi = await script.running(volumes=[{"name": "root", "persistentVolumeClaim": {"claimName": "data"}}])
    condition = next(c for c in vmi["status"]["conditions"] if c["type"] == "LiveMigratable")
    assert condition["reason"] == "DisksNotLiveMigratable"
    assert "PVC data is not shared" in condition["message"]


async def test_lost_secret_is_told(script: Script) -> None:
    source = {"secretRef": {"name": "init"}}
    meta = {"name": "init", "namespace": "demo"}
    await script.client.create("secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {}})
    vmi = await script.vmi(volumes=[{"name": "ci", "cloudInitNoCloud": source}])
    pod = await script.pod("launcher-vm1", "node-1", vmi, "nad-a")
    await script.until("pods", "launcher-vm1", lambda p: p["status"].get("phase") == "Running")
    active = {pod["metadata"]["uid"]: "node-1"}
    await script.patch_vmi("vm1", {"phase": "Scheduled", "nodeName": "node-1", "activePods": active})
    await script.until(VMIS, "vm1", lambda v: v["status"]["phase"] == "Failed")
    assert any("secret demo/init has no key userdata" in event for event in await script.events("vm1"))


async def test_vmi_is_final_before_its_pod_ends(script: Script) -> None:
    await script.running()
    await script.client.delete(VMIS, "vm1", "demo")
    await script.client.delete("pods", "launcher-vm1", "demo")
    await script.until("pods", "launcher-vm1", lambda p: p is None or p["status"]["phase"] == "Succeeded")
    vmi = await script.client.get(VMIS, "vm1", "demo")
    assert vmi["status"]["phase"] == "Succeeded"


async def test_deleted_launcher_pod_ends_its_vmi(script: Script) -> None:
    await script.running()
    await script.client.delete("pods", "launcher-vm1", "demo")
    await script.until("pods", "launcher-vm1", lambda p: p is None)
    vmi = await script.client.get(VMIS, "vm1", "demo")
    assert vmi["status"]["phase"] == "Succeeded"
