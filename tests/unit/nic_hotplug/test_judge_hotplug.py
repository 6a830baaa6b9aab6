"""Verdicts on hot-plug and hot-unplug, on a recording of a real control plane."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from livenad.api.history import DELETED, History
from livenad.api.kinds import VM
from livenad.errors import BadInput, ProductFault
from livenad.model import Nic
from livenad.network_change.change import Act
from livenad.network_change.completion import NetworkSwap
from livenad.nic_hotplug.hotplug import NicChange, NicChanges, facts_of, is_settled
from livenad.nic_hotplug.judge_hotplug import judge_nic_change, judge_ran_on

from tests.unit.support.histories import Change, insert, replay

RECORDING = "plug-in-place-main"
AFTER_PLUG = 30.0
PLUGGED_MAC = "02:71:32:6c:10:de"
VMI_KIND, VM_KIND = "VirtualMachineInstance", "VirtualMachine"


def replayed(change: Change | None = None, until: float = 1e9) -> tuple[History, NicChange, NicChange]:
    """The history, and the two changes of it: net2 plugged into nad-c at 7.1 s, net1 unplugged at 37.1 s."""
    history, swap = replay(RECORDING, change, until)
    plug = act_of(swap)
    absent = (r for r in history.records(VM, "vm1") if "absent" in str(r.object["spec"]))
    index, at = next(((r.index, r.at) for r in absent), (len(history), swap.at))
    unplug = replace(plug, what="the hot-unplug", index=index, at=at)
    return (
        history,
        NicChange(plug, Nic("net2", PLUGGED_MAC, "nad-c"), plugged=True),
        NicChange(unplug, Nic("net1", "02:00:00:00:00:01", "nad-a"), plugged=False),
    )


def act_of(swap: NetworkSwap) -> Act:
    before = swap.before
    uid, node = before.vmi_uid, before.node
    return Act("the hot-plug", swap.vm, swap.namespace, swap.index, swap.at, uid, node, before.migrations)


def test_a_plugged_nic_is_in_spec_status_and_pod() -> None:
    history, plug, _ = replayed(until=AFTER_PLUG)
    assert is_settled(history, plug)
    assert "done 1." in judge_nic_change(history, plug, 10)
    assert "in place" in judge_nic_change(history, plug, 10)


def test_a_plug_that_came_too_late_is_a_fault() -> None:
    history, plug, _ = replayed(until=AFTER_PLUG)
    with pytest.raises(ProductFault, match=r'NIC "net2", plugged into "nad-c": .* was only after 1\.'):
        judge_nic_change(history, plug, 1)


@pytest.mark.parametrize(
    ("until", "missing"),
    [
        (7.11, "the VMI's spec does not have it"),
        (7.3, "status.interfaces does not have it"),
        (8.6, "infoSource multus-status"),
    ],
)
def test_each_fact_of_a_plug_is_missed(until: float, missing: str) -> None:
    history, plug, _ = replayed(until=until)
    with pytest.raises(ProductFault, match=missing):
        judge_nic_change(history, plug, 10)


def test_a_plugged_nic_has_its_own_mac_and_network() -> None:
    history, plug, _ = replayed(until=AFTER_PLUG)
    other = replace(plug, nic=replace(plug.nic, mac="02:00:00:00:00:99"))
    with pytest.raises(ProductFault, match=f"with MAC {PLUGGED_MAC}"):
        judge_nic_change(history, other, 10)
    other = replace(plug, nic=replace(plug.nic, network="nad-x"))
    with pytest.raises(ProductFault, match=r"(?s)has it on \"nad-c\".*/nad-c"):
        judge_nic_change(history, other, 10)


def test_a_migration_that_is_asked_for_keeps_a_plug_from_being_done() -> None:
    def ask(vmi: Any) -> None:
        vmi["status"]["conditions"].append({"type": "MigrationRequired", "status": "False"})

    history, plug, _ = replayed(lambda recorded: insert(recorded, 20, VMI_KIND, ask), until=AFTER_PLUG)
    with pytest.raises(ProductFault, match="no migration is asked for or under way: MigrationRequired=False"):
        judge_nic_change(history, plug, 60)


def test_an_unplugged_nic_is_nowhere() -> None:
    history, _, unplug = replayed()
    assert "unplugged: done" in judge_nic_change(history, unplug, 10)


@pytest.mark.parametrize(
    ("until", "missing"),
    [(37.5, "status.interfaces still has it, infoSource domain"), (38.0, "still has it, infoSource multus-status")],
)
def test_an_unplug_is_not_done_before_the_nic_is_gone(until: float, missing: str) -> None:
    history, _, unplug = replayed(until=until)
    with pytest.raises(ProductFault, match=missing):
        judge_nic_change(history, unplug, 10)
    assert len([fact for fact in facts_of(history, unplug) if not fact.holds]) > 1


def test_a_vm_runs_on_over_both() -> None:
    history, plug, _ = replayed()
    assert "has run on" in judge_ran_on(history, plug.act)


def test_a_restart_that_is_asked_for_for_a_moment_is_a_fault() -> None:
    def ask(vm: Any) -> None:
        vm["status"]["conditions"].append({"type": "RestartRequired", "status": "True"})

    history, plug, _ = replayed(lambda recorded: insert(recorded, 20, VM_KIND, ask))
    with pytest.raises(ProductFault, match="expected no restart to be asked for by the hot-plug"):
        judge_ran_on(history, plug.act)


def test_a_vmi_that_is_deleted_or_stops_has_not_run_on() -> None:
    def stop(vmi: Any) -> None:
        vmi["status"]["phase"] = "Succeeded"

    history, plug, _ = replayed(lambda recorded: insert(recorded, 20, VMI_KIND, stop))
    with pytest.raises(ProductFault, match="was Succeeded"):
        judge_ran_on(history, plug.act)

    def deleted(recorded: list[Any]) -> list[Any]:
        changed = insert(recorded, 20, VMI_KIND, lambda _: None)
        return [event | {"type": DELETED} if event["t"] == 20 else event for event in changed]

    history, plug, _ = replayed(deleted)
    with pytest.raises(ProductFault, match="was deleted"):
        judge_ran_on(history, plug.act)


def test_changes_are_found_by_vm_nic_and_kind() -> None:
    _, plug, unplug = replayed()
    changes = NicChanges()
    changes.add(plug)
    changes.add(unplug)
    vm, namespace = plug.act.vm, plug.act.namespace
    assert changes.of_vm(vm, namespace) == [plug, unplug]
    assert changes.of_nic(vm, namespace, "net1") is unplug
    with pytest.raises(BadInput, match=r'NIC "net1" of VM .* was not plugged'):
        changes.of_nic(vm, namespace, "net1", plugged=True)
    with pytest.raises(BadInput, match=r"no NIC of VM .*/other was plugged or unplugged"):
        changes.of_vm("other", namespace)
