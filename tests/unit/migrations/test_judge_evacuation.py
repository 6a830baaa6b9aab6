# SPDX-License-Identifier: Apache-2.0
"""Verdicts on evicted VMs, and on edits of them, on recordings of KubeVirt 1.9.0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from livenad.api.kinds import MIGRATION, VMI
from livenad.api.status import AUTOMATIC, EVACUATION
from livenad.changes import ChangeLog
from livenad.errors import ProductFault
from livenad.migrations.judge_evacuation import judge_evacuated, missing_to_evacuated
from livenad.network_change.events import event_of
from livenad.network_change.judge_last_change import judge_last_edit
from livenad.network_change.judge_network_change import judge_completion

from tests.unit.support.histories import EVICTED, Event, evicted, insert

DURING_SWAP, EDITED_EARLY, STUCK = EVICTED


def test_one_migration_serves_edit_and_eviction() -> None:
    history, eviction, edit = evicted(DURING_SWAP)
    assert judge_evacuated(history, eviction, 60, migrations=1).endswith("(by the cluster, Succeeded)")
    assert "complete" in judge_completion(history, edit, 60)


def test_what_an_eviction_leaves_is_missing_until_its_migration_has_ended() -> None:
    history, eviction, _ = evicted(DURING_SWAP, until=20)
    assert missing_to_evacuated(history, eviction) == [
        "the VMI is still on node2",
        "the VMI's status.evacuationNodeName is node2",
        "EvictionRequested=True (EvictionRequested: VMI is marked for eviction)",
        "migration kubevirt-workload-update-c4bnr is Running",
    ]
    with pytest.raises(
        ProductFault, match=r"expected to have left node2 within 1 min 0 s .*still on node2; .*Running\)"
    ):
        judge_evacuated(history, eviction, 60)


def test_evacuation_that_took_too_long_is_told() -> None:
    history, eviction, _ = evicted(DURING_SWAP)
    with pytest.raises(ProductFault, match=r"to have left node2 within 4.0 s of its eviction, did so only after 4.4 s"):
        judge_evacuated(history, eviction, 4)


def one_more(recorded: list[Event]) -> Iterable[Event]:
    """The cluster evacuates the VM once more after the swap."""

    def rename(item: dict[str, Any]) -> None:
        item["metadata"] |= {"name": "kubevirt-evacuation-2", "uid": "second"}
        del item["metadata"]["annotations"][AUTOMATIC]
        item["metadata"]["annotations"][EVACUATION] = "node1"

    for event in insert(recorded, 23, MIGRATION.name, rename):
        event["name"] = event["object"]["metadata"]["name"]
        yield event


def test_second_migration_for_the_eviction_is_one_too_many() -> None:
    history, eviction, _ = evicted(DURING_SWAP, one_more)
    assert "left node2" in judge_evacuated(history, eviction, 60)
    with pytest.raises(ProductFault, match=r"expected 1 migrations .*there are 2: .*-2 \(for an eviction, Succeeded\)"):
        judge_evacuated(history, eviction, 60, migrations=1)


def test_edit_during_an_evacuation_takes_effect_by_a_migration_of_its_own() -> None:
    history, eviction, edit = evicted(EDITED_EARLY)
    assert "left node1" in judge_evacuated(history, eviction, 60)
    said = judge_last_edit(history, edit, 60)
    assert "1 edits took 2 migrations: kubevirt-evacuation-slbqq (for an eviction, Succeeded)" in said


def test_evacuation_that_an_edit_leaves_in_running_is_told_as_the_known_bug() -> None:
    history, eviction, edit = evicted(STUCK)
    with pytest.raises(ProductFault) as caught:
        judge_last_edit(history, edit, 60)
    message = str(caught.value)
    assert "kubevirt-evacuation-grmpg stays in phase Running with migrationState.completed=true" in message
    assert "the VM cannot be migrated again, and node2 has one place less for migrations" in message
    assert "MigrationRequired=True" in message
    with pytest.raises(ProductFault, match=r"to have left node1 .*migration kubevirt-evacuation-grmpg is Running"):
        judge_evacuated(history, eviction, 60)


def replaced(recorded: list[Event]) -> Iterable[Event]:
    """The VM is another one after the eviction."""
    for event in recorded:
        if event["t"] > EVICTED[DURING_SWAP] and event["kind"] == VMI.name:
            event["object"]["metadata"]["uid"] = "other"
        yield event


def test_vm_that_an_eviction_has_ended_did_not_leave() -> None:
    history, eviction, _ = evicted(DURING_SWAP, replaced)
    with pytest.raises(ProductFault, match=r"the VMI was .* and is other in phase Running"):
        judge_evacuated(history, eviction, 60)


@pytest.mark.parametrize(("until", "told"), [(9, ""), (12.2, "a running evacuation"), (1e9, "")])
def test_running_evacuation_is_an_event(until: float, told: str) -> None:
    history, eviction, _ = evicted(EDITED_EARLY, until=until)
    log = ChangeLog()
    log.add(eviction)
    assert event_of(history, log, "vm1", "evacuation running")() == told
