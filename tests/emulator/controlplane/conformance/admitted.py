# SPDX-License-Identifier: Apache-2.0
"""The flow of edits that admission has to judge: odd names are taken, and followed, as any other."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.controlplane import names
from emulator.kube.errors import ApiError
from tests.emulator.controlplane.lab import NAMESPACE, Lab, vm

from .acts import CARD, NIC, TEMPLATE, added, network, reached, replaced, synced, told
from .repeated import FREE_SLOTS

NETWORK = f"{TEMPLATE}/networks/1"
NOT_UNIQUE = 'Network with name "net1" already exists, every network must have a unique name'
NO_PARTNER = "name 'net2' not found."
REFUSED: list[tuple[list[dict[str, Any]], str]] = [
    ([replaced(NETWORK, {"name": "net1", "multus": {}, "pod": {}})], "more than one interface is connected"),
    ([replaced(NETWORK, {"name": "net1"})], "should have a network type"),
    ([added(f"{TEMPLATE}/networks/-", network("net1", "nad-c"))], NOT_UNIQUE),
    ([{"op": "remove", "path": f"{CARD}/2"}], NO_PARTNER),
    ([{"op": "remove", "path": f"{TEMPLATE}/networks/2"}], NO_PARTNER),
    ([replaced(NIC, 7)], 'networkName in body must be of type string: "number"'),
    ([added(f"{CARD}/1/state", "bogus")], "logical net1 interface state value is unsupported: bogus"),
    (
        [added(f"{NETWORK}/multus/default", True)],
        "Pod network cannot be defined when Multus default network is defined",
    ),
]


async def odd_names(lab: Lab) -> None:
    lab.agent.missing_nads |= {f"{NAMESPACE}/nad b", "a/b/c", f"{NAMESPACE}/nad-missing"}
    await lab.running_vm(nads=("nad-a", "nad-b"))
    with pytest.raises(ApiError, match="CNI delegating plugin must have a networkName"):
        await lab.swap("")
    # The updater was due within a second, as always some seconds after a change of the cluster's settings.
    await lab.configure(FREE_SLOTS)
    await lab.quiet(4)
    await lab.swap("nad b")
    await reached(lab, "Scheduling")
    for name in ("Nad_B", "ns2/", "/nad-b", "a/b/c"):
        await _followed(lab, name)
    await lab.swap("nad-a")
    await told(lab)
    for name in ("x" * 300, "ns2/nad-missing"):
        await _followed(lab, name)
    for patch, message in REFUSED:
        with pytest.raises(ApiError, match=message):
            await lab.patch_vm(patch)
    await _followed(lab, "nad-c")
    with pytest.raises(ApiError, match="CNI delegating plugin must have a networkName"):
        await lab.create_vm("v2", nads=("",))
    twice = vm("v3")
    twice["spec"]["template"]["spec"]["networks"].append(network("net1", "nad-a"))
    with pytest.raises(ApiError, match=NOT_UNIQUE):
        await lab.client.create(names.VM, twice)
    await lab.create_vm("v4", nads=("a/b/c",))
    await lab.create_vm("v5", nads=("nad-missing",))
    await lab.quiet(15)


async def _followed(lab: Lab, name: str) -> None:
    await lab.swap(name)
    await synced(lab, name)
    await lab.quiet(0.3)
