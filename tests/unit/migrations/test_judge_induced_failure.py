# SPDX-License-Identifier: Apache-2.0
"""Verdicts on a migration that failed, on the recording of one: the VM stays, and the cluster means to try again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from livenad.api.history import History
from livenad.api.kinds import POD, meta
from livenad.changes import migrations_since
from livenad.errors import LabError, ProductFault
from livenad.migrations.induced_failure import ended_as, target_of
from livenad.migrations.judge_induced_failure import InducedFailure, judge_kept_in_place, judge_recovered, retry_began

from tests.unit.support.histories import Alteration, Event, insert, replay

FAILED = "failed-migration-main"
MIGRATION = "VirtualMachineInstanceMigration"


def broken(altered: Alteration | None = None) -> tuple[History, InducedFailure]:
    """The recording, and its failed migration as if its target pod had been deleted at 15 s."""
    history, change = replay(FAILED, altered)
    first = next(iter(migrations_since(history, change).values()))
    name, uid = meta(first, "name"), meta(first, "uid")
    ended = ended_as(history, name, uid)
    assert ended is not None
    assert ended[0] == "Failed"
    return history, InducedFailure(change, name, uid, "target", change.at + 7.5, ended[1])


def retried(phase: str, at: float = 60) -> Alteration:
    """The second migration reaches a phase that the recording ended before."""

    def altered(recorded: list[Event]) -> Iterable[Event]:
        def alter(item: dict[str, Any]) -> None:
            item["status"]["phase"] = phase

        return insert(recorded, at, MIGRATION, alter)

    return altered


def test_target_pod_is_found_as_soon_as_it_is_there() -> None:
    history, change = replay(FAILED, until=9.7)
    assert target_of(history, change) is None
    history, change = replay(FAILED, until=9.8)
    found = target_of(history, change)
    assert found is not None
    migration, pod = found
    assert pod is not None
    assert meta(pod, "labels")["kubevirt.io/migrationJobUID"] == meta(migration, "uid")


def test_target_pod_of_a_migration_that_has_failed_is_none() -> None:
    history, change = replay(FAILED, until=18)
    assert target_of(history, change) is None


def test_vm_kept_its_place_until_now() -> None:
    history, failure = broken()
    assert retry_began(history, failure) is None
    told = judge_kept_in_place(history, failure)
    assert "the VM stayed on node2" in told
    assert "the VMI's spec named nad-b, MigrationRequired=True" in told


def test_what_comes_after_the_next_migration_is_no_fault() -> None:
    def moved(recorded: list[Event]) -> Iterable[Event]:
        def leave(item: dict[str, Any]) -> None:
            item["status"]["nodeName"] = "node1"
            item["status"]["conditions"] = []

        return insert(list(retried("Running")(recorded)), 61, "VirtualMachineInstance", leave)

    history, failure = broken(moved)
    retry = retry_began(history, failure)
    assert retry is not None
    assert "the VM stayed on node2" in judge_kept_in_place(history, failure)


def test_move_before_the_next_migration_is_a_fault() -> None:
    def moved(recorded: list[Event]) -> Iterable[Event]:
        def leave(item: dict[str, Any]) -> None:
            item["status"]["nodeName"] = "node1"

        return insert(recorded, 30, "VirtualMachineInstance", leave)

    with pytest.raises(ProductFault, match=r"expected to stay on node node2, as migration .* Failed; it was on node1"):
        judge_kept_in_place(*broken(moved))


def test_condition_that_goes_is_a_fault() -> None:
    def content(recorded: list[Event]) -> Iterable[Event]:
        def drop(item: dict[str, Any]) -> None:
            item["status"]["conditions"] = [
                entry for entry in item["status"]["conditions"] if entry["type"] != "MigrationRequired"
            ]

        return insert(recorded, 30, "VirtualMachineInstance", drop)

    with pytest.raises(ProductFault, match=r"expected MigrationRequired to stay True after migration .* absent"):
        judge_kept_in_place(*broken(content))


def test_pod_on_the_new_network_is_a_fault() -> None:
    def swapped(recorded: list[Event]) -> Iterable[Event]:
        for event in recorded:
            if event["kind"] == POD.name:
                found = event["object"]["metadata"].get("annotations", {})
                for key, text in found.items():
                    found[key] = text.replace("/nad-a", "/nad-b")
        return recorded

    with pytest.raises(ProductFault, match=r"expected NIC \"net1\" on .*/nad-a .* on .*/nad-b"):
        judge_kept_in_place(*broken(swapped))


def test_recovery_is_a_later_migration_that_succeeded() -> None:
    with pytest.raises(ProductFault, match=r"expected the cluster to migrate it by itself .* is Pending"):
        judge_recovered(*broken())
    told = judge_recovered(*broken(retried("Succeeded")))
    assert "its next attempt left Pending" in told
    assert "is Succeeded" in told


def test_second_edit_by_somebody_else_proves_nothing() -> None:
    def touched(recorded: list[Event]) -> Iterable[Event]:
        def bump(item: dict[str, Any]) -> None:
            item["metadata"]["generation"] += 1

        return insert(list(retried("Succeeded")(recorded)), 62, "VirtualMachine", bump)

    with pytest.raises(LabError, match="was edited by another client"):
        judge_recovered(*broken(touched))


def test_condition_that_was_gone_at_the_failure_already_is_a_fault() -> None:
    """It came back in the first state after the failure."""

    def content(recorded: list[Event]) -> Iterable[Event]:
        failed = min(
            event["t"]
            for event in recorded
            if event["kind"] == MIGRATION and event["object"].get("status", {}).get("phase") == "Failed"
        )
        vmis = [event for event in recorded if event["kind"] == "VirtualMachineInstance" and event["t"] < failed]
        for entry in vmis[-1]["object"]["status"]["conditions"]:
            if entry["type"] == "MigrationRequired":
                entry["status"] = "False"
        return recorded

    with pytest.raises(ProductFault, match=r"expected MigrationRequired to stay True after migration "):
        judge_kept_in_place(*broken(content))
