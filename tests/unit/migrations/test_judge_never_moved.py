# SPDX-License-Identifier: Apache-2.0
"""A revert that the cluster had begun to act against already: judged on recordings of a real control plane."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import pytest
from livenad.api.history import History
from livenad.api.kinds import VM
from livenad.api.status import network_of
from livenad.changes import NetworkChange
from livenad.errors import LabError, ProductFault
from livenad.migrations import judge_never_moved as module
from livenad.migrations.judge_never_moved import judge_never_moved

from tests.unit.support.histories import EDITED, Alteration, Event, edited, insert, replay

SCHEDULING = "revert-while-scheduling-main"
RUNNING = "revert-while-running-main"
MIGRATION = "VirtualMachineInstanceMigration"


def reverted(name: str, altered: Alteration | None = None) -> tuple[History, NetworkChange, NetworkChange]:
    """The history, the revert (its first edit before it), and a control that was edited after both."""
    history, first = replay(name, altered)
    start = first.at - EDITED[name]
    again = next(
        record
        for record in history.records(VM, first.vm, first.index)
        if record.at > first.at + 0.5 and network_of(record.object["spec"]["template"]["spec"], "net1") == "nad-a"
    )
    last = edited(history, again.at, "nad-a")
    last.index, last.previous = again.index, first
    assert start < first.at < last.at < time.monotonic()
    control = edited(history, last.at)
    return history, last, control


@pytest.fixture
def control_has_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_complete", lambda *_: True)


@pytest.mark.usefixtures("control_has_moved")
def test_migration_that_was_cancelled_while_it_copied_moved_nothing() -> None:
    told = judge_never_moved(*reverted(SCHEDULING), 5)
    assert "made and cancelled: kubevirt-workload-update-k8qc4 (while it copied the guest)" in told


def later_by(seconds: float) -> Alteration:
    """The migration object comes later than it was recorded, so that the cluster may know of the revert by then."""

    def altered(recorded: list[Event]) -> Iterable[Event]:
        for event in recorded:
            if event["kind"] == MIGRATION:
                event["t"] += seconds
        return sorted(recorded, key=lambda item: item["t"])

    return altered


@pytest.mark.usefixtures("control_has_moved")
def test_migration_that_was_made_from_a_cache_that_was_behind_is_accepted() -> None:
    assert "made and cancelled" in judge_never_moved(*reverted(SCHEDULING, later_by(0.6)), 5)


@pytest.mark.usefixtures("control_has_moved")
def test_migration_that_was_made_in_spite_of_the_revert_is_a_fault() -> None:
    with pytest.raises(ProductFault, match="expected no migration, as the network stays the same"):
        judge_never_moved(*reverted(SCHEDULING, later_by(1.5)), 5)


@pytest.mark.usefixtures("control_has_moved")
def test_migration_that_is_never_cancelled_is_a_fault() -> None:
    def goes_on(recorded: list[Event]) -> Iterable[Event]:
        kept = [event for event in recorded if event["kind"] != MIGRATION or event["t"] < 10]
        return [event for event in kept if event["kind"] != "VirtualMachineInstance" or event["t"] < 10]

    with pytest.raises(ProductFault, match=r"was made by the cluster and is Scheduled"):
        judge_never_moved(*reverted(SCHEDULING, goes_on), 5)


@pytest.mark.usefixtures("control_has_moved")
def test_revert_after_the_copy_had_begun_is_the_labs_fault() -> None:
    with pytest.raises(LabError, match=r"the revert came too late to judge: .* was already copying the guest"):
        judge_never_moved(*reverted(RUNNING), 5)


@pytest.mark.usefixtures("control_has_moved")
def test_migration_that_was_there_before_the_revert_and_succeeded_is_the_labs_fault() -> None:
    def succeeds(recorded: list[Event]) -> Iterable[Event]:
        kept = [event for event in recorded if event["kind"] != MIGRATION or event["t"] < 13]

        def alter(item: dict[str, Any]) -> None:
            item["status"]["phase"] = "Succeeded"

        return insert(kept, 14, MIGRATION, alter)

    with pytest.raises(LabError, match=r"the revert came too late to judge: .* existed, and Succeeded"):
        judge_never_moved(*reverted(SCHEDULING, succeeds), 5)


def test_a_vm_that_was_migrated_did_not_stay() -> None:
    history, change = replay("swap-main")
    with pytest.raises(ProductFault, match="expected to stay on node"):
        judge_never_moved(history, change, change, 5)


def _quiet() -> tuple[History, NetworkChange]:
    """The recording up to its edit: a VM that nothing has happened to, edited to the network that it has."""
    history, _ = replay("swap-main", until=7.0)
    change = edited(history, 0.0)
    change.new_network = change.old_network
    return history, change


def test_a_quiet_vm_proves_nothing_without_a_control_that_moved() -> None:
    history, change = _quiet()
    with pytest.raises(LabError, match="was edited before vm1"):
        judge_never_moved(history, change, change, 5)
    later = edited(history, 0.0)
    later.index += 1
    with pytest.raises(LabError, match="its control was not migrated either"):
        judge_never_moved(history, change, later, 5)


@pytest.mark.usefixtures("control_has_moved")
def test_a_quiet_vm_stayed_when_its_control_moved() -> None:
    history, change = _quiet()
    control = edited(history, 0.0)
    control.index += 1
    assert f"stayed on {change.node}" in judge_never_moved(history, change, control, 5)
