# SPDX-License-Identifier: Apache-2.0
"""Verdicts on RestartRequired and MigrationRequired, on recordings of a real control plane."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from livenad.api.history import History
from livenad.api.kinds import Object
from livenad.changes import NicSettingsChange
from livenad.conditions.judge_conditions import (
    MIGRATION,
    RESTART,
    Condition,
    is_required,
    judge_migration_required,
    judge_never_set,
    judge_reported_pending,
    judge_restart_never_required,
    judge_restart_not_left,
    judge_restart_required,
    judge_restart_stays_required,
    judge_settled,
    judge_still_reported_pending,
    required_actions,
)
from livenad.errors import LabError, ProductFault
from livenad.network_change.judge_not_applied_live import judge_not_live
from livenad.virtual_machines.judge_lifecycle import judge_not_restarted

from tests.unit.support.histories import (
    EDITED,
    Alteration,
    Event,
    hotplugs,
    insert,
    nic_settings,
    replay,
    restarted,
)

GATE_OFF, SIGNALLED = "gate-off-1.8.4", 9.0
TRUE = {"status": "True"}
STARTING = ["edit-of-starting-vm-1.9.0", "edit-of-starting-vm-main"]
BOTH: tuple[Condition, ...] = (RESTART, MIGRATION)


def with_condition(kind: str, type_: str) -> Alteration:
    def altered(recorded: list[Event]) -> Iterable[Event]:
        def alter(item: dict[str, Any]) -> None:
            item["status"]["conditions"] = [*item["status"].get("conditions", []), {"type": type_, **TRUE}]

        return insert(recorded, SIGNALLED - 0.1, kind, alter)

    return altered


def without_conditions(kind: str) -> Alteration:
    def altered(recorded: list[Event]) -> Iterable[Event]:
        for event in recorded:
            if event["kind"] == kind:
                event["object"]["status"]["conditions"] = []
        return recorded

    return altered


def test_edit_that_waits_for_a_migration_is_told_from_one_that_is_passed_over() -> None:
    history, change = replay("swap-main", until=SIGNALLED)
    assert is_required(history, change, MIGRATION)
    assert not is_required(history, change, RESTART)
    assert "MigrationRequired is set on the VMI: MigrationRequired=True" in judge_migration_required(history, change)
    with pytest.raises(ProductFault, match="expected RestartRequired on the VM"):
        judge_restart_required(history, change)
    with pytest.raises(ProductFault, match="expected the VMI not to have the edit, its spec to name nad-a"):
        judge_not_live(history, change)
    with pytest.raises(ProductFault, match=r"expected no required action any more; .* MigrationRequired=True"):
        judge_settled(history, change, BOTH)


def test_edit_that_asks_for_nothing_is_a_fault() -> None:
    history, change = replay("swap-main", without_conditions("VirtualMachineInstance"), until=SIGNALLED)
    with pytest.raises(ProductFault, match=r"expected MigrationRequired on the VMI, .* MigrationRequired absent"):
        judge_migration_required(history, change)


def test_migration_that_comes_with_a_restart_is_a_fault() -> None:
    history, change = replay("swap-main", with_condition("VirtualMachine", RESTART), until=SIGNALLED)
    with pytest.raises(ProductFault, match="expected no RestartRequired, as a migration is enough"):
        judge_migration_required(history, change)


def test_edit_that_waits_for_a_restart() -> None:
    history, change = replay(GATE_OFF)
    assert "RestartRequired is set on the VM: RestartRequired=True" in judge_restart_required(history, change)
    assert "the VMI has kept its spec" in judge_not_live(history, change)
    assert required_actions(history, change, BOTH).startswith("VirtualMachine RestartRequired=True")
    with pytest.raises(ProductFault, match="expected the VMI to have the edit, its spec to name nad-b"):
        judge_migration_required(history, change)


def test_complete_swap_is_settled() -> None:
    history, change = replay("swap-1.9.0")
    assert "no action is required any more" in judge_settled(history, change, BOTH)


def test_either_condition_says_that_the_edit_is_not_in_effect() -> None:
    assert "VM RestartRequired=True" in judge_reported_pending(*replay(GATE_OFF))
    assert "VMI MigrationRequired=True" in judge_reported_pending(*replay("swap-main", until=9))
    with pytest.raises(ProductFault, match="there is neither: RestartRequired absent, MigrationRequired absent"):
        judge_reported_pending(*replay("swap-main"))


def test_condition_that_stays_is_told() -> None:
    history, change = replay(GATE_OFF)
    said = judge_still_reported_pending(history, change)
    assert "RestartRequired=True" in said
    assert ", since " in said


def test_condition_that_goes_away_is_the_products_fault() -> None:
    """A swap that was carried out, looked at as if the VM had to stay: its MigrationRequired is gone at the end."""
    history, change = replay("swap-1.9.0")
    with pytest.raises(
        ProductFault, match=r"MigrationRequired of the VirtualMachineInstance was set .* and cleared .* later"
    ):
        judge_still_reported_pending(history, change)


def test_condition_that_never_came_is_the_products_fault() -> None:
    history, change = replay(GATE_OFF, until=EDITED[GATE_OFF])
    with pytest.raises(ProductFault, match="there is neither"):
        judge_still_reported_pending(history, change)


def test_restart_required_while_the_vm_cannot_migrate_is_accepted_and_told() -> None:
    assert "in no state of the VM" in judge_restart_not_left(*replay(STARTING[0]))
    assert "while the VM could not migrate yet, and cleared" in judge_restart_not_left(*replay(STARTING[1]))


def _require_restart(item: dict[str, Any]) -> None:
    item["status"]["conditions"] = [*item["status"]["conditions"], {"type": "RestartRequired", "status": "True"}]


def test_restart_required_that_stays_is_a_fault() -> None:
    def stays(recorded: list[Event]) -> Iterable[Event]:
        return insert(recorded, 40, "VirtualMachine", _require_restart)

    with pytest.raises(ProductFault, match=r"expected no restart to be required .* has it since"):
        judge_restart_not_left(*replay(STARTING[0], stays))


def test_restart_required_that_comes_after_the_start_is_a_fault() -> None:
    def blinks(recorded: list[Event]) -> Iterable[Event]:
        with_it = insert(recorded, 25, "VirtualMachine", _require_restart)

        def without(item: dict[str, Any]) -> None:
            item["status"]["conditions"] = [c for c in item["status"]["conditions"] if c["type"] != "RestartRequired"]

        return insert(with_it, 26, "VirtualMachine", without)

    with pytest.raises(ProductFault, match=r"it was set .* after that"):
        judge_restart_not_left(*replay(STARTING[0], blinks))


def blinking_restart_required(at: float, seconds: float) -> Alteration:
    def altered(recorded: list[Event]) -> Iterable[Event]:
        def set_it(item: Object) -> None:
            item.setdefault("status", {}).setdefault("conditions", []).append(
                {"type": "RestartRequired", "status": "True", "message": "a non-live-updatable field was changed"}
            )

        def clear_it(item: Object) -> None:
            item["status"]["conditions"].pop()

        recorded = insert(recorded, at, "VirtualMachine", set_it)
        return insert(recorded, at + seconds, "VirtualMachine", clear_it)

    return altered


@pytest.mark.parametrize("when", [0.001, 6.0, 21.0])
def test_restart_required_that_blinks_is_seen(when: float) -> None:
    at = EDITED["swap-main"] + when
    history, change = replay("swap-main", blinking_restart_required(at, 0.3))
    with pytest.raises(ProductFault, match=r"it was set .* after the edit for 0\.\d s: RestartRequired=True"):
        judge_restart_never_required(history, change)
    assert judge_not_restarted(history, change)


def edit_with_gate_off(alter: Alteration | None = None) -> tuple[History, NicSettingsChange]:
    """A VM whose NIC was edited where nothing goes live."""
    history, change = replay(GATE_OFF, alter)
    return history, nic_settings(change, "nad-b")


def test_restart_is_asked_for_and_stands() -> None:
    told = judge_restart_stays_required(*edit_with_gate_off())
    assert "RestartRequired since 0.0" in told
    assert "for information: the VMI's spec names nad-a, no migration was made" in told


def test_restart_that_is_not_asked_for_is_a_fault() -> None:
    history, change = replay("swap-main")
    with pytest.raises(ProductFault, match=r'binding "sriov": expected RestartRequired.*absent'):
        judge_restart_stays_required(history, nic_settings(change))


def test_restart_that_is_taken_back_is_a_fault() -> None:
    def take_back(vm: Any) -> None:
        vm["status"]["conditions"] = [c for c in vm["status"]["conditions"] if c["type"] != "RestartRequired"]

    with pytest.raises(ProductFault, match=r"to stay set until a restart; .* cleared"):
        judge_restart_stays_required(
            *edit_with_gate_off(lambda recorded: insert(recorded, 15, "VirtualMachine", take_back))
        )


def test_the_network_part_of_a_mixed_edit_is_told() -> None:
    def ask(vm: Any) -> None:
        vm["status"]["conditions"].append({"type": "RestartRequired", "status": "True"})

    history, change = replay(
        "swap-main", lambda recorded: insert(recorded, recorded[-1]["t"] + 1, "VirtualMachine", ask)
    )
    assert "names nad-b, kubevirt-workload-update-" in judge_restart_stays_required(
        history, nic_settings(change, "nad-b")
    )


@pytest.mark.parametrize(
    ("recording", "seen"), [("swap-main", "no MigrationRequired"), ("gate-off-1.8.4", "no RestartRequired")]
)
def test_condition_that_was_set_since_a_change_is_a_fault(recording: str, seen: str) -> None:
    history, change = replay(recording)
    with pytest.raises(ProductFault, match=f"expected {seen} since its restart"):
        judge_never_set(history, restarted(change), BOTH)


@pytest.mark.parametrize(
    ("recording", "other", "told"),
    [
        ("swap-main", RESTART, "RestartRequired in no state"),
        ("gate-off-1.8.4", MIGRATION, "MigrationRequired in no state"),
    ],
)
def test_only_the_conditions_that_are_named_are_judged(recording: str, other: Condition, told: str) -> None:
    history, change = replay(recording)
    assert told in judge_never_set(history, restarted(change), [other])


def test_no_condition_is_set_after_a_swap_is_over() -> None:
    history, change = replay("swap-main")
    restart = restarted(change)
    restart.index = len(history)
    assert "RestartRequired and MigrationRequired in no state since its restart" in judge_never_set(
        history, restart, BOTH
    )


def test_restart_that_is_asked_for_for_a_moment_after_a_hotplug_is_a_fault() -> None:
    def ask(vm: Any) -> None:
        vm["status"]["conditions"].append({"type": "RestartRequired", "status": "True"})

    history, plug, _ = hotplugs(lambda recorded: insert(recorded, 20, "VirtualMachine", ask))
    with pytest.raises(ProductFault, match="expected no RestartRequired since the hot-plug; the VirtualMachine had it"):
        judge_never_set(history, plug, [RESTART])


@pytest.mark.parametrize("condition", BOTH)
def test_settled_is_judged_of_the_conditions_that_are_named(condition: Condition) -> None:
    """The recording ends with RestartRequired and never had MigrationRequired, so there was nothing to clear."""
    history, change = replay(GATE_OFF)
    if condition == MIGRATION:
        assert required_actions(history, change, [condition]) == ""
        with pytest.raises(LabError, match=r"MigrationRequired was not seen since the edit, .* so nothing is proven"):
            judge_settled(history, change, [condition])
    else:
        with pytest.raises(ProductFault, match=r"expected no required action any more; .*RestartRequired=True"):
            judge_settled(history, change, [condition])
