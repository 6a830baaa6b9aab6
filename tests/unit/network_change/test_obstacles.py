# SPDX-License-Identifier: Apache-2.0
"""What of the lab is in the way of a swap, told from what the product does wrong: on recordings of KubeVirt."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

import pytest
from livenad.api.kinds import MIGRATION, POD
from livenad.api.status import phase_of
from livenad.network_change.completion import is_complete
from livenad.network_change.obstacles import obstacle

from tests.unit.support.histories import Event, replay

SWAP = "swap-main"


def target_of(recorded: list[Event]) -> str:
    """Name of the pod that the migration of the recording made."""
    names = {
        event["object"]["metadata"]["name"]
        for event in recorded
        if event["kind"] == POD.name and "kubevirt.io/migrationJobUID" in event["object"]["metadata"].get("labels", {})
    }
    (name,) = names
    return str(name)


def held_back(change_pod: Callable[[dict[str, object]], object]) -> Callable[[list[Event]], Iterable[Event]]:
    """The recording up to the target pod, which stays as ``change_pod`` makes its status."""

    def alter(recorded: list[Event]) -> Iterable[Event]:
        name = target_of(recorded)
        for event in recorded:
            yield event
            if event["kind"] == POD.name and event["object"]["metadata"]["name"] == name:
                stays = copy.deepcopy(event)
                stays["type"] = "MODIFIED"
                stays["object"]["metadata"]["resourceVersion"] += "1"
                change_pod(stays["object"].setdefault("status", {}))
                yield stays
                return

    return alter


def unschedulable(status: dict[str, object]) -> None:
    message = "0/3 nodes are available: 1 node(s) didn't match pod anti-affinity rules, 2 Insufficient memory."
    why = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    status |= {"phase": "Pending", "conditions": [why]}


def test_room_that_the_target_does_not_find_is_the_labs() -> None:
    history, change = replay(SWAP, held_back(unschedulable))
    assert "2 Insufficient memory.; no node takes the pod: free or add nodes" in obstacle(history, change)


@pytest.mark.parametrize("phase", ["Pending", "Running"])
def test_target_that_says_nothing_is_for_the_verdicts(phase: str) -> None:
    history, change = replay(SWAP, held_back(lambda status: status.update(phase=phase)))
    assert not is_complete(history, change)
    assert obstacle(history, change) == ""


def test_swap_that_is_complete_had_nothing_in_its_way() -> None:
    history, change = replay(SWAP)
    assert is_complete(history, change)
    assert obstacle(history, change) == ""


def test_trouble_that_is_over_is_no_excuse() -> None:
    """A target that found no room at first, and ran; what was wrong then is the product's."""

    def alter(recorded: list[Event]) -> Iterable[Event]:
        name, seen = target_of(recorded), False
        for event in recorded:
            if event["kind"] == POD.name and event["object"]["metadata"]["name"] == name and not seen:
                seen = True
                unschedulable(event["object"].setdefault("status", {}))
            if event["kind"] == MIGRATION.name and phase_of(event["object"]) in ("Running", "Succeeded"):
                continue
            yield event

    history, change = replay(SWAP, alter)
    assert not is_complete(history, change)
    assert obstacle(history, change) == ""
