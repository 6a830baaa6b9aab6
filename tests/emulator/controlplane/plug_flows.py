"""Recorded flows in which NICs come and go, or change in ways that are not applied live."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.kube.errors import ApiError

from .flows import NIC, succeeded, told
from .lab import Lab

CARDS = "/spec/template/spec/domain/devices/interfaces"
NETWORKS = "/spec/template/spec/networks"
NEW_NETWORK = {"op": "replace", "path": NIC, "value": "nad-b"}
PLUG: list[dict[str, Any]] = [
    {"op": "add", "path": f"{NETWORKS}/-", "value": {"name": "net2", "multus": {"networkName": "nad-c"}}},
    {"op": "add", "path": f"{CARDS}/-", "value": {"name": "net2", "bridge": {}}},
]
UNPLUG = {"op": "add", "path": f"{CARDS}/1/state", "value": "absent"}


async def hotplug(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm(PLUG)
    await succeeded(lab)


async def hot_unplug(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm([UNPLUG])
    await succeeded(lab)


async def hotplug_and_nad(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm([*PLUG, NEW_NETWORK])
    await succeeded(lab)


async def unplug_and_nad(lab: Lab) -> None:
    await lab.running_vm(nads=("nad-a", "nad-b"))
    await lab.patch_vm([UNPLUG, {"op": "replace", "path": NIC.replace("/1/", "/2/"), "value": "nad-c"}])
    await succeeded(lab)


async def unplug_same_nad(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm([UNPLUG, NEW_NETWORK])
    await succeeded(lab)


async def removed_from_spec(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm([{"op": "remove", "path": f"{NETWORKS}/1"}, {"op": "remove", "path": f"{CARDS}/1"}])
    await lab.quiet(20)


async def in_place(lab: Lab) -> None:
    """With a dynamic networks controller: plugged and unplugged without a migration."""
    await lab.running_vm()
    await lab.patch_vm(PLUG)
    await lab.quiet(30)
    await lab.patch_vm([UNPLUG])
    await lab.quiet(30)


async def nad_and_model(lab: Lab) -> None:
    await lab.running_vm()
    await lab.patch_vm([NEW_NETWORK, {"op": "add", "path": f"{CARDS}/1/model", "value": "e1000e"}])
    await succeeded(lab)


async def nad_and_binding(lab: Lab) -> None:
    await lab.running_vm()
    without_bridge = {"op": "remove", "path": f"{CARDS}/1/bridge"}
    with pytest.raises(ApiError, match="Masquerade interface only implemented with pod network"):
        await lab.patch_vm([NEW_NETWORK, without_bridge, {"op": "add", "path": f"{CARDS}/1/masquerade", "value": {}}])
    await lab.patch_vm([NEW_NETWORK, without_bridge, {"op": "add", "path": f"{CARDS}/1/sriov", "value": {}}])
    await succeeded(lab)


async def renamed(lab: Lab) -> None:
    """A NIC of another name is an old one that is gone, which needs a restart, and a new one, which is plugged."""
    await lab.running_vm()
    await lab.patch_vm([{"op": "replace", "path": f"{place}/1/name", "value": "netx"} for place in (NETWORKS, CARDS)])
    await told(lab, "RestartRequired")
    await lab.quiet(15)
