# SPDX-License-Identifier: Apache-2.0
"""Flows in which a network changes together with something else, or several do."""

from __future__ import annotations

import pytest

from emulator.kube.errors import ApiError
from tests.emulator.controlplane.lab import NAMESPACE, Lab

from .acts import (
    CARD,
    CORES,
    NIC,
    PLUG_NET2,
    TEMPLATE,
    TO_B,
    UNPLUG_NET1,
    added,
    network,
    replaced,
    restart,
    succeeded,
    synced,
    told,
)

NET2 = NIC.replace("/1/", "/2/")


async def two_networks(lab: Lab) -> None:
    await lab.running_vm(nads=("nad-a", "nad-b"))
    await lab.patch_vm([TO_B, replaced(NET2, "nad-c")])
    await succeeded(lab)


async def swapped(lab: Lab) -> None:
    await lab.running_vm(nads=("nad-a", "nad-b"))
    await lab.patch_vm([TO_B, replaced(NET2, "nad-a")])
    await succeeded(lab)


async def both_on_one(lab: Lab) -> None:
    await lab.running_vm(nads=("nad-a", "nad-b"))
    await lab.swap("nad-b")
    await succeeded(lab)


async def hotplug(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm(PLUG_NET2)
    await succeeded(lab)


async def hotunplug(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm([UNPLUG_NET1])
    await succeeded(lab)


async def hotplug_and_swap(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm([*PLUG_NET2, TO_B])
    await succeeded(lab)


async def unplug_and_swap(lab: Lab) -> None:
    await lab.running_vm(nads=("nad-a", "nad-b"))
    await lab.patch_vm([UNPLUG_NET1, replaced(NET2, "nad-c")])
    await succeeded(lab)


async def unplug_the_swapped(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm([UNPLUG_NET1, TO_B])
    await succeeded(lab)


async def removed_from_spec(lab: Lab) -> None:
    await lab.running_vm()
    gone = [f"{TEMPLATE}/networks/1", f"{CARD}/1"]
    await lab.patch_vm([{"op": "remove", "path": path} for path in gone])
    await told(lab, "RestartRequired")
    await lab.quiet(15)


async def hotplug_in_place(lab: Lab) -> None:
    """With the dynamic networks controller."""
    await lab.running_vm()
    await lab.patch_vm(PLUG_NET2)
    await lab.quiet(30)
    await lab.patch_vm([UNPLUG_NET1])
    await lab.quiet(30)


async def with_cores(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm([TO_B, CORES])
    await succeeded(lab)
    await restart(lab)


async def with_model(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm([TO_B, added(f"{CARD}/1/model", "e1000e")])
    await succeeded(lab)


async def with_binding(lab: Lab) -> None:
    await lab.running_vm()
    with pytest.raises(ApiError, match="Masquerade interface only implemented with pod network"):
        await lab.patch_vm([TO_B, replaced(f"{CARD}/1", {"name": "net1", "masquerade": {}})])
    await lab.quiet(3)
    await lab.patch_vm([TO_B, replaced(f"{CARD}/1", {"name": "net1", "sriov": {}})])
    await succeeded(lab)


async def with_mac(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm([TO_B, added(f"{CARD}/1/macAddress", "02:00:00:00:00:55")])
    await succeeded(lab)


async def with_sockets(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm([TO_B, replaced(f"{TEMPLATE}/domain/cpu/sockets", 2)])
    await succeeded(lab)


async def after_restart_required(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm([CORES])
    await told(lab, "RestartRequired")
    await lab.quiet(4)
    await lab.swap("nad-b")
    await succeeded(lab)


async def renamed(lab: Lab) -> None:
    await lab.running_vm()
    with pytest.raises(ApiError, match="more than one interface is connected to a pod network"):
        await lab.patch_vm([replaced(f"{TEMPLATE}/networks/1", {"name": "net1", "pod": {}})])
    await lab.quiet(4)
    await lab.patch_vm(
        [
            replaced(f"{TEMPLATE}/networks/1", network("netx", "nad-a")),
            replaced(f"{CARD}/1", {"name": "netx", "bridge": {}}),
        ]
    )
    await told(lab, "RestartRequired")
    await lab.quiet(12)


async def with_link_down(lab: Lab) -> None:
    """Other VMs' migrations kept the recorded one waiting for forty seconds; waiting changes nothing else."""
    await lab.running_vm()
    await lab.patch_vm([TO_B, added(f"{CARD}/1/state", "down")])
    await succeeded(lab)


async def other_namespace(lab: Lab) -> None:
    await lab.running_vm()
    await lab.swap("ns2/nad-b")
    await succeeded(lab)


async def same_qualified(lab: Lab) -> None:
    await lab.running_vm()
    await lab.swap(f"{NAMESPACE}/nad-a")
    await synced(lab, f"{NAMESPACE}/nad-a")
    await lab.quiet(20)
    await lab.swap("nad-a")
    await synced(lab, "nad-a")
    await lab.quiet(15)


async def no_pod_network(lab: Lab) -> None:
    await lab.running_vm(pod_network="")
    await lab.swap("nad-b", index=0)
    await succeeded(lab)


async def default_of_multus(lab: Lab) -> None:
    await lab.running_vm(pod_network="", nads=("nad-a", "nad-a"), nics=("net0", "net1"), multus_default="net0")
    await lab.swap("nad-b", index=0)
    await synced(lab, "nad-b")
    await lab.quiet(20)
