"""Verdicts on edits during a migration and while a VM starts, on recordings of a real control plane."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from livenad.api.history import History
from livenad.errors import ProductFault
from livenad.network_change.completion import NetworkSwap, remember
from livenad.network_change.judge_last_change import (
    judge_last_edit,
    judge_restart_not_left,
    judge_started_once,
    missing_effect,
)

from tests.unit.support.histories import Event, insert, replay

WEDGED = "edit-during-migration-main"
STARTING = ["edit-of-starting-vm-1.9.0", "edit-of-starting-vm-main"]
VMI, VM = "VirtualMachineInstance", "VirtualMachine"


def second_edit(history: History, first: NetworkSwap, network: str) -> NetworkSwap:
    """An edit of the same NIC after the first one, as it would be remembered."""
    swap = remember(history, first.vm, first.namespace, first.nic, network)
    swap.at, swap.previous = first.at + 30, first
    swap.pod_interface = first.pod_interface
    return swap


def test_last_edit_of_a_swap_is_in_effect() -> None:
    history, swap = replay("swap-main")
    assert missing_effect(history, swap) == []
    assert "1 edits took 1 migrations" in judge_last_edit(history, swap, 60)


def test_edit_that_is_under_way_is_not_in_effect() -> None:
    history, swap = replay("swap-main", until=16)
    with pytest.raises(ProductFault, match=r"on .*/nad-a; migration .*MigrationRequired=True"):
        judge_last_edit(history, swap, 5)


def test_wedged_migration_is_told_in_the_words_of_the_known_bug() -> None:
    history, first = replay(WEDGED)
    swap = second_edit(history, first, "nad-c")
    with pytest.raises(ProductFault) as caught:
        judge_last_edit(history, swap, 60)
    message = str(caught.value)
    assert 'before that to "nad-b"' in message
    assert "is left in Running for good with migrationState.completed=true" in message
    assert "has pod6c270ef2f25 on" in message


def test_edit_that_was_lost_is_told_by_the_spec() -> None:
    history, first = replay("swap-main")
    swap = second_edit(history, first, "nad-c")
    with pytest.raises(ProductFault, match='the VMI\'s spec names "nad-b"'):
        judge_last_edit(history, swap, 60)


@pytest.mark.parametrize("name", STARTING)
def test_edit_of_a_starting_vm_takes_effect_without_a_restart(name: str) -> None:
    history, swap = replay(name)
    swap.pod_interface = "pod6c270ef2f25"
    assert swap.before.interface == {}
    assert "1 edits took 1 migrations" in judge_last_edit(history, swap, 60)
    assert "since it was starting" in judge_started_once(history, swap)


def test_restart_required_while_the_vm_cannot_migrate_is_accepted_and_told() -> None:
    assert "in no state of the VM" in judge_restart_not_left(*replay(STARTING[0]))
    assert "while the VM could not migrate yet, and taken back" in judge_restart_not_left(*replay(STARTING[1]))


def _require_restart(item: dict[str, Any]) -> None:
    item["status"]["conditions"] = [*item["status"]["conditions"], {"type": "RestartRequired", "status": "True"}]


def test_restart_required_that_stays_is_a_fault() -> None:
    def stays(recorded: list[Event]) -> Iterable[Event]:
        return insert(recorded, 40, VM, _require_restart)

    with pytest.raises(ProductFault, match=r"expected no restart to be required .* has it since"):
        judge_restart_not_left(*replay(STARTING[0], stays))


def test_restart_required_that_comes_after_the_start_is_a_fault() -> None:
    def blinks(recorded: list[Event]) -> Iterable[Event]:
        with_it = insert(recorded, 25, VM, _require_restart)

        def without(item: dict[str, Any]) -> None:
            item["status"]["conditions"] = [c for c in item["status"]["conditions"] if c["type"] != "RestartRequired"]

        return insert(with_it, 26, VM, without)

    with pytest.raises(ProductFault, match=r"it was set .* after that"):
        judge_restart_not_left(*replay(STARTING[0], blinks))


@pytest.mark.parametrize(
    ("change", "seen"), [({"phase": "Scheduling"}, "it was Scheduling"), ({"phase": "Failed"}, "it was Failed")]
)
def test_vmi_that_goes_back_is_a_fault(change: dict[str, str], seen: str) -> None:
    def back(recorded: list[Event]) -> Iterable[Event]:
        return insert(recorded, 15, VMI, lambda item: item["status"].update(change))

    with pytest.raises(ProductFault, match=f"expected the VMI to go on to phase Running and stay there; {seen}"):
        judge_started_once(*replay(STARTING[0], back))


def test_replaced_vmi_is_a_fault() -> None:
    def replaced(recorded: list[Event]) -> Iterable[Event]:
        return insert(recorded, 15, VMI, lambda item: item["metadata"].update(uid="another"))

    with pytest.raises(ProductFault, match="was replaced by another"):
        judge_started_once(*replay(STARTING[0], replaced))
