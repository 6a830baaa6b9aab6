"""Verdicts on acts besides a swap, on recordings of a real control plane: each holds where it should and fails else."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from livenad.api.history import History
from livenad.api.status import AUTOMATIC
from livenad.errors import LabError, ProductFault
from livenad.migrations.judge_never_moved import judge_never_moved
from livenad.network_change.change import Act
from livenad.network_change.completion import NetworkSwap, edits_of
from livenad.virtual_machines.judge_lifecycle import (
    judge_migrated_by_hand,
    judge_migrated_times,
    judge_network,
    judge_new_instance,
    judge_nothing_asked_for,
)

from tests.unit.support.histories import Event, edited, replay


def act_at(swap: NetworkSwap, vmi_uid: str = "") -> Act:
    """An act at the moment of a recording's edit."""
    before = swap.before
    uid = vmi_uid or before.vmi_uid
    return Act("its restart", swap.vm, swap.namespace, swap.index, swap.at, uid, before.node, before.migrations)


def by_hand(recorded: list[Event]) -> Iterable[Event]:
    for event in recorded:
        event["object"]["metadata"].get("annotations", {}).pop(AUTOMATIC, None)
    return recorded


def test_migration_counts_as_by_hand_only_when_nothing_else_made_it() -> None:
    history, swap = replay("swap-main", by_hand)
    assert f"migrated from {swap.before.node}" in judge_migrated_by_hand(history, act_at(swap))
    history, swap = replay("swap-main")
    with pytest.raises(ProductFault, match="expected one migration, the one that was asked for"):
        judge_migrated_by_hand(history, act_at(swap))


def test_migrations_are_counted_exactly() -> None:
    history, swap = replay("swap-main")
    assert "1 migrations since the first edit" in judge_migrated_times(history, swap, 1)
    for times in (0, 2):
        with pytest.raises(ProductFault, match=rf"expected {times} migrations .*there are 1"):
            judge_migrated_times(history, swap, times)


def test_network_is_read_from_spec_and_pod() -> None:
    history, swap = replay("swap-main")
    namespace = swap.namespace
    for name in ("nad-b", f"{namespace}/nad-b"):
        assert f"on {namespace}/nad-b" in judge_network(history, "vm1", namespace, "net1", name)
    for name in ("nad-a", "elsewhere/nad-b"):
        with pytest.raises(ProductFault, match=f"expected to be on .*{name}"):
            judge_network(history, "vm1", namespace, "net1", name)


@pytest.mark.parametrize(
    ("recording", "seen"), [("swap-main", "no MigrationRequired"), ("gate-off-1.8.4", "no RestartRequired")]
)
def test_condition_is_something_asked_for(recording: str, seen: str) -> None:
    history, swap = replay(recording)
    with pytest.raises(ProductFault, match=f"expected {seen} since its restart"):
        judge_nothing_asked_for(history, act_at(swap))


def test_nothing_is_asked_for_after_a_swap_is_over() -> None:
    history, swap = replay("swap-main")
    done = Act("its restart", "vm1", swap.namespace, len(history), swap.at, "", "", frozenset())
    assert "neither restart nor migration" in judge_nothing_asked_for(history, done)


def test_a_new_instance_is_another_vmi() -> None:
    history, swap = replay("swap-main")
    assert "runs as VMI" in judge_new_instance(history, act_at(swap, vmi_uid="another"))
    with pytest.raises(ProductFault, match="the VMI is still the one from before"):
        judge_new_instance(history, act_at(swap))


def test_a_vm_that_was_migrated_did_not_stay() -> None:
    history, swap = replay("swap-main")
    with pytest.raises(ProductFault, match="expected to stay on node"):
        judge_never_moved(history, swap, swap, 5)


def _quiet() -> tuple[History, NetworkSwap]:
    """The recording up to its edit: a VM that nothing has happened to, edited to the network that it has."""
    history, _ = replay("swap-main", until=7.0)
    swap = edited(history, 0.0)
    swap.new_network = swap.old_network
    return history, swap


def test_a_quiet_vm_proves_nothing_without_a_control_that_moved() -> None:
    history, swap = _quiet()
    with pytest.raises(LabError, match="was edited before vm1"):
        judge_never_moved(history, swap, swap, 5)
    later = edited(history, 0.0)
    later.index += 1
    with pytest.raises(LabError, match="its control was not either"):
        judge_never_moved(history, swap, later, 5)


def test_a_quiet_vm_stayed_when_its_control_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    history, swap = _quiet()
    control = edited(history, 0.0)
    control.index += 1
    monkeypatch.setattr("livenad.migrations.judge_never_moved.five_facts", lambda *_: [])
    assert f"stayed on {swap.before.node}" in judge_never_moved(history, swap, control, 5)


def test_edits_of_a_vm_form_a_chain() -> None:
    history, first = _quiet()
    second = edited(history, 0.0)
    second.previous = first
    assert edits_of(second) == [first, second]
