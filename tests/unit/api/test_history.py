"""The order of the history when a list overtakes the watch."""

from __future__ import annotations

from itertools import count

from livenad.api.history import MODIFIED, History
from livenad.api.kinds import VM, VMI, Kind, Object


def item(version: int, name: str = "web", uid: str = "u1") -> Object:
    return {"metadata": {"name": name, "uid": uid, "resourceVersion": str(version)}}


def versions(history: History, kind: Kind = VM, name: str | None = "web", since: int = 0) -> list[str]:
    return [record.resource_version for record in history.records(kind, name, since)]


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


def test_the_state_of_an_object_when_another_one_was_stored() -> None:
    history = History()
    for version in (3, 5, 9):
        history.append(VM, "MODIFIED", item(version))
    assert history.state_at(VM, "web", "2") is None
    assert history.state_at(VM, "web", "5") == item(5)
    assert history.state_at(VM, "web", "8") == item(5)
    assert history.state_at(VM, "web", "10") == item(9)
    assert history.state_at(VM, "web", "opaque") == item(9)
    history.append(VM, "DELETED", item(11))
    assert history.state_at(VM, "web", "10") == item(9)
    assert history.state_at(VM, "web", "12") is None


def test_an_object_of_the_same_name_is_another_one() -> None:
    history = History()
    history.append(VM, MODIFIED, item(5, uid="u2"))
    history.append(VM, MODIFIED, item(4, uid="u1"))
    assert versions(history) == ["5", "4"]
