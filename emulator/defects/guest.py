# SPDX-License-Identifier: Apache-2.0
"""A swap changes more of the guest than its network."""

from __future__ import annotations

from typing import Any

from ..controlplane.accessors import networks
from ..fault_points import Defect
from ..kube import conditions
from ..kube.client import Obj
from ..nodeagent.switch_over import Action, SwitchOver, besides


async def _address_lost_after_swap(now: SwitchOver) -> None:
    for device in now.devices:
        await now.inside("ip", "-4", "addr", "flush", "dev", device)


ADDRESS_LOST_AFTER_SWAP = Defect(
    name="address-lost-after-swap",
    sentence="At the end of the swap the NIC loses its IPv4 addresses inside the guest.",
    rows=("R6", "R16", "R29"),
    point="agent.after_switch_over",
    change=besides(_address_lost_after_swap),
)


async def _guest_address_added_after_swap(now: SwitchOver) -> None:
    for device in now.devices:
        await now.inside("ip", "addr", "add", "169.254.77.1/16", "dev", device)


GUEST_ADDRESS_ADDED_AFTER_SWAP = Defect(
    name="guest-address-added-after-swap",
    sentence="Something configures the NIC inside the guest after the swap: it has an address more than before.",
    rows=("R16",),
    point="agent.after_switch_over",
    change=besides(_guest_address_added_after_swap),
)


def _without_agent(status: Obj, *, vmi: Obj, **_: Any) -> Obj:
    """Where the VMI was migrated its agent is never heard of again; the pod's address is known without it."""
    if not (status.get("migrationState") or {}).get("completed"):
        return status
    primary = {network["name"] for network in networks(vmi["spec"]) if "pod" in network}
    conditions.remove({"status": status}, "AgentConnected")
    status["guestOSInfo"] = {}
    for entry in status.get("interfaces", []):
        entry.pop("interfaceName", None)
        if entry.get("name") not in primary:
            entry.pop("ipAddress", None)
            entry.pop("ipAddresses", None)
        entry["infoSource"] = "domain, multus-status"
    return status


GUEST_AGENT_LOST_AFTER_SWAP = Defect(
    name="guest-agent-lost-after-swap",
    sentence="After the migration the guest agent never comes back: the VMI knows nothing of the inside of its guest.",
    rows=("R6", "R16"),
    point="agent.vmi_status",
    change=_without_agent,
)


async def _reboot(now: SwitchOver) -> None:
    await now.dataplane.reboot(now.domain.uid)


def _with_reboot(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _reboot]


GUEST_REBOOTED_VMI_STAYS = Defect(
    name="guest-rebooted-vmi-stays",
    sentence="The swap reboots the guest, while the VMI object lives on as if nothing had happened.",
    rows=("R19",),
    point="agent.after_switch_over",
    change=_with_reboot,
)


async def _interface_renamed_after_swap(now: SwitchOver) -> None:
    for device in now.devices:
        await now.inside("ip", "link", "set", "dev", device, "down")
        await now.inside("ip", "link", "set", "dev", device, "name", "moved0")
        await now.inside("ip", "link", "set", "dev", "moved0", "up")


INTERFACE_RENAMED_AFTER_SWAP = Defect(
    name="interface-renamed-after-swap",
    sentence="The guest takes the NIC for a new one after the swap: its interface has another name.",
    rows=("R6",),
    point="agent.after_switch_over",
    change=besides(_interface_renamed_after_swap),
)


async def _drop_ipv6(now: SwitchOver) -> None:
    for nic in now.changed:
        if device := now.domain.device_of(nic):
            await now.dataplane.run_inside(now.domain.uid, ["ip", "-6", "addr", "flush", "dev", device])


def _without_ipv6(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _drop_ipv6]


IPV6_LOST_AFTER_MIGRATION = Defect(
    name="ipv6-lost-after-migration",
    sentence="At the end of the swap the NIC loses its IPv6 addresses inside the guest; IPv4 goes on.",
    rows=("R29",),
    point="agent.after_switch_over",
    change=_without_ipv6,
)


async def _set(now: SwitchOver) -> None:
    for device in now.devices:
        await now.inside("sh", "-c", f"echo 1 > /proc/sys/net/ipv4/conf/{device}/arp_ignore")


KERNEL_SETTING_CHANGED_AFTER_SWAP = Defect(
    name="kernel-setting-changed-after-swap",
    sentence="A kernel setting of the NIC is another one in the guest after the swap; all its traffic still works.",
    rows=("R51",),
    point="agent.after_switch_over",
    change=besides(_set),
)


def _another_mac(status: Obj, **_: Any) -> Obj:
    if (status.get("migrationState") or {}).get("completed"):
        for entry in status.get("interfaces", []):
            if entry.get("mac"):
                entry["mac"] = f"{entry['mac'][:-2]}{int(entry['mac'][-2:], 16) ^ 0x5A:02x}"
    return status


MAC_CHANGES_IN_API_ONLY = Defect(
    name="mac-changes-in-api-only",
    sentence="After the swap the VMI reports MAC addresses that its guest does not have.",
    rows=("R6",),
    point="agent.vmi_status",
    change=_another_mac,
)


async def _change_macs(now: SwitchOver) -> None:
    """The guest agent goes on reporting the old MAC, so that the API's view stays as it was."""
    for nic in now.changed:
        device = now.domain.device_of(nic)
        old = now.domain.nics[nic].mac.lower()
        last = int(old[-2:], 16) ^ 0x5A
        new = f"{old[:-2]}{last:02x}"
        if device:
            now.domain.concealed_macs[new] = old
            await now.dataplane.run_inside(now.domain.uid, ["ip", "link", "set", "dev", device, "address", new])


def _with_new_macs(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _change_macs]


MAC_CHANGES_IN_GUEST_ONLY = Defect(
    name="mac-changes-in-guest-only",
    sentence="During the swap the NIC gets another MAC inside the guest, while the API goes on showing the old one.",
    rows=("R6",),
    point="agent.after_switch_over",
    change=_with_new_macs,
)


def _another_machine(status: Obj, **_: Any) -> Obj:
    if (status.get("migrationState") or {}).get("completed") and status.get("machine"):
        status["machine"] = {"type": "pc-q35-rhel9.6.0"}
    return status


MACHINE_TYPE_CHANGED_AFTER_SWAP = Defect(
    name="machine-type-changed-after-swap",
    sentence="After the swap the VMI is another type of machine, which no check of its network looks at.",
    rows=("R51",),
    point="agent.vmi_status",
    change=_another_machine,
)


async def _mtu_changed_after_swap(now: SwitchOver) -> None:
    for device in now.devices:
        await now.inside("ip", "link", "set", "dev", device, "mtu", "1400")


MTU_CHANGED_AFTER_SWAP = Defect(
    name="mtu-changed-after-swap",
    sentence="The MTU of the NIC is another one inside the guest after the swap.",
    rows=("R6",),
    point="agent.after_switch_over",
    change=besides(_mtu_changed_after_swap),
)


async def _route_lost_after_swap(now: SwitchOver) -> None:
    for device in now.devices:
        routes = (await now.inside("ip", "-4", "route", "show", "dev", device)).decode().splitlines()
        for route in routes:
            await now.inside("ip", "-4", "route", "del", route.split()[0], "dev", device)


ROUTE_LOST_AFTER_SWAP = Defect(
    name="route-lost-after-swap",
    sentence="At the end of the swap the routes of the NIC are gone inside the guest, while its addresses are there.",
    rows=("R6", "R16"),
    point="agent.after_switch_over",
    change=besides(_route_lost_after_swap),
)


async def _pause(now: SwitchOver) -> None:
    now.domain.paused = True
    await now.dataplane.freeze(now.domain.uid, True)


VM_PAUSED_AFTER_SWAP = Defect(
    name="vm-paused-after-swap",
    sentence="The guest is never resumed after the switch-over: the VM stays paused on its target node.",
    rows=("R1", "R2", "R19"),
    point="agent.after_switch_over",
    change=besides(_pause),
)
