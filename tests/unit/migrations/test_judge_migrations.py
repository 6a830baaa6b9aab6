# SPDX-License-Identifier: Apache-2.0
"""Verdicts on how often a VM was migrated and at whose request, on recordings of a real control plane."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from livenad.api.kinds import MIGRATION, Object, dig
from livenad.api.status import AUTOMATIC
from livenad.errors import NotReached, ProductFault
from livenad.migrations.judge_migrations import (
    judge_migrated_on_request,
    judge_migrated_times,
    judge_not_migrated,
    judge_one_migration,
)
from livenad.network_change.judge_network_change import judge_completion

from tests.unit.support.histories import EDITED, Alteration, Event, insert, replay, restarted


def by_hand(recorded: list[Event]) -> Iterable[Event]:
    for event in recorded:
        event["object"]["metadata"].get("annotations", {}).pop(AUTOMATIC, None)
    return recorded


def test_migration_counts_as_by_hand_only_when_nothing_else_made_it() -> None:
    history, change = replay("swap-main", by_hand, requested=True)
    assert f"migrated from {change.node}" in judge_migrated_on_request(history, restarted(change))
    history, change = replay("swap-main")
    with pytest.raises(ProductFault, match="expected one migration, the one that was requested"):
        judge_migrated_on_request(history, restarted(change))


def test_migrations_are_counted_exactly() -> None:
    history, change = replay("swap-main")
    assert "1 migrations since the first edit" in judge_migrated_times(history, change, 1)
    for times in (0, 2):
        with pytest.raises(ProductFault, match=rf"expected {times} migrations .*there are 1"):
            judge_migrated_times(history, change, times)


def second_migration(phase: str) -> Alteration:
    def altered(recorded: list[Event]) -> Iterable[Event]:
        def rename(item: Object) -> None:
            item["metadata"]["name"] += "-second"
            item["metadata"]["uid"] = "second"
            item["status"] = {"phase": phase}

        recorded = insert(recorded, EDITED["swap-main"] + 21, MIGRATION.name, rename)
        for event in recorded:
            event["name"] = event["object"]["metadata"]["name"]
        return recorded

    return altered


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed"])
def test_second_migration_is_counted(phase: str) -> None:
    history, change = replay("swap-main", second_migration(phase))
    with pytest.raises(
        ProductFault, match=rf"exactly one migration for the edit, there are 2: .*-second \(by the cluster, {phase}"
    ):
        judge_one_migration(history, change)


def test_migration_that_the_suite_requested_itself_is_none_by_the_cluster() -> None:
    history, change = replay("swap-main", by_hand, requested=True)
    with pytest.raises(
        ProductFault, match=r"made by the cluster for the edit, this one was not: .*\(requested by this run"
    ):
        judge_one_migration(history, change)


def test_failed_migration_is_told() -> None:
    def altered(recorded: list[Event]) -> Iterable[Event]:
        for event in recorded:
            if event["kind"] == MIGRATION.name and dig(event["object"], "status", "phase") == "Succeeded":
                event["object"]["status"]["phase"] = "Failed"
        return recorded

    history, change = replay("swap-main", altered)
    with pytest.raises(
        ProductFault, match=r"expected the migration for the edit to succeed; .*Failed 14 s after the edit"
    ):
        judge_one_migration(history, change)
    with pytest.raises(ProductFault, match="is Failed since"):
        judge_completion(history, change, within=60)


def test_migration_before_the_edit_is_not_counted() -> None:
    history, change = replay("swap-main")
    (uid,) = {record.uid for record in history.records(MIGRATION)}
    change.migrations = frozenset({uid})
    with pytest.raises(ProductFault, match="there is none"):
        judge_one_migration(history, change)


def test_migration_since_a_change_is_told_by_name_and_phase() -> None:
    history, change = replay("swap-main")
    restart = restarted(change)
    with pytest.raises(
        ProductFault, match=r"expected no migration since its restart; there is kubevirt-.*\(Succeeded\)"
    ):
        judge_not_migrated(history, restart)
    restart.migrations = frozenset(record.uid for record in history.records(MIGRATION))
    assert "no migration since its restart" in judge_not_migrated(history, restart)


def asked(*alterations: Alteration) -> str:
    """The verdict on the migration that the run requested, in a recording with these alterations."""

    def alter(recorded: list[Event]) -> Iterable[Event]:
        for alteration in (by_hand, *alterations):
            recorded = list(alteration(recorded))
        return recorded

    history, change = replay("swap-main", alter, requested=True)
    return judge_migrated_on_request(history, restarted(change))


def vmi(at: float, change: Callable[[Any], None]) -> Alteration:
    return lambda recorded: insert(recorded, at, "VirtualMachineInstance", change)


def test_requested_migration_that_moved_the_vmi() -> None:
    assert re.search(r"vm1: migrated from node\d to node\d by kubevirt-workload-update-\w+$", asked())


@pytest.mark.parametrize("phase", ["Failed", "Running"])
def test_requested_migration_that_has_not_succeeded(phase: str) -> None:
    def ended(recorded: list[Event]) -> Iterable[Event]:
        for event in recorded:
            status = event["object"].get("status", {})
            if event["kind"] == MIGRATION.name and status.get("phase") == "Succeeded":
                status["phase"] = phase
        return recorded

    with pytest.raises(ProductFault, match="expected its migration to have succeeded after") as caught:
        asked(ended)
    assert isinstance(caught.value, NotReached) == (phase == "Running")


def test_requested_migration_of_a_vmi_that_is_replaced_or_gone() -> None:
    with pytest.raises(ProductFault, match=r"to be kept by its migration; it is replaced by another"):
        asked(vmi(60, lambda item: item["metadata"].update(uid="another")))

    def gone(recorded: list[Event]) -> Iterable[Event]:
        found = insert(recorded, 60, "VirtualMachineInstance", lambda _: None)
        last = max((one for one in found if one["kind"] == "VirtualMachineInstance"), key=lambda one: one["t"])
        last["type"] = "DELETED"
        return found

    with pytest.raises(ProductFault, match=r"to be kept by its migration; it is gone"):
        asked(gone)


def test_requested_migration_in_which_the_vmi_did_not_run_all_the_time() -> None:
    with pytest.raises(ProductFault, match=r"phase Running all the time; it was Failed \d+ s after the migration was"):
        asked(
            vmi(20, lambda item: item["status"].update(phase="Failed")),
            vmi(20.5, lambda item: item["status"].update(phase="Running")),
        )


@pytest.mark.parametrize("node", ["old", ""])
def test_requested_migration_that_left_the_vmi_where_it_was(node: str) -> None:
    _, change = replay("swap-main", by_hand, requested=True)
    place = change.node if node else ""
    with pytest.raises(ProductFault, match=rf"expected to have left node {change.node}; it is on {place or 'none'}$"):
        asked(vmi(60, lambda item: item["status"].update(nodeName=place)))
