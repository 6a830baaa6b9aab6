# SPDX-License-Identifier: Apache-2.0
"""Verdicts on recordings of a real control plane, as they are and with the faults that suites must catch."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from livenad.api.history import History
from livenad.api.kinds import EVENT, POD, VMI, Object
from livenad.api.status import node_of
from livenad.changes import NetworkChange
from livenad.conditions.judge_conditions import judge_restart_never_required
from livenad.errors import LabError, ProductFault
from livenad.migrations.judge_migrations import judge_one_migration
from livenad.network_change.completion import completed_at, five_facts, is_complete
from livenad.network_change.judge_network_change import (
    interface_differences,
    judge_completion,
    judge_interface,
    judge_network,
)
from livenad.report.timeline import timeline_of
from livenad.virtual_machines.judge_lifecycle import judge_not_restarted

from tests.unit.support.histories import EDITED, Alteration, Event, insert, replay

GOOD = ["swap-main", "swap-1.9.0"]
JUDGES = [judge_not_restarted, judge_one_migration, judge_restart_never_required]


@pytest.mark.parametrize("name", GOOD)
def test_good_swap_passes_every_verdict(name: str) -> None:
    history, change = replay(name)
    took = (completed_at(five_facts(history, change)) or 0) - change.at
    assert 13 < took < 15
    assert f"complete {took:.0f} s after the edit" in judge_completion(history, change, within=60)
    for judge in JUDGES:
        judge(history, change)
    assert interface_differences(history, change) == []


@pytest.mark.parametrize("name", GOOD)
def test_swap_is_complete_only_when_all_five_facts_are_together(name: str) -> None:
    """MigrationRequired goes and the node changes before; the other two come last."""
    history, change = replay(name)
    done = completed_at(five_facts(history, change)) or 0
    start = change.at - EDITED[name]
    before, change_before = replay(name, until=done - start - 0.01)
    assert not is_complete(before, change_before)
    names = [fact.name for fact in five_facts(before, change_before) if not fact.holds]
    assert set(names) <= {
        "the cluster's migration object for the edit is Succeeded",
        "vmi.status.migrationState is completed for that migration and not failed",
    }
    after, change_after = replay(name, until=done - start + 0.01)
    assert is_complete(after, change_after)


def test_too_late_is_a_fault_that_names_what_came_last() -> None:
    history, change = replay("swap-main")
    with pytest.raises(
        ProductFault,
        match=r'VM lab-b-basic/vm1, NIC "net1" from "nad-a" to "nad-b": expected to be '
        r"complete within 10 s, was only after 14 s; last to come true: the cluster's migration object",
    ):
        judge_completion(history, change, within=10)


def test_nic_that_was_on_no_network_is_told_as_such() -> None:
    """One that was plugged, and never came."""
    history, change = replay("swap-main")
    change.old_network = ""
    assert 'NIC "net1" from no network to "nad-b"' in change.title
    (edit,) = [
        mark for lane in timeline_of(history, change, 60.0).lanes for mark in lane.marks if 'NIC "net1"' in mark.label
    ]
    assert edit.label == 'NIC "net1": no network → nad-b'


def test_no_migration_says_how_far_it_got() -> None:
    history, change = replay("swap-main", until=EDITED["swap-main"] + 3)
    with pytest.raises(ProductFault) as caught:
        judge_completion(history, change, within=2)
    message = str(caught.value)
    assert "no migration object was made, the VMI's spec has the new network" in message
    assert "MigrationRequired=True (AutoMigrationDueToLiveUpdate)" in message
    with pytest.raises(
        ProductFault, match="expected exactly one migration made by the cluster for the edit, there is none"
    ):
        judge_one_migration(history, change)


def test_gate_off_is_restart_required_and_no_migration() -> None:
    history, change = replay("gate-off-1.8.4")
    with pytest.raises(ProductFault, match=r'the VMI\'s spec still names "nad-a".*the VM has RestartRequired'):
        judge_completion(history, change, within=5)
    with pytest.raises(
        ProductFault,
        match=r"RestartRequired never to be set when only networkName changes; it was set 0\.0 s after the edit "
        r"and still is after .*: RestartRequired=True \(a non-live-updatable field was changed in the template spec\)",
    ):
        judge_restart_never_required(history, change)


def test_migration_left_running_is_said_in_words() -> None:
    history, change = replay("edit-during-migration-main")
    change.new_network = "nad-c"
    with pytest.raises(ProductFault) as caught:
        judge_completion(history, change, within=60)
    assert re.search(r"migration \S+ is Running since .* though migrationState.completed is true", str(caught.value))
    assert "the product left it in phase Running" in str(caught.value)
    assert "MigrationRequired=True" in str(caught.value)


def test_target_pod_on_the_old_network_is_named() -> None:
    def altered(recorded: list[Event]) -> Iterable[Event]:
        for event in recorded:
            if event["kind"] == "Pod":
                notes = event["object"]["metadata"]["annotations"]
                for key in notes:
                    notes[key] = notes[key].replace("nad-b", "nad-a")
        return recorded

    history, change = replay("swap-main", altered)
    with pytest.raises(ProductFault) as caught:
        judge_completion(history, change, within=60)
    message = str(caught.value)
    assert message.count("missing:") == 1 and "\n" not in message
    assert "pod6c270ef2f25 on lab-b-basic/nad-a, expected lab-b-basic/nad-b" in message


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("mac", "02:00:00:00:00:99", "status mac was 02:1e:25:8c:2a:82, is 02:00:00:00:00:99"),
        ("interfaceName", "eth7", "status interfaceName was eth1, is eth7"),
        ("ipAddresses", ["10.0.0.9"], r"status ipAddresses were \[\], are \['10.0.0.9'\]"),
    ],
)
def test_interface_that_changed_in_the_api_is_told(key: str, value: object, said: str) -> None:
    def alter(item: Object) -> None:
        next(entry for entry in item["status"]["interfaces"] if entry["name"] == "net1")[key] = value

    at = EDITED["swap-main"] + 21
    history, change = replay("swap-main", lambda recorded: insert(recorded, at, VMI.name, alter))
    (difference,) = interface_differences(history, change)
    assert re.fullmatch(said, difference)


def test_target_pod_that_is_not_made_is_told_with_its_first_warning() -> None:
    """Its containers say no more than that they wait; why, the events say."""

    def altered(recorded: list[Event]) -> Iterable[Event]:
        kept = [event for event in recorded if event["t"] < EDITED["swap-main"] + 6]
        pod = [event["object"] for event in kept if event["kind"] == POD.name][-1]
        pod["status"] = {
            "phase": "Pending",
            "containerStatuses": [{"state": {"waiting": {"reason": "PodInitializing"}}}],
        }
        for number, reason in enumerate(("NoNetworkFound", "FailedCreatePodSandBox")):
            about = {"kind": "Pod", "name": pod["metadata"]["name"]}
            event = {"type": "Warning", "reason": reason, "message": "x" * 999, "involvedObject": about}
            event["metadata"] = {**pod["metadata"], "name": f"e{number}", "uid": f"e{number}"}
            kept.append({"t": kept[-1]["t"], "type": "ADDED", "kind": EVENT.name, "object": event})
        return kept

    history, change = replay("swap-main", altered)
    fact = five_facts(history, change)[0]
    assert re.search(r"is \w+ since .* \(target pod virt-launcher-vm1-\w+: NoNetworkFound: x{200,240}…\)$", fact.seen)


def test_network_is_read_from_spec_and_pod() -> None:
    history, change = replay("swap-main")
    namespace = change.namespace
    for name in ("nad-b", f"{namespace}/nad-b"):
        assert f"on {namespace}/nad-b" in judge_network(history, "vm1", namespace, "net1", name)
    for name in ("nad-a", "elsewhere/nad-b"):
        with pytest.raises(ProductFault, match=f"expected to be on .*{name}"):
            judge_network(history, "vm1", namespace, "net1", name)


def seen_at(seconds: float, alter: Alteration | None = None) -> tuple[History, NetworkChange]:
    """The recording up to a number of seconds after its VMI changed its node."""
    history, change = replay("swap-main", alter)
    start = change.at - EDITED["swap-main"]
    moved = next(one.at for one in history.records(VMI, "vm1", change.index) if node_of(one.object) != change.node)
    return replay("swap-main", alter, until=moved - start + seconds)


def test_what_the_source_knew_is_not_what_the_guest_reported_after_the_migration() -> None:
    """As the node changes, the VMI still shows all as before; 0.7 s later the target has written its interfaces."""
    history, change = seen_at(0.0)
    assert interface_differences(history, change) == []
    with pytest.raises(LabError, match="nothing was reported from another node or VMI since the edit"):
        judge_interface(history, change, 30)
    history, change = seen_at(-1.0)
    with pytest.raises(LabError, match="nothing was reported from another node"):
        judge_interface(history, change, 30)
    history, change = seen_at(2.0)
    assert "the VMI shows it as before the swap: mac" in judge_interface(history, change, 30)


@pytest.mark.parametrize("told", [False, True])
def test_a_vm_that_came_back_to_its_first_node_has_reported_when_it_did_so_there(told: bool) -> None:
    """A second migration took it back; what the first target knew is not what the guest told since."""
    home = replay("swap-main")[1].node

    def back(state: Event) -> None:
        state["status"]["nodeName"] = home

    def reported(state: Event) -> None:
        back(state)
        state["status"]["interfaces"].reverse()

    def come_back(recorded: list[Event]) -> list[Event]:
        end = recorded[-1]["t"]
        recorded = insert(recorded, end + 10, VMI.name, back)
        return insert(recorded, end + 11, VMI.name, reported) if told else recorded

    history, change = replay("swap-main", come_back)
    if told:
        assert "the VMI shows it as before the swap: mac" in judge_interface(history, change, 30)
    else:
        with pytest.raises(LabError, match="nothing was reported from another node"):
            judge_interface(history, change, 30)


def test_addresses_that_all_stay_count_when_the_time_to_report_is_over() -> None:
    def without_pod_network(recorded: list[Event]) -> list[Event]:
        for event in recorded:
            if event["kind"] == VMI.name and "interfaces" in event["object"].get("status", {}):
                status = event["object"]["status"]
                status["interfaces"] = [one for one in status["interfaces"] if one["name"] == "net1"]
        return recorded

    history, change = seen_at(5.0, without_pod_network)
    with pytest.raises(LabError, match="nothing was reported"):
        judge_interface(history, change, 30)
    assert "as before the swap" in judge_interface(history, change, 1)


def test_an_agent_that_does_not_come_back_has_not_reported() -> None:
    def silent(recorded: list[Event]) -> list[Event]:
        last = [event for event in recorded if event["kind"] == VMI.name][-1]
        conditions = last["object"]["status"]["conditions"]
        last["object"]["status"]["conditions"] = [one for one in conditions if one["type"] != "AgentConnected"]
        return recorded

    history, change = replay("swap-main", silent)
    with pytest.raises(LabError, match="nothing was reported"):
        judge_interface(history, change, 0)


def test_a_migration_that_the_vmi_calls_failed_is_not_complete() -> None:
    def failed(recorded: list[Event]) -> list[Event]:
        for event in recorded:
            state = event["object"].get("status", {}).get("migrationState") or {}
            if event["kind"] == "VirtualMachineInstance" and state.get("completed"):
                state["failed"] = True
        return recorded

    history, change = replay("swap-main", failed)
    assert not is_complete(history, change)
