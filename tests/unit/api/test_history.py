# SPDX-License-Identifier: Apache-2.0
"""The order of a history when a list overtakes the watch, and what is deleted."""

from __future__ import annotations

from itertools import count

import pytest
from livenad.api.history import DELETED, MODIFIED, History
from livenad.api.kinds import VM, VMI

from tests.unit.support.states import item, versions


def overtaken() -> History:
    """States 1, 3 and 4 of a VM are known, 3 and 4 by a list; a VMI came in between; then the watch tells state 2."""
    clock = count(100.0)
    history = History(lambda: next(clock))
    history.append(VM, MODIFIED, item(1))
    history.absorb(VM, [item(3)], "3")
    history.append(VMI, MODIFIED, item(9))
    history.absorb(VM, [item(4)], "4")
    history.append(VM, MODIFIED, item(2))
    return history


def test_a_state_that_a_list_overtook_stands_where_it_belongs() -> None:
    history = overtaken()
    assert versions(history) == versions(history, name=None) == ["1", "2", "3", "4"]
    assert [record.at for record in history.records(VM, "web")] == [100.0, 101.0, 101.0, 103.0]
    assert history.current(VM, "web") == item(4)


def test_what_was_seen_before_a_moment_stays_before_it() -> None:
    history = overtaken()
    moment = len(history)
    history.append(VM, MODIFIED, item(7))
    history.append(VM, MODIFIED, item(6))
    history.append(VM, MODIFIED, item(5))
    assert versions(history, since=moment) == ["5", "6", "7"]
    assert versions(history, name=None, since=moment) == ["5", "6", "7"]
    assert history.state_before(VM, "web", moment) == item(4)
    assert history.state_before(VM, "web", 1) == item(1)
    assert versions(history, VMI) == ["9"]


def test_an_object_of_the_same_name_is_another_one() -> None:
    history = History()
    history.append(VM, MODIFIED, item(5, uid="u2"))
    history.append(VM, MODIFIED, item(4, uid="u1"))
    assert versions(history) == ["5", "4"]


def deleted_by_a_list() -> History:
    """State 1 of a VM is known, and a list of version 5 has it no more; the watch is behind."""
    history = History()
    history.append(VM, MODIFIED, item(1))
    assert history.absorb(VM, [], "5") == 1
    return history


@pytest.mark.circumstance(
    "a watch tells states of an object that a list has shown as deleted",
    topic="control plane",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_what_a_list_showed_as_deleted_does_not_come_back_by_late_events() -> None:
    history = deleted_by_a_list()
    gone_at = history.records(VM)[-1].at
    history.append(VM, MODIFIED, item(2))
    assert history.current(VM, "web") is None
    assert history.append(VM, DELETED, item(3)) is None
    assert [(one.type, one.resource_version) for one in history.records(VM, "web")] == [
        (MODIFIED, "1"),
        (MODIFIED, "2"),
        (DELETED, "1"),
    ]
    assert history.records(VM)[1].at == gone_at
    assert history.all(VM) == []


def test_what_a_watch_showed_as_deleted_does_not_come_back_by_an_old_list() -> None:
    history = History()
    history.append(VM, MODIFIED, item(1))
    history.append(VM, DELETED, item(4))
    history.absorb(VM, [item(3)], "3")
    assert history.current(VM, "web") is None
    assert history.records(VM)[-1].type == DELETED


def test_another_object_of_the_name_of_a_deleted_one_is_there() -> None:
    history = deleted_by_a_list()
    history.append(VM, MODIFIED, item(7, uid="u2"))
    history.append(VM, DELETED, item(3))
    assert history.current(VM, "web") == item(7, uid="u2")


def test_a_history_until_a_record_ends_there_and_takes_late_states_of_before() -> None:
    history = overtaken()
    part = history.until(2)
    assert versions(part) == ["1", "2", "3"]
    assert (part.current(VM, "web"), part.current(VMI, "web")) == (item(3), None)
    assert (len(part), part.now) == (2, history.records(VMI)[0].at)
    assert history.until(2) is part
    history.append(VM, DELETED, item(8))
    assert history.until(2) is part
    assert history.until(len(history)).current(VM, "web") is None


def test_an_older_list_claims_no_replacement() -> None:
    """The list was made before the object was deleted and made again; its answer came later."""
    history = History()
    again, before = item(9), item(3)
    again["metadata"]["uid"] = "again"
    history.append(VM, "ADDED", again)
    assert history.absorb(VM, [before], "4") == 0
    assert [record.type for record in history.records(VM)] == ["ADDED"]
