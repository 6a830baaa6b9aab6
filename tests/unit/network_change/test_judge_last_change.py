# SPDX-License-Identifier: Apache-2.0
"""Verdicts on edits during a migration and while a VM starts, on recordings of a real control plane."""

from __future__ import annotations

import pytest
from livenad.api.history import History
from livenad.changes import NetworkChange
from livenad.errors import ProductFault
from livenad.network_change.judge_last_change import judge_last_edit, missing_effect
from livenad.virtual_machines.judge_lifecycle import judge_started_once

from tests.unit.support.histories import edited, replay

WEDGED = "edit-during-migration-main"
STARTING = ["edit-of-starting-vm-1.9.0", "edit-of-starting-vm-main"]
VMI, VM = "VirtualMachineInstance", "VirtualMachine"


def second_edit(history: History, first: NetworkChange, network: str) -> NetworkChange:
    """An edit of the same NIC after the first one, as it would be remembered."""
    change = edited(history, first.at + 30, network)
    change.previous = first
    change.pod_interface = first.pod_interface
    return change


def test_last_edit_of_a_swap_is_in_effect() -> None:
    history, change = replay("swap-main")
    assert missing_effect(history, change) == []
    assert "1 edits took 1 migrations" in judge_last_edit(history, change, 60)


def test_edit_that_is_under_way_is_not_in_effect() -> None:
    history, change = replay("swap-main", until=16)
    with pytest.raises(ProductFault, match=r"on .*/nad-a, expected .*/nad-b; migration .*MigrationRequired=True"):
        judge_last_edit(history, change, 5)


def test_wedged_migration_is_told_in_the_words_of_the_known_bug() -> None:
    history, first = replay(WEDGED)
    change = second_edit(history, first, "nad-c")
    with pytest.raises(ProductFault) as caught:
        judge_last_edit(history, change, 60)
    message = str(caught.value)
    assert 'before that to "nad-b"' in message
    assert "stays in phase Running with migrationState.completed=true" in message
    assert "has pod6c270ef2f25 on" in message


def test_edit_that_was_lost_is_told_by_the_spec() -> None:
    history, first = replay("swap-main")
    change = second_edit(history, first, "nad-c")
    with pytest.raises(ProductFault, match='the VMI\'s spec names "nad-b"'):
        judge_last_edit(history, change, 60)


@pytest.mark.parametrize("name", STARTING)
def test_edit_of_a_starting_vm_takes_effect_without_a_restart(name: str) -> None:
    history, change = replay(name)
    change.pod_interface = "pod6c270ef2f25"
    assert change.interface == {}
    assert "1 edits took 1 migrations" in judge_last_edit(history, change, 60)
    assert "since it was starting" in judge_started_once(history, change)
