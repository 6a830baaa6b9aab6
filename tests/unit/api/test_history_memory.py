# SPDX-License-Identifier: Apache-2.0
"""What a history keeps of many states, and what it drops past its limit."""

from __future__ import annotations

import re

import pytest
from livenad.api.history import MODIFIED, History
from livenad.api.kinds import EVENT, POD, VM
from livenad.errors import LabError

from tests.unit.support.states import event, item, launcher, told, two_vms, versions


def test_states_share_what_they_have_in_common() -> None:
    history = History()
    for version in (1, 2):
        history.append(VM, MODIFIED, {**item(version), "spec": {"nics": [{"name": "a"}, {"name": f"b{version}"}]}})
    history.append(VM, MODIFIED, {**item(3, "db", "u2"), "spec": {"nics": [{"name": "a"}]}})
    first, second, other = (record.object for record in history.records(VM))
    assert second == {**item(2), "spec": {"nics": [{"name": "a"}, {"name": "b2"}]}}
    assert first["spec"]["nics"][0] is second["spec"]["nics"][0] is other["spec"]["nics"][0]
    assert second["spec"]["nics"][1] == {"name": "b2"}
    assert other["spec"] == {"nics": [{"name": "a"}]}


def crowded() -> History:
    """At most 20 states are kept; 21 came: events first, then 12 states of one VM and one of another."""
    history = History(limit=20)
    for version in range(1, 9):
        history.append(EVENT, MODIFIED, event(version, POD, "unknown"))
    history.append(VM, MODIFIED, item(9, "db", "u2"))
    for version in range(10, 22):
        history.append(VM, MODIFIED, item(version))
    return history


def test_past_the_limit_the_oldest_events_go_first_and_it_is_told() -> None:
    history = crowded()
    assert told(history.records(EVENT)) == [(f"e{version}", str(version)) for version in range(3, 9)]
    assert len(history.records(VM)) == 13
    assert len(history) == 21
    assert re.fullmatch(
        r"2 of the oldest states were dropped \(Event 2\), the last of \d\d:\d\d:\d\d UTC; at most 20 are kept",
        history.dropped,
    )
    assert two_vms().dropped == ""


def test_a_verdict_on_a_time_of_which_states_were_dropped_is_refused() -> None:
    history = crowded()
    for version in range(22, 40):
        history.append(VM, MODIFIED, item(version))
    assert history.current(VM, "db") == item(9, "db", "u2")
    assert versions(history, name="db", since=1) == ["9"]
    kept = history.records(VM, "web")
    assert (kept[0].resource_version, len(kept)) != ("10", 30)
    with pytest.raises(LabError, match=r"states of VirtualMachine web .* no longer kept: .*VirtualMachine \d+"):
        history.records(VM, "web", since=9)
    with pytest.raises(LabError, match="no longer kept"):
        history.state_before(VM, "web", kept[0].index)
    assert history.records(VM, "web", since=kept[0].index) == kept
    assert history.state_before(VM, "web", kept[1].index) == kept[0].object


def test_indexes_forget_what_was_dropped_and_take_what_comes() -> None:
    history = crowded()
    for version in range(40, 200):
        history.append(POD, MODIFIED, launcher(version, "launcher", "web"))
        assert len(list(history.json_lines())) <= 20
    assert told(history.records(POD, vm="web")) == told(history.records(POD)) == told(history.records(POD, "launcher"))
    assert told(history.records(POD))[-1] == ("launcher", "199")
    assert history.current(VM, "web") == item(21)
