# SPDX-License-Identifier: Apache-2.0
"""Verdicts on whether a VM was restarted, on recordings of a real control plane: each holds where it should."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from livenad.api.history import DELETED
from livenad.api.kinds import VM, VMI, Object
from livenad.errors import ProductFault
from livenad.network_change.judge_network_change import judge_completion
from livenad.virtual_machines.judge_lifecycle import (
    judge_new_instance,
    judge_not_restarted,
    judge_same_instance,
    judge_started_once,
)

from tests.unit.support.histories import EDITED, Event, hotplugs, insert, replay, restarted

STARTING = "edit-of-starting-vm-1.9.0"


def test_a_new_instance_is_another_vmi() -> None:
    history, change = replay("swap-main")
    assert "runs as VMI" in judge_new_instance(history, restarted(change, vmi_uid="another"))
    with pytest.raises(ProductFault, match="the VMI is the same as before"):
        judge_new_instance(history, restarted(change))


def test_vmi_replaced_is_a_restart() -> None:
    def altered(recorded: list[Event]) -> Iterable[Event]:
        vmis = [event for event in recorded if event["kind"] == "VirtualMachineInstance"]
        for event in vmis[-2:]:
            event["object"]["metadata"]["uid"] = "another-uid"
        return recorded

    history, change = replay("swap-main", altered)
    with pytest.raises(ProductFault, match=r"without a restart; VMI \S+ was replaced by another-uid .* after the edit"):
        judge_not_restarted(history, change)
    with pytest.raises(ProductFault, match=r"the VMI was replaced: .* another-uid now"):
        judge_completion(history, change, within=5)


def test_vmi_that_left_running_for_a_moment_is_a_restart() -> None:
    def stop(item: Object) -> None:
        item["status"]["phase"] = "Succeeded"

    at = EDITED["swap-main"] + 9
    history, change = replay("swap-main", lambda recorded: insert(recorded, at, "VirtualMachineInstance", stop))
    with pytest.raises(ProductFault, match=r"expected VMI phase Running all the time; it was Succeeded 9\.0 s after"):
        judge_not_restarted(history, change)


def test_vmi_that_is_left_paused_does_not_run_on() -> None:
    """The guest cannot be asked then, which must not pass for a fault of the lab."""

    def pause(item: Object) -> None:
        said = {"type": "Paused", "status": "True", "reason": "PausedByUser", "message": "VMI was paused by user"}
        item["status"]["conditions"].append(said)

    history, change = replay(
        "swap-main", lambda recorded: insert(recorded, EDITED["swap-main"] + 500, "VirtualMachineInstance", pause)
    )
    with pytest.raises(
        ProductFault, match=r"expected its guest to keep running; the VMI is paused: Paused=True \(PausedByUser"
    ):
        judge_not_restarted(history, change)


def test_deleted_vm_is_a_restart() -> None:
    history, change = replay("swap-main")
    vmi = history.current(VMI, "vm1")
    assert vmi is not None
    history.append(VMI, "DELETED", {**vmi, "metadata": {**vmi["metadata"], "resourceVersion": "999999999"}})
    with pytest.raises(ProductFault, match="was deleted"):
        judge_not_restarted(history, change)
    assert history.records(VM, "vm1")


@pytest.mark.parametrize(
    ("status", "seen"), [({"phase": "Scheduling"}, "it was Scheduling"), ({"phase": "Failed"}, "it was Failed")]
)
def test_vmi_that_goes_back_is_a_fault(status: dict[str, str], seen: str) -> None:
    def back(recorded: list[Event]) -> Iterable[Event]:
        return insert(recorded, 15, VMI.name, lambda item: item["status"].update(status))

    with pytest.raises(ProductFault, match=f"expected the VMI to reach phase Running and stay there; {seen}"):
        judge_started_once(*replay(STARTING, back))


def test_replaced_vmi_is_a_fault() -> None:
    def replaced(recorded: list[Event]) -> Iterable[Event]:
        return insert(recorded, 15, VMI.name, lambda item: item["metadata"].update(uid="another"))

    with pytest.raises(ProductFault, match="was replaced by another"):
        judge_started_once(*replay(STARTING, replaced))


def test_a_vmi_that_is_deleted_or_stops_has_not_run_on() -> None:
    def stop(vmi: Any) -> None:
        vmi["status"]["phase"] = "Succeeded"

    history, plug, _ = hotplugs(lambda recorded: insert(recorded, 20, VMI.name, stop))
    with pytest.raises(ProductFault, match="was Succeeded"):
        judge_same_instance(history, plug)

    def deleted(recorded: list[Any]) -> list[Any]:
        changed = insert(recorded, 20, VMI.name, lambda _: None)
        return [event | {"type": DELETED} if event["t"] == 20 else event for event in changed]

    history, plug, _ = hotplugs(deleted)
    with pytest.raises(ProductFault, match="was deleted"):
        judge_same_instance(history, plug)


def test_a_vm_runs_on_over_a_hotplug_and_an_unplug() -> None:
    history, plug, unplug = hotplugs()
    for change in (plug, unplug):
        assert "has kept running" in judge_same_instance(history, change)
