# SPDX-License-Identifier: Apache-2.0
"""Conditions: when they change, and when their transition time does."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.kube import conditions

BEFORE = "2020-01-01T00:00:00Z"


def with_condition(**fields: str) -> dict[str, Any]:
    condition = {"type": "Ready", "status": "True", "lastTransitionTime": BEFORE, **fields}
    return {"status": {"conditions": [condition]}}


def test_the_same_condition_stays_as_it_is() -> None:
    obj = with_condition()
    assert not conditions.put(obj, conditions.new("Ready", "True"))
    conditions.update(obj, "Ready", "True")
    assert obj == with_condition()


@pytest.mark.parametrize(("status", "kept"), [("True", True), ("False", False)])
def test_update_keeps_the_transition_time_while_the_status_stays(status: str, kept: bool) -> None:
    obj = with_condition()
    conditions.update(obj, "Ready", status, reason="Changed")
    found = conditions.find(obj, "Ready")
    assert found is not None
    assert (found["status"], found["reason"], found["lastTransitionTime"] == BEFORE) == (status, "Changed", kept)


def test_put_takes_a_new_reason_for_a_transition() -> None:
    obj = with_condition()
    assert conditions.put(obj, conditions.new("Ready", "True", reason="Changed"))
    assert (conditions.find(obj, "Ready") or {})["lastTransitionTime"] != BEFORE


def test_the_last_condition_takes_the_list_along() -> None:
    obj = with_condition()
    assert conditions.remove(obj, "Ready")
    assert not conditions.remove(obj, "Ready")
    assert obj == {"status": {}}
