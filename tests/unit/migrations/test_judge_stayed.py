# SPDX-License-Identifier: Apache-2.0
"""Verdicts on a VM that stays although it was edited, and on its control, on recordings of a real control plane."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from livenad.changes import NetworkChange
from livenad.errors import LabError, ProductFault
from livenad.migrations.judge_stayed import has_left, has_settled, judge_stayed, judge_waiting, require_control
from livenad.network_change.completion import first_warning

from tests.unit.support.histories import EDITED, Event, insert, replay

STAYED, MOVED = "gate-off-1.8.4", "swap-1.9.0"
VMI = "VirtualMachineInstance"


def with_vmi(**status: Any) -> Any:
    def altered(recorded: list[Event]) -> Iterable[Event]:
        return insert(recorded, 9, VMI, lambda item: item["status"].update(status))

    return altered


def test_vm_that_nothing_moved_has_stayed() -> None:
    history, change = replay(STAYED)
    assert not has_left(history, change)
    assert f"stayed on {change.node}" in judge_stayed(history, change)


def test_vm_on_another_node_has_not_stayed() -> None:
    history, change = replay(STAYED, with_vmi(nodeName="elsewhere"))
    assert has_left(history, change)
    with pytest.raises(ProductFault, match=r"expected to stay on node .* it was on elsewhere"):
        judge_stayed(history, change)


def test_migration_object_means_that_the_vm_was_to_leave() -> None:
    history, change = replay("swap-main", until=13)
    assert has_left(history, change)
    with pytest.raises(ProductFault, match="expected no migration, as this edit requires no migration; there is"):
        judge_stayed(history, change)


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
    history, change = replay("swap-main", until=12.2)
    told = judge_waiting(history, change)
    assert f"runs on {change.node}, on nad-a" in told
    assert "migration kubevirt-workload-update-" in told


def test_migration_that_runs_without_its_nad_is_a_fault() -> None:
    with pytest.raises(ProductFault, match=r"target pod .* is Running without the NAD nad-b"):
        judge_waiting(*replay("swap-main", until=16.5))
    with pytest.raises(ProductFault, match=r"expected to wait on .*, on nad-a, for the NAD nad-b"):
        judge_waiting(*replay("swap-main"))


def test_first_warning_is_the_first_since_the_edit_and_none_of_a_good_swap() -> None:
    history, change = replay("failed-migration-main")
    assert first_warning(history, change) == "FailedMigration: source node reported migration failed"
    history, change = replay("failed-migration-main", until=16)
    assert first_warning(history, change) == ""
    assert first_warning(*replay("swap-main")) == ""


def earlier(control: NetworkChange) -> NetworkChange:
    """The edit of another VM, made just before that of the control."""
    return replace(control, vm="vm0", index=control.index - 1)


def test_control_that_was_moved_proves_that_migrations_come() -> None:
    history, control = replay(MOVED)
    assert has_settled(history, control)
    assert require_control(history, earlier(control), control) == (True, "control vm1, edited later, was migrated")


def test_control_that_needs_a_restart_shows_a_cluster_that_moves_none() -> None:
    history, control = replay(STAYED)
    assert has_settled(history, control)
    moved, why = require_control(history, earlier(control), control)
    assert not moved
    assert "control vm1 has RestartRequired" in why


def test_control_that_waits_proves_nothing() -> None:
    history, control = replay(MOVED, until=EDITED[MOVED] + 0.5)
    assert not has_settled(history, control)
    with pytest.raises(LabError, match=r"which proves nothing, as its control was not migrated either: VM .*vm1"):
        require_control(history, earlier(control), control)


def test_control_must_be_edited_last() -> None:
    history, control = replay(MOVED)
    with pytest.raises(LabError, match="was edited before"):
        require_control(history, replace(control, index=control.index + 1), control)
