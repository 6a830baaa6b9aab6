# SPDX-License-Identifier: Apache-2.0
"""NICs that come and go: what virt-handler and the Dynamic Networks Controller make of a changed spec and request."""

from __future__ import annotations

import json
from typing import Any

from emulator.dataplane.wiring import Segment
from emulator.fault_points import Defect
from emulator.kube.client import Obj
from emulator.nodeagent.cni import NETWORK_STATUS, NETWORKS

from .conftest import MAC, NIC, VMIS, Script, agent_script, has, pod_interface

SECOND, SECOND_MAC = "net2", "02:aa:00:00:00:02"
INTERFACE, SECOND_INTERFACE = pod_interface(NIC), pod_interface(SECOND)
LAUNCHER = "launcher-vm1"


def request(name: str, interface: str, mac: str) -> Obj:
    return {"name": name, "namespace": "demo", "interface": interface, "mac": mac}


async def ask(script: Script, *requests: Obj) -> None:
    """Rewrites the pod's networks annotation, as virt-controller does."""
    note = {"metadata": {"annotations": {NETWORKS: json.dumps(requests)}}}
    await script.client.patch("pods", LAUNCHER, "demo", note)


async def reported(script: Script, *networks: str) -> None:
    """Until network-status lists exactly these besides the pod network."""

    def same(pod: Any) -> bool:
        entries = json.loads(pod["metadata"]["annotations"].get(NETWORK_STATUS, "[]"))
        return [entry["name"] for entry in entries[1:]] == [f"demo/{name}" for name in networks]

    await script.until("pods", LAUNCHER, same)


def entry(vmi: Any, name: str) -> Obj | None:
    return next((one for one in vmi["status"].get("interfaces", []) if one.get("name") == name), None)


async def edit_vmi(script: Script, *, nics: dict[str, Obj], networks: dict[str, str]) -> None:
    """The VMI's interfaces and networks, the pod network's besides."""
    cards = [{"name": "default", "masquerade": {}}, *({"name": name, **card} for name, card in nics.items())]
    nets = [{"name": "default", "pod": {}}]
    nets += [{"name": name, "multus": {"networkName": nad}} for name, nad in networks.items()]
    spec = {"domain": {"devices": {"interfaces": cards}}, "networks": nets}
    await script.client.patch(VMIS, "vm1", "demo", {"spec": spec})


async def test_an_absent_nic_leaves_the_guest_at_once_and_the_report_with_its_interface() -> None:
    async with agent_script() as script:
        await started(script)
        await edit_vmi(
            script, nics={NIC: {"bridge": {}, "macAddress": MAC, "state": "absent"}}, networks={NIC: "nad-a"}
        )
        vmi = await script.until(VMIS, "vm1", lambda v: (entry(v, NIC) or {}).get("infoSource") == "multus-status")
        assert entry(vmi, NIC) == {"name": NIC, "podInterfaceName": INTERFACE, "infoSource": "multus-status"}
        assert NIC not in script.dataplane.guests[vmi["metadata"]["uid"]].nics
        unmarked = [one | ({"infoSource": ""} if one.get("name") == NIC else {}) for one in vmi["status"]["interfaces"]]
        await script.patch_vmi("vm1", {"interfaces": unmarked})
        await script.until(VMIS, "vm1", lambda v: entry(v, NIC) is None)


async def test_a_defect_can_leave_it_in_the_guest() -> None:
    stays = Defect("stays", "the guest keeps it", (), "agent.unplug", lambda _unplug, **_: False)
    async with agent_script([stays]) as script:
        await started(script)
        await edit_vmi(
            script, nics={NIC: {"bridge": {}, "macAddress": MAC, "state": "absent"}}, networks={NIC: "nad-a"}
        )
        vmi = await script.until(VMIS, "vm1", lambda v: (entry(v, NIC) or {}).get("infoSource") == "multus-status")
        assert NIC in script.dataplane.guests[vmi["metadata"]["uid"]].nics


async def test_the_controller_plugs_a_running_pod_and_virt_handler_its_guest() -> None:
    async with agent_script(dynamic_networks=True) as script:
        vmi = await started(script)
        await script.nad("nad-c", vlan=300)
        await edit_vmi(
            script,
            nics={NIC: {"bridge": {}, "macAddress": MAC}, SECOND: {"bridge": {}, "macAddress": SECOND_MAC}},
            networks={NIC: "nad-a", SECOND: "nad-c"},
        )
        await ask(script, request("nad-a", INTERFACE, MAC), request("nad-c", SECOND_INTERFACE, SECOND_MAC))
        await reported(script, "nad-a", "nad-c")
        known = (await script.client.get(VMIS, "vm1", "demo"))["status"]["interfaces"]
        marked = {"name": SECOND, "podInterfaceName": SECOND_INTERFACE, "infoSource": "multus-status"}
        await script.patch_vmi("vm1", {"interfaces": [*known, marked]})
        await script.until(VMIS, "vm1", lambda v: "domain" in (entry(v, SECOND) or {}).get("infoSource", ""))
        assert script.dataplane.guests[vmi["metadata"]["uid"]].nics[SECOND].mac == SECOND_MAC
        assert await script.until_event(LAUNCHER, "AddedInterface")
        added = [event for event in await script.events(LAUNCHER) if "added interface" in event]
        assert added == [
            f"AddedInterface: pod [demo/{LAUNCHER}]: added interface {SECOND_INTERFACE} to network: nad-c"
            f"(mac: {SECOND_MAC})"
        ]


async def test_the_controller_unplugs_what_is_no_more_asked_for() -> None:
    async with agent_script(dynamic_networks=True) as script:
        vmi = await started(script)
        await ask(script)
        await reported(script)
        (pod,) = vmi["status"]["activePods"]
        assert INTERFACE not in script.dataplane.pods[pod]
        assert await script.until_event(LAUNCHER, "RemovedInterface")


async def test_another_network_behind_the_same_interface_ends_in_a_roll_back() -> None:
    """What the real one does when a request is rewritten for a swap: ADD fails, and its roll-back is a DEL."""
    async with agent_script(dynamic_networks=True) as script:
        vmi = await started(script)
        await script.nad("nad-b", vlan=200)
        await ask(script, request("nad-b", INTERFACE, MAC))
        events = await script.until_event(LAUNCHER, "FailedAddingInterface")
        assert events[-1].endswith(f"failed adding interface {INTERFACE} to network: nad-b")
        await reported(script)
        (pod,) = vmi["status"]["activePods"]
        assert script.dataplane.pods[pod] == {"eth0": None}


async def test_without_the_controller_a_running_pod_stays_as_it_is() -> None:
    async with agent_script() as script:
        vmi = await started(script)
        await script.nad("nad-b", vlan=200)
        await ask(script, request("nad-b", INTERFACE, MAC))
        # An edit that virt-handler answers shows that the pod's change was seen before it.
        await script.patch_vmi("vm1", {"interfaces": []})
        await script.until(VMIS, "vm1", lambda v: entry(v, NIC) is not None)
        (pod,) = vmi["status"]["activePods"]
        assert script.dataplane.pods[pod][INTERFACE] == Segment("br1", 100)


async def started(script: Script) -> Obj:
    await script.nad("nad-a")
    vmi = await script.running()
    assert has(vmi, "AgentConnected")
    return vmi
