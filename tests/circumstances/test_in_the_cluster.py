# SPDX-License-Identifier: Apache-2.0
"""Circumstances tried on the embedded cluster's control plane: what it writes is what the verdicts are asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from livenad.api.history import History
from livenad.api.kinds import EVENT, MIGRATION, POD, VM, VMI
from livenad.changes import network_change
from livenad.errors import NotReached
from livenad.model import VmRecord
from livenad.network_change.judge_network_change import judge_completion
from livenad.network_change.obstacles import obstacle

from tests.emulator.controlplane.lab import NAMESPACE, Lab, running_lab
from tests.unit.support.topology import LOGIN

KINDS = {kind.name: kind for kind in (VM, VMI, MIGRATION, POD, EVENT)}


class Recording:
    """What the control plane wrote, as the recorder of a suite keeps it."""

    def __init__(self, lab: Lab) -> None:
        self.history = History()
        self._lab = lab
        self._seen = 0

    def catch_up(self) -> History:
        new, self._seen = self._lab.history[self._seen :], len(self._lab.history)
        for type_, kind, item in new:
            self.history.append(KINDS[kind], type_, item)
        return self.history


async def held_back(lab: Lab, told: Callable[[], bool]) -> str:
    """The obstacle of a swap, once the cluster has told of it."""
    recording = Recording(lab)
    record = VmRecord("vm1", NAMESPACE, LOGIN, [])
    change = network_change(recording.catch_up(), record, "net1", "nad-b")
    await lab.swap("nad-b")
    await lab.until("it is told", told)
    history = recording.catch_up()
    with pytest.raises(NotReached):
        judge_completion(history, change, 0)
    return obstacle(history, change)


async def put_quota(lab: Lab, **hard: Any) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "compute", "namespace": NAMESPACE}}
    await lab.client.create("resourcequotas", {**quota, "spec": {"hard": hard}})


@pytest.mark.circumstance(
    "a quota is lowered after the VMs have started, to what they use",
    topic="rules",
    sees="has no running target pod: ... exceeded quota: compute ... A live migration needs room for a second launcher",
    verdict="LAB ERROR",
    source="https://github.com/harvester/harvester/issues/3124",
)
async def test_quota_that_the_running_vms_use_up(sees: Callable[[object], None]) -> None:
    async with running_lab("1.9") as lab:
        await lab.running_vm()
        await put_quota(lab, pods="1")
        sees(await held_back(lab, lambda: bool(lab.events("FailedCreate"))))


@pytest.mark.circumstance(
    "the other node is cordoned after the VMs have started",
    topic="nodes",
    sees="has no running target pod: ... Unschedulable: ... no node takes the pod",
    verdict="LAB ERROR",
    source="https://kubevirt.io/user-guide/compute/node_assignment/",
)
async def test_node_that_is_cordoned_meanwhile(sees: Callable[[object], None]) -> None:
    async with running_lab("1.9") as lab:
        await lab.running_vm()
        vmi = lab.last("VirtualMachineInstance") or {}
        for node in (await lab.client.list("nodes"))[0]:
            name = node["metadata"]["name"]
            if name != vmi["status"]["nodeName"]:
                await lab.client.patch("nodes", name, None, {"spec": {"unschedulable": True}})
        sees(await held_back(lab, lambda: bool(lab.events("migrationTargetPodUnschedulable"))))
