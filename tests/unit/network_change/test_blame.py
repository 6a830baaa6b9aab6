# SPDX-License-Identifier: Apache-2.0
"""The first line of a message names what is to blame: a target that is the source, the interface that a network is
behind instead, why a migration waits, which route moved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import pytest
from livenad.api.kinds import MIGRATION, POD, VMI, Object
from livenad.api.migration_trouble import phase_text
from livenad.api.status import NETWORK_STATUS, elsewhere, pod_network
from livenad.errors import NotReached
from livenad.invariants.flow import TARGET_OF
from livenad.network_change.completion import five_facts
from livenad.network_change.judge_network_change import judge_network

from tests.unit.support.histories import EDITED, Event, insert, replay

LATE = EDITED["swap-main"] + 21


def altered(kind: str, alter: Callable[[Object], None]) -> Callable[[list[Event]], Iterable[Event]]:
    return lambda recorded: insert(recorded, LATE, kind, alter)


def of_target_pod(alter: Callable[[Object], None]) -> Callable[[list[Event]], Iterable[Event]]:
    """Alters every state of the launcher pod that was made for the migration."""

    def altered_events(recorded: list[Event]) -> Iterable[Event]:
        for event in recorded:
            labels = event["object"]["metadata"].get("labels") or {}
            if event["kind"] == POD.name and TARGET_OF in labels:
                alter(event["object"])
            yield event

    return altered_events


def test_target_that_is_the_source_is_told() -> None:
    def in_place(vmi: Object) -> None:
        state = vmi["status"]["migrationState"]
        state["targetNode"] = vmi["status"]["nodeName"] = state["sourceNode"]

    history, change = replay("swap-main", altered(VMI.name, in_place))
    fact = next(one for one in five_facts(history, change) if not one.holds)
    assert fact.seen.endswith("as before the edit: its target is its source")


def test_interface_that_the_network_is_behind_instead_is_told() -> None:
    def crossed(pod: Object) -> None:
        entries = json.loads(pod["metadata"]["annotations"].get(NETWORK_STATUS, "[]"))
        for entry in entries:
            if entry["name"].endswith("/nad-b"):
                entry["interface"], entry["name"] = "pod77", entry["name"]
        entries.append({"name": f"{pod['metadata']['namespace']}/nad-a", "interface": own})
        pod["metadata"]["annotations"][NETWORK_STATUS] = json.dumps(entries)

    history, change = replay("swap-main")
    own = change.pod_interface
    history, change = replay("swap-main", of_target_pod(crossed))
    fact = next(one for one in five_facts(history, change) if not one.holds)
    wanted = f"{change.namespace}/nad-b"
    assert (
        f"has interface {own} on {change.namespace}/nad-a, expected {wanted}, which is behind pod77 instead"
        in fact.seen
    )
    with pytest.raises(NotReached, match="which is behind pod77 instead"):
        judge_network(history, "vm1", change.namespace, "net1", "nad-b")


@pytest.mark.parametrize("text", [None, "no JSON", "[1]", '{"interface": "pod1"}'])
def test_network_status_that_is_no_list_names_no_network(text: str | None) -> None:
    pod = {"metadata": {"annotations": {NETWORK_STATUS: text} if text else {}}}
    assert (pod_network(pod, "pod1"), elsewhere(pod, "a/b")) == (None, "")


def test_migration_that_waits_is_told_with_its_reason_and_one_that_ended_without() -> None:
    why = "0/2 nodes are available: 2 Insufficient memory."

    def unschedulable(pod: Object) -> None:
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why}
        pod["status"] = {"phase": "Pending", "conditions": [condition]}

    history, change = replay("swap-main", of_target_pod(unschedulable))
    (migration,) = history.by_uid(MIGRATION, "vm1", change.index).values()
    assert phase_text(history, migration) == "Succeeded"
    migration["status"]["phase"] = "Scheduling"
    assert phase_text(history, migration).startswith("Scheduling (target pod virt-launcher-vm1-")
    assert why in phase_text(history, migration)
    del migration["status"]
    assert phase_text(history, migration).startswith("new (target pod")
