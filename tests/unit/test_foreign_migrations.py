# SPDX-License-Identifier: Apache-2.0
"""Migrations with a cause outside the run: never a FAIL; what was decided before stays so, what is not is a LAB ERROR.

Each is put into a recording of a real control plane, with the fields of recorded evacuations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from livenad.api.history import History
from livenad.api.kinds import MIGRATION, VM, VMI
from livenad.changes import Change, ChangeLog, NetworkChange
from livenad.conditions.judge_conditions import judge_restart_never_required
from livenad.errors import LabError, NotReached, ProductFault
from livenad.foreign_migrations import (
    OUTDATED,
    foreign_since,
    is_ours,
    judged_before,
    maker_of,
    meanwhile,
    note,
    reached,
)
from livenad.migrations.judge_migrations import judge_migrated_times, judge_not_migrated, judge_one_migration
from livenad.migrations.judge_stayed import judge_stayed, require_control
from livenad.model import VmRecord
from livenad.network_change.completion import is_complete
from livenad.network_change.judge_network_change import judge_completion
from livenad.settling import missing_to_settled
from livenad.virtual_machines.judge_lifecycle import judge_not_restarted

from tests.unit.support.histories import (
    AUTOMATIC,
    EDITED,
    EVACUATION,
    Alteration,
    Event,
    insert,
    migrated_by_others,
    replay,
)
from tests.unit.support.topology import LOGIN

SWAP = "swap-main"
EDIT = EDITED[SWAP]
SETTLED = EDIT + 30
OPEN = EDIT + 9

FOREIGN = [
    (EVACUATION, "", "made by KubeVirt's evacuation controller to clear node node1 (an eviction, such as by a drain)"),
    ({}, "virt-api", "requested by another user"),
    ({}, "kubectl-create", "requested by another user (kubectl-create)"),
]


def both(first: Alteration, second: Alteration) -> Alteration:
    return lambda recorded: second(list(first(recorded)))


def judged(history: History, since: Change, verdict: Callable[[History], str]) -> str:
    """As keywords judge."""
    try:
        return verdict(history) + note(history, since)
    except ProductFault as fault:
        return judged_before(history, since, fault, verdict)


def completion(history: History, change: NetworkChange, within: float = 60) -> str:
    return judged(history, change, lambda known: judge_completion(known, change, within))


def once(history: History, change: NetworkChange) -> str:
    return judged(history, change, lambda known: judge_one_migration(known, change))


@pytest.mark.circumstance(
    "a drain or another user migrates the VM after its change was complete",
    topic="others",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(("annotations", "manager", "said"), FOREIGN)
def test_what_was_complete_before_stays_complete(annotations: dict[str, str], manager: str, said: str) -> None:
    """The wait for it ends as well, at once."""
    history, change = replay(SWAP, migrated_by_others(SETTLED, annotations, manager=manager))
    record = VmRecord(change.vm, change.namespace, LOGIN, [])
    assert not is_complete(history, change)
    assert reached(history, change, lambda known: is_complete(known, change))
    assert missing_to_settled(history, ChangeLog(), record, change, live_update=True, migrates=True) == []
    told = completion(history, change)
    assert f"complete {14}" in told.replace(".", " ")
    for text in (told, once(history, change)):
        assert f"for information: migration {change.namespace}/other of VM vm1 was {said}" in text
    with pytest.raises(NotReached):
        judge_completion(history, change, 60)


def test_the_count_and_the_control_keep_their_verdict() -> None:
    history, change = replay(SWAP, migrated_by_others(SETTLED))
    assert judged(history, change, lambda known: judge_migrated_times(known, change, 1)).startswith("VM ")
    assert judged(history, change, lambda known: judge_restart_never_required(known, change)).startswith("VM ")
    assert judged(history, change, lambda known: judge_not_restarted(known, change)).startswith("VM ")
    earlier = Change(**(vars_of(change) | {"index": 0}))
    assert require_control(history, earlier, change)[0]


def vars_of(change: Change) -> dict[str, Any]:
    return {name: getattr(change, name) for name in Change.__dataclass_fields__}


@pytest.mark.circumstance(
    "a drain or another user migrates the VM while its change is under way",
    topic="others",
    sees="LAB ERROR: it cannot be judged, as migration ... run again at a time without drains",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(("annotations", "manager", "said"), FOREIGN)
@pytest.mark.parametrize("verdict", [completion, once])
def test_what_it_leaves_open_is_the_labs(verdict: Any, annotations: dict[str, str], manager: str, said: str) -> None:
    history, change = replay(SWAP, migrated_by_others(OPEN, annotations, manager=manager), until=OPEN + 2)
    with pytest.raises(LabError) as raised:
        verdict(history, change)
    told = str(raised.value)
    assert told.startswith(
        f"LAB ERROR: it cannot be judged, as migration {change.namespace}/other of VM vm1 was {said}"
    )
    assert "run again at a time without drains" in told
    assert "What was seen: VM" in told


def test_a_limit_that_was_over_before_it_is_the_products_fault() -> None:
    history, change = replay(SWAP, migrated_by_others(OPEN), until=OPEN + 10)
    with pytest.raises(ProductFault, match=r"expected to be complete within 5.0 s, is not after 9.0 s"):
        completion(history, change, within=5)


def test_a_fault_from_before_stays_a_fault() -> None:
    def require(item: Event) -> None:
        item["status"]["conditions"] += [{"type": "RestartRequired", "status": "True"}]

    def required(recorded: list[Event]) -> list[Event]:
        return insert(recorded, EDIT + 1, VM.name, require)

    history, change = replay(SWAP, both(required, migrated_by_others(SETTLED)))
    with pytest.raises(ProductFault, match="expected RestartRequired never to be set"):
        judged(history, change, lambda known: judge_restart_never_required(known, change))


def test_the_time_after_it_is_the_labs() -> None:
    """A VM that must stay: before the edit of the recording nothing had happened."""
    history, change = replay(SWAP, migrated_by_others(EDIT + 1, EVACUATION, lasts=2), until=EDIT + 3.1)
    with pytest.raises(LabError, match=r"cannot be judged, as migration .*evacuation controller"):
        judged(history, change, lambda known: judge_stayed(known, change))
    with pytest.raises(LabError, match=r"cannot be judged, as migration .*evacuation controller"):
        judged(history, change, lambda known: judge_not_migrated(known, change))


@pytest.mark.circumstance(
    "KubeVirt migrates a VM that requires no migration, once more",
    topic="others",
    sees="there are 2",
    verdict="FAIL",
    source="tried on commit 34c8c6b",
)
def test_a_migration_that_the_cluster_made_without_a_cause_is_the_products_fault() -> None:
    """Whatever others did meanwhile: MigrationRequired was gone, and it migrated the VM once more."""
    history, change = replay(SWAP, migrated_by_others(SETTLED, AUTOMATIC, manager="virt-controller"))
    with pytest.raises(ProductFault, match=r"there are 2: .*other \(by the cluster, Succeeded"):
        once(history, change)

    def renamed(recorded: list[Event]) -> Iterable[Event]:
        for event in recorded:
            if event["object"]["metadata"]["uid"] == "other":
                event["object"]["metadata"] |= {"uid": "second", "name": "second"}
                event["name"] = "second"
        return recorded

    spurious = both(migrated_by_others(SETTLED, AUTOMATIC), renamed)
    history, change = replay(SWAP, both(spurious, migrated_by_others(SETTLED - 5, lasts=3)))
    with pytest.raises(ProductFault, match="there are 2"):
        once(history, change)


def test_controllers_are_told_by_the_client_that_wrote_where_there_is_no_annotation() -> None:
    history, change = replay(SWAP, migrated_by_others(SETTLED, {}, manager="virt-controller-1.9.0"))
    assert foreign_since(history, change) == []
    with pytest.raises(ProductFault, match="there are 2"):
        once(history, change)


@pytest.mark.circumstance(
    "KubeVirt is updated and migrates the VM to a new launcher",
    topic="others",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_an_update_of_kubevirt_is_a_cause_outside_the_run() -> None:
    def outdate(item: Event) -> None:
        item["metadata"].setdefault("labels", {})[OUTDATED] = ""

    def outdated(recorded: list[Event]) -> list[Event]:
        return insert(recorded, SETTLED - 1, VMI.name, outdate)

    history, change = replay(SWAP, both(outdated, migrated_by_others(SETTLED, AUTOMATIC)))
    (foreign,) = foreign_since(history, change)
    assert "as KubeVirt was updated" in str(foreign)
    assert "for information: migration" in once(history, change)


def test_a_requested_migration_is_the_runs_own_and_the_next_one_is_not() -> None:
    history, change = replay(SWAP, migrated_by_others(SETTLED, {}), requested=True)
    (found,) = (item for item in history.all(MIGRATION) if item["metadata"]["name"] == "other")
    assert (is_ours(history, found), maker_of(history, found)) == (True, "requested by this run")
    assert foreign_since(history, change) == []
    found["metadata"]["annotations"] = dict(EVACUATION)
    assert maker_of(history, found) == "for an eviction"


def test_only_what_was_under_way_meanwhile_is_to_blame_for_what_guests_lost() -> None:
    history, change = replay(SWAP, migrated_by_others(SETTLED, lasts=9))
    start = change.at - EDIT
    (foreign,) = foreign_since(history, change)
    assert foreign.ended is not None
    assert meanwhile(history, ["peer"], start) is None
    assert meanwhile(history, ["peer", "vm1"], start + SETTLED + 8) == foreign
    assert meanwhile(history, ["vm1"], start + SETTLED + 9.5) is None
