"""Verdicts on recordings of a real control plane, as they are and with the faults that suites must catch."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from livenad.api.kinds import EVENT, MIGRATION, POD, VM, VMI, Object, dig
from livenad.errors import ProductFault
from livenad.network_change.completion import completed_at, five_facts, is_complete
from livenad.network_change.judge_network_change import (
    interface_differences,
    judge_completion,
    judge_not_restarted,
    judge_one_migration,
    judge_restart_never_required,
)
from livenad.report.timeline import timeline_of

from tests.unit.support.histories import EDITED, Event, insert, replay

GOOD = ["swap-main", "swap-1.9.0"]
JUDGES = [judge_not_restarted, judge_one_migration, judge_restart_never_required]


@pytest.mark.parametrize("name", GOOD)
def test_good_swap_passes_every_verdict(name: str) -> None:
    history, swap = replay(name)
    took = (completed_at(five_facts(history, swap)) or 0) - swap.at
    assert 13 < took < 15
    assert f"complete {took:.0f} s after the edit" in judge_completion(history, swap, within=60)
    for judge in JUDGES:
        judge(history, swap)
    assert interface_differences(history, swap) == []


@pytest.mark.parametrize("name", GOOD)
def test_swap_is_complete_only_when_all_five_facts_are_together(name: str) -> None:
    """MigrationRequired goes and the node changes before; the other two come last."""
    history, swap = replay(name)
    done = completed_at(five_facts(history, swap)) or 0
    start = swap.at - EDITED[name]
    before, swap_before = replay(name, until=done - start - 0.01)
    assert not is_complete(before, swap_before)
    names = [fact.name for fact in five_facts(before, swap_before) if not fact.holds]
    assert set(names) <= {
        "the cluster's migration object for the edit is Succeeded",
        "vmi.status.migrationState is completed for that migration and not failed",
    }
    after, swap_after = replay(name, until=done - start + 0.01)
    assert is_complete(after, swap_after)


def test_too_late_is_a_fault_that_names_what_came_last() -> None:
    history, swap = replay("swap-main")
    with pytest.raises(
        ProductFault,
        match=r'VM lab-b-basic/vm1, NIC "net1" from "nad-a" to "nad-b": expected to be '
        r"complete within 10 s, was only after 14 s; last to come true: the cluster's migration object",
    ):
        judge_completion(history, swap, within=10)


def test_nic_that_was_on_no_network_is_told_as_such() -> None:
    """One that was plugged, and never came."""
    history, swap = replay("swap-main")
    swap.old_network = ""
    assert 'NIC "net1" from no network to "nad-b"' in swap.title
    (edit,) = [
        mark for lane in timeline_of(history, swap, 60.0).lanes for mark in lane.marks if 'NIC "net1"' in mark.label
    ]
    assert edit.label == 'NIC "net1": no network → nad-b'


def test_no_migration_says_how_far_it_got() -> None:
    history, swap = replay("swap-main", until=EDITED["swap-main"] + 3)
    with pytest.raises(ProductFault) as caught:
        judge_completion(history, swap, within=2)
    message = str(caught.value)
    assert "no migration object was made, the VMI's spec has the new network" in message
    assert "MigrationRequired=True (AutoMigrationDueToLiveUpdate)" in message
    with pytest.raises(
        ProductFault, match="expected exactly one migration made by the cluster for the edit, there is none"
    ):
        judge_one_migration(history, swap)


def test_gate_off_is_restart_required_and_no_migration() -> None:
    history, swap = replay("gate-off-1.8.4")
    with pytest.raises(ProductFault, match=r'the VMI\'s spec still says "nad-a".*the VM has RestartRequired'):
        judge_completion(history, swap, within=5)
    with pytest.raises(
        ProductFault,
        match=r"RestartRequired never to be set when only networkName changes; it was set 0\.0 s after the edit "
        r"and still is after .*: RestartRequired=True \(a non-live-updatable field was changed in the template spec\)",
    ):
        judge_restart_never_required(history, swap)


def test_migration_left_running_is_said_in_words() -> None:
    history, swap = replay("edit-during-migration-main")
    swap.new_network = "nad-c"
    with pytest.raises(ProductFault) as caught:
        judge_completion(history, swap, within=60)
    assert re.search(r"migration \S+ is Running since .* though migrationState.completed is true", str(caught.value))
    assert "the product left it running for good" in str(caught.value)
    assert "MigrationRequired=True" in str(caught.value)


def restart_required(at: float, seconds: float) -> object:
    def change(recorded: list[Event]) -> Iterable[Event]:
        def set_it(item: Object) -> None:
            item.setdefault("status", {}).setdefault("conditions", []).append(
                {"type": "RestartRequired", "status": "True", "message": "a non-live-updatable field was changed"}
            )

        def clear_it(item: Object) -> None:
            item["status"]["conditions"].pop()

        recorded = insert(recorded, at, "VirtualMachine", set_it)
        return insert(recorded, at + seconds, "VirtualMachine", clear_it)

    return change


@pytest.mark.parametrize("when", [0.001, 6.0, 21.0])
def test_restart_required_that_blinks_is_seen(when: float) -> None:
    at = EDITED["swap-main"] + when
    history, swap = replay("swap-main", restart_required(at, 0.3))  # type: ignore[arg-type]
    with pytest.raises(ProductFault, match=r"it was set .* after the edit for 0\.\d s: RestartRequired=True"):
        judge_restart_never_required(history, swap)
    assert judge_not_restarted(history, swap)


def test_target_pod_on_the_old_network_is_named() -> None:
    def change(recorded: list[Event]) -> Iterable[Event]:
        for event in recorded:
            if event["kind"] == "Pod":
                notes = event["object"]["metadata"]["annotations"]
                for key in notes:
                    notes[key] = notes[key].replace("nad-b", "nad-a")
        return recorded

    history, swap = replay("swap-main", change)
    with pytest.raises(ProductFault) as caught:
        judge_completion(history, swap, within=60)
    message = str(caught.value)
    assert message.count("missing:") == 1 and "\n" not in message
    assert "pod6c270ef2f25 on lab-b-basic/nad-a, expected lab-b-basic/nad-b" in message


def test_vmi_replaced_is_a_restart() -> None:
    def change(recorded: list[Event]) -> Iterable[Event]:
        vmis = [event for event in recorded if event["kind"] == "VirtualMachineInstance"]
        for event in vmis[-2:]:
            event["object"]["metadata"]["uid"] = "another-uid"
        return recorded

    history, swap = replay("swap-main", change)
    with pytest.raises(ProductFault, match=r"without a restart; VMI \S+ was replaced by another-uid .* after the edit"):
        judge_not_restarted(history, swap)
    with pytest.raises(ProductFault, match=r"the VMI was replaced: .* another-uid now"):
        judge_completion(history, swap, within=5)


def test_vmi_that_left_running_for_a_moment_is_a_restart() -> None:
    def stop(item: Object) -> None:
        item["status"]["phase"] = "Succeeded"

    at = EDITED["swap-main"] + 9
    history, swap = replay("swap-main", lambda recorded: insert(recorded, at, "VirtualMachineInstance", stop))
    with pytest.raises(ProductFault, match=r"expected VMI phase Running all the time; it was Succeeded 9\.0 s after"):
        judge_not_restarted(history, swap)


def test_vmi_that_is_left_paused_does_not_run_on() -> None:
    """The guest cannot be asked then, which must not pass for a fault of the lab."""

    def pause(item: Object) -> None:
        said = {"type": "Paused", "status": "True", "reason": "PausedByUser", "message": "VMI was paused by user"}
        item["status"]["conditions"].append(said)

    history, swap = replay(
        "swap-main", lambda recorded: insert(recorded, EDITED["swap-main"] + 500, "VirtualMachineInstance", pause)
    )
    with pytest.raises(
        ProductFault, match=r"expected its guest to run on; the VMI is paused: Paused=True \(PausedByUser"
    ):
        judge_not_restarted(history, swap)


def second_migration(phase: str, by_hand: bool = False) -> object:
    def change(recorded: list[Event]) -> Iterable[Event]:
        def rename(item: Object) -> None:
            item["metadata"]["name"] += "-second"
            item["metadata"]["uid"] = "second"
            item["status"] = {"phase": phase}
            if by_hand:
                item["metadata"]["annotations"] = {}

        recorded = insert(recorded, EDITED["swap-main"] + 21, MIGRATION.name, rename)
        for event in recorded:
            event["name"] = event["object"]["metadata"]["name"]
        return recorded

    return change


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed"])
def test_second_migration_is_counted(phase: str) -> None:
    history, swap = replay("swap-main", second_migration(phase))  # type: ignore[arg-type]
    with pytest.raises(
        ProductFault, match=rf"exactly one migration for the edit, there are 2: .*-second \(by the cluster, {phase}"
    ):
        judge_one_migration(history, swap)


def test_migration_by_hand_is_counted_as_well() -> None:
    history, swap = replay("swap-main", second_migration("Pending", by_hand=True))  # type: ignore[arg-type]
    with pytest.raises(ProductFault, match=r"there are 2: .*\(by hand, Pending\)"):
        judge_one_migration(history, swap)


def test_failed_migration_is_told() -> None:
    def change(recorded: list[Event]) -> Iterable[Event]:
        for event in recorded:
            if event["kind"] == MIGRATION.name and dig(event["object"], "status", "phase") == "Succeeded":
                event["object"]["status"]["phase"] = "Failed"
        return recorded

    history, swap = replay("swap-main", change)
    with pytest.raises(ProductFault, match=r"expected the migration for the edit to succeed; .*Failed after 14 s"):
        judge_one_migration(history, swap)
    with pytest.raises(ProductFault, match="is Failed since"):
        judge_completion(history, swap, within=60)


def test_migration_before_the_edit_is_not_counted() -> None:
    history, swap = replay("swap-main")
    swap.before = type(swap.before)(**{**vars(swap.before), "migrations": frozenset()})
    (uid,) = {record.uid for record in history.records(MIGRATION)}
    swap.before = type(swap.before)(**{**vars(swap.before), "migrations": frozenset({uid})})
    with pytest.raises(ProductFault, match="there is none"):
        judge_one_migration(history, swap)


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
    history, swap = replay("swap-main", lambda recorded: insert(recorded, at, VMI.name, alter))
    (difference,) = interface_differences(history, swap)
    assert re.fullmatch(said, difference)


def test_deleted_vm_is_a_restart() -> None:
    history, swap = replay("swap-main")
    vmi = history.current(VMI, "vm1")
    assert vmi is not None
    history.append(VMI, "DELETED", {**vmi, "metadata": {**vmi["metadata"], "resourceVersion": "999999999"}})
    with pytest.raises(ProductFault, match="was deleted"):
        judge_not_restarted(history, swap)
    assert history.records(VM, "vm1")


def test_target_pod_that_is_not_made_is_told_with_its_first_warning() -> None:
    """Its containers say no more than that they wait; why, the events say."""

    def change(recorded: list[Event]) -> Iterable[Event]:
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

    history, swap = replay("swap-main", change)
    fact = five_facts(history, swap)[0]
    assert re.search(r"is \w+ since .* \(target pod virt-launcher-vm1-\w+: NoNetworkFound: x{200,240}…\)$", fact.seen)
