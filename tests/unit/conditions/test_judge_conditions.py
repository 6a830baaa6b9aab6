"""Verdicts on what an edit asks for, on recordings of a real control plane."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from livenad.conditions.judge_conditions import (
    MIGRATION,
    RESTART,
    asked_for,
    asks_for,
    judge_asks_for_migration,
    judge_asks_for_restart,
    judge_not_live,
    judge_settled,
)
from livenad.errors import ProductFault

from tests.unit.support.histories import Change, Event, insert, replay

GATE_OFF, SIGNALLED = "gate-off-1.8.4", 9.0
TRUE = {"status": "True"}


def with_condition(kind: str, type_: str) -> Change:
    def change(recorded: list[Event]) -> Iterable[Event]:
        def alter(item: dict[str, Any]) -> None:
            item["status"]["conditions"] = [*item["status"].get("conditions", []), {"type": type_, **TRUE}]

        return insert(recorded, SIGNALLED - 0.1, kind, alter)

    return change


def without_conditions(kind: str) -> Change:
    def change(recorded: list[Event]) -> Iterable[Event]:
        for event in recorded:
            if event["kind"] == kind:
                event["object"]["status"]["conditions"] = []
        return recorded

    return change


def test_edit_that_waits_for_a_migration_is_told_from_one_that_is_passed_over() -> None:
    history, swap = replay("swap-main", until=SIGNALLED)
    assert asks_for(history, swap, MIGRATION)
    assert not asks_for(history, swap, RESTART)
    assert "the VMI asks for a migration: MigrationRequired=True" in judge_asks_for_migration(history, swap)
    with pytest.raises(ProductFault, match="expected RestartRequired on the VM"):
        judge_asks_for_restart(history, swap)
    with pytest.raises(ProductFault, match="expected the VMI not to take the edit over, its spec to name nad-a"):
        judge_not_live(history, swap)
    with pytest.raises(ProductFault, match=r"expected nothing to be asked for any more; .* MigrationRequired=True"):
        judge_settled(history, swap)


def test_edit_that_asks_for_nothing_is_a_fault() -> None:
    history, swap = replay("swap-main", without_conditions("VirtualMachineInstance"), until=SIGNALLED)
    with pytest.raises(ProductFault, match=r"expected MigrationRequired on the VMI, .* MigrationRequired absent"):
        judge_asks_for_migration(history, swap)


def test_migration_that_comes_with_a_restart_is_a_fault() -> None:
    history, swap = replay("swap-main", with_condition("VirtualMachine", RESTART), until=SIGNALLED)
    with pytest.raises(ProductFault, match="expected no RestartRequired, as a migration is enough"):
        judge_asks_for_migration(history, swap)


def test_edit_that_waits_for_a_restart() -> None:
    history, swap = replay(GATE_OFF)
    assert "the VM asks for a restart: RestartRequired=True" in judge_asks_for_restart(history, swap)
    assert "the VMI has kept its spec" in judge_not_live(history, swap)
    assert asked_for(history, swap).startswith("VirtualMachine RestartRequired=True")
    with pytest.raises(ProductFault, match="expected the VMI to take the edit over, its spec to name nad-b"):
        judge_asks_for_migration(history, swap)


def test_migration_that_is_asked_for_with_live_update_off_is_a_fault() -> None:
    history, swap = replay(GATE_OFF, with_condition("VirtualMachineInstance", MIGRATION))
    with pytest.raises(ProductFault, match="expected no MigrationRequired, as the edit cannot go live here"):
        judge_not_live(history, swap)


def test_complete_swap_is_settled() -> None:
    history, swap = replay("swap-1.9.0")
    assert "nothing is asked for any more" in judge_settled(history, swap)
