"""Verdicts on a VM that stays although it was edited, on recordings of a real control plane."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from livenad.errors import ProductFault
from livenad.migrations.judge_stayed import has_left, judge_signalled, judge_stayed, judge_waiting
from livenad.network_change.completion import first_warning

from tests.unit.support.histories import Event, insert, replay

STAYED = "gate-off-1.8.4"
VMI = "VirtualMachineInstance"


def with_vmi(**status: Any) -> Any:
    def change(recorded: list[Event]) -> Iterable[Event]:
        return insert(recorded, 9, VMI, lambda item: item["status"].update(status))

    return change


def test_vm_that_nothing_moved_has_stayed() -> None:
    history, swap = replay(STAYED)
    assert not has_left(history, swap)
    assert f"stayed on {swap.before.node}" in judge_stayed(history, swap)


def test_vm_on_another_node_has_not_stayed() -> None:
    history, swap = replay(STAYED, with_vmi(nodeName="elsewhere"))
    assert has_left(history, swap)
    with pytest.raises(ProductFault, match=r"expected to stay on node .* it was on elsewhere"):
        judge_stayed(history, swap)


def test_migration_object_means_that_the_vm_was_to_leave() -> None:
    history, swap = replay("swap-main", until=13)
    assert has_left(history, swap)
    with pytest.raises(ProductFault, match="expected no migration, as this edit moves nothing; there is"):
        judge_stayed(history, swap)


def test_pod_that_came_to_another_network_has_not_stayed() -> None:
    def swapped(recorded: list[Event]) -> Iterable[Event]:
        for event in recorded:
            notes = event["object"]["metadata"].get("annotations", {}) if event["kind"] == "Pod" else {}
            for key, text in notes.items():
                notes[key] = text.replace("/nad-a", "/nad-b")
        return recorded

    with pytest.raises(ProductFault, match=r"expected one launcher pod all the time, on .*/nad-a; seen: .*/nad-b"):
        judge_stayed(*replay(STAYED, swapped))


def test_waiting_is_told_with_what_the_cluster_made_of_it() -> None:
    history, swap = replay("swap-main", until=12.2)
    told = judge_waiting(history, swap)
    assert f"runs on {swap.before.node}, on nad-a" in told
    assert "migration kubevirt-workload-update-" in told


def test_migration_that_runs_without_its_nad_is_a_fault() -> None:
    with pytest.raises(ProductFault, match=r"target pod .* is Running without the NAD nad-b"):
        judge_waiting(*replay("swap-main", until=16.5))
    with pytest.raises(ProductFault, match=r"expected to wait on .*, on nad-a, for the NAD nad-b"):
        judge_waiting(*replay("swap-main"))


def test_either_condition_says_that_the_edit_is_not_in_effect() -> None:
    assert "VM RestartRequired=True" in judge_signalled(*replay(STAYED))
    assert "VMI MigrationRequired=True" in judge_signalled(*replay("swap-main", until=9))
    with pytest.raises(ProductFault, match="there is neither: RestartRequired absent, MigrationRequired absent"):
        judge_signalled(*replay("swap-main"))


def test_first_warning_is_the_first_since_the_edit_and_none_of_a_good_swap() -> None:
    history, swap = replay("failed-migration-main")
    assert first_warning(history, swap) == "FailedMigration: source node reported migration failed"
    history, swap = replay("failed-migration-main", until=16)
    assert first_warning(history, swap) == ""
    assert first_warning(*replay("swap-main")) == ""
