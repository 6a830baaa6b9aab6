"""A revert that the cluster had begun to act against already: judged on recordings of a real control plane."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import pytest
from livenad.api.history import History
from livenad.api.kinds import VM
from livenad.api.status import network_of
from livenad.errors import LabError, ProductFault
from livenad.migrations import judge_never_moved as unmoved
from livenad.migrations.judge_never_moved import judge_never_moved
from livenad.network_change.completion import NetworkSwap, remember

from tests.unit.support.histories import EDITED, Change, Event, edited, insert, replay

SCHEDULING = "revert-while-scheduling-main"
RUNNING = "revert-while-running-main"
MIGRATION = "VirtualMachineInstanceMigration"


def reverted(name: str, change: Change | None = None) -> tuple[History, NetworkSwap, NetworkSwap]:
    """The history, the revert (its first edit before it), and a control that was edited after both."""
    history, first = replay(name, change)
    start = first.at - EDITED[name]
    again = next(
        record
        for record in history.records(VM, first.vm, first.index)
        if record.at > first.at + 0.5 and network_of(record.object["spec"]["template"]["spec"], "net1") == "nad-a"
    )
    last = remember(history, first.vm, first.namespace, first.nic, "nad-a")
    last.index, last.at, last.previous = again.index, again.at, first
    assert start < first.at < last.at < time.monotonic()
    control = edited(history, last.at)
    return history, last, control


@pytest.fixture(autouse=True)
def control_has_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmoved, "five_facts", lambda *_: [])


def test_migration_that_was_cancelled_while_it_copied_moved_nothing() -> None:
    told = judge_never_moved(*reverted(SCHEDULING), 5)
    assert "made and cancelled: kubevirt-workload-update-k8qc4 (while it copied the guest)" in told


def later_by(seconds: float) -> Change:
    """The migration object comes later than it was recorded, so that the cluster may know of the revert by then."""

    def change(recorded: list[Event]) -> Iterable[Event]:
        for event in recorded:
            if event["kind"] == MIGRATION:
                event["t"] += seconds
        return sorted(recorded, key=lambda item: item["t"])

    return change


def test_migration_that_was_made_from_a_cache_that_was_behind_is_accepted() -> None:
    assert "made and cancelled" in judge_never_moved(*reverted(SCHEDULING, later_by(0.6)), 5)


def test_migration_that_was_made_in_spite_of_the_revert_is_a_fault() -> None:
    with pytest.raises(ProductFault, match="expected no migration, as the network stays the same"):
        judge_never_moved(*reverted(SCHEDULING, later_by(1.5)), 5)


def test_migration_that_is_never_cancelled_is_a_fault() -> None:
    def goes_on(recorded: list[Event]) -> Iterable[Event]:
        kept = [event for event in recorded if event["kind"] != MIGRATION or event["t"] < 10]
        return [event for event in kept if event["kind"] != "VirtualMachineInstance" or event["t"] < 10]

    with pytest.raises(ProductFault, match=r"was made by the cluster and is Scheduled"):
        judge_never_moved(*reverted(SCHEDULING, goes_on), 5)


def test_revert_after_the_copy_had_begun_is_the_labs_fault() -> None:
    with pytest.raises(LabError, match=r"the revert came too late to judge: .* was copying the guest already"):
        judge_never_moved(*reverted(RUNNING), 5)


def test_migration_that_was_there_before_the_revert_and_succeeded_is_the_labs_fault() -> None:
    def succeeds(recorded: list[Event]) -> Iterable[Event]:
        kept = [event for event in recorded if event["kind"] != MIGRATION or event["t"] < 13]

        def alter(item: dict[str, Any]) -> None:
            item["status"]["phase"] = "Succeeded"

        return insert(kept, 14, MIGRATION, alter)

    with pytest.raises(LabError, match=r"the revert came too late to judge: .* was there, and Succeeded"):
        judge_never_moved(*reverted(SCHEDULING, succeeds), 5)
