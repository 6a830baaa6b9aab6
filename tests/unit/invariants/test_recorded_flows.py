# SPDX-License-Identifier: Apache-2.0
"""What the invariants say of recorded flows of the real control plane; and no allowed difference is superfluous."""

from __future__ import annotations

import re

import pytest
from livenad.invariants.allowed_fields import EXPECTED_WARNINGS, MAY_DIFFER
from livenad.invariants.comparison import Comparison
from livenad.invariants.judge_api import compare_api

from tests.unit.support.flows import replay, table

GREEN = [name for name, flow in table().items() if "red" not in flow]
RED = [name for name, flow in table().items() if "red" in flow]


def compared(name: str) -> Comparison:
    flow = replay(name)
    return compare_api(flow.history, "vm1", flow.index, flow.at, flow.edits)


@pytest.mark.parametrize("name", GREEN)
def test_flow_in_which_the_feature_worked_differs_only_as_it_may(name: str) -> None:
    found = compared(name)
    assert not [str(one) for one in found.findings]
    assert found.compared > 400


@pytest.mark.parametrize("name", RED)
def test_flow_in_which_it_did_not_is_red_for_its_cause_only(name: str) -> None:
    causes = table()[name]["red"]
    findings = [str(one) for one in compared(name).findings]
    assert findings
    assert not [line for line in findings if not any(re.search(cause, line) for cause in causes)]
    assert not [cause for cause in causes if not any(re.search(cause, line) for line in findings)]


def test_record_after_a_migration_is_compared_with_the_next_one() -> None:
    flow = replay("main-b_again")
    edit = flow.edits[1]
    found = compare_api(flow.history, "vm1", edit.index, edit.at, flow.edits[1:])
    assert not [str(one) for one in found.findings]


def test_every_allowed_difference_is_needed_by_the_flow_that_it_names() -> None:
    flows = {entry.seen for entry in MAY_DIFFER} | {warning.seen for warning in EXPECTED_WARNINGS}
    for seen in flows:
        found = compared(seen.replace("/", "-"))
        used = {(one.entry.kind, one.entry.path) for one in found.allowed if one.entry}
        named = {(entry.kind, entry.path) for entry in MAY_DIFFER if entry.seen == seen}
        assert named <= used
        told = [str(one.now) for one in found.told if one.path == "warning"]
        for warning in EXPECTED_WARNINGS:
            assert warning.seen != seen or [text for text in told if text.startswith(warning.reason)]


def test_no_field_is_allowed_twice_and_none_is_a_whole_subtree() -> None:
    paths = [(entry.kind, entry.path) for entry in MAY_DIFFER]
    assert len(set(paths)) == len(paths)
    assert not [path for _, path in paths if "*" in path]
