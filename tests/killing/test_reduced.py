# SPDX-License-Identifier: Apache-2.0
"""A round of killed runs beside living ones, and whether the comparison would see what it is there for."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.killing.audit import Write, crossed, touched
from tests.killing.lanes import LANES, site
from tests.killing.state import differences
from tests.killing.victims import Death, deaths

DEATHS = (
    Death("SIGINT", (signal.SIGINT,), writes=12),
    Death("SIGKILL", (signal.SIGKILL,), writes=17),
    Death("power loss", (signal.SIGKILL,), machine=True, writes=9),
)
P0 = ("--include", "nad-01")
KEY = ("configmaps", "default", "a")


@pytest.mark.nightly
@pytest.mark.timeout(400)
def test_killed_runs_are_cleaned_up_and_living_ones_do_not_notice(tmp_path: Path) -> None:
    """Three runs in parallel, two of them suites of one: no run writes to what another has."""
    shared = next(lane for lane in LANES if lane.name == "shared")
    lane = replace(
        shared,
        at_once=len(DEATHS),
        scenarios=(P0, shared.scenarios[3], ("--include", "nad-07")),
        survivors=(P0, ("--include", "nad-04", "--include", "nad-06", "--processes", "2")),
    )
    said: list[str] = []
    with site(lane, tmp_path / "site") as place:
        victims = place.round(0, DEATHS, said.append)
        assert len(place.foreign) == 200
        assert place.finish() == []
        assert [victim.left for victim in victims] == [[], [], []], said
        users = {write.user for write in place.trail.writes}
        assert {victim.user for victim in victims} <= users


def test_deaths_are_the_same_for_the_same_seed_and_of_every_kind() -> None:
    assert deaths(3)[:50] == deaths(3)[:50] != deaths(4)[:50]
    names = [death.name for death in deaths(3)[:50]]
    assert all(names.count(name) >= 8 for name in ("SIGINT", "SIGINT twice", "SIGTERM", "SIGKILL", "power loss"))
    assert 15 < sum(1 for death in deaths(3)[:50] if death.writes) < 35


def test_differences_are_seen() -> None:
    before = {KEY: {"metadata": {"resourceVersion": "1"}, "data": {"k": "v"}}}
    written = {KEY: {"metadata": {"resourceVersion": "2"}, "data": {"k": "v"}}}
    assert differences(before, written, set()) == {}
    assert list(differences(before, written, {KEY})) == [KEY]
    assert differences(before, {}, set()) == {KEY: "is gone"}
    assert differences({}, before, set()) == {KEY: "is still there"}
    changed = {KEY: {"metadata": {"resourceVersion": "1"}, "data": {"k": "w"}}}
    assert differences(before, changed, set()) == {KEY: 'is not as it was: .data.k was "v", is "w"'}


def test_writes_to_what_is_not_ones_own_are_seen() -> None:
    made, patched, deleted = (Write(user, verb, KEY, "", at) for user, verb, at in _HISTORY)
    assert touched([made, patched, deleted], {"b"}, {KEY: {}}) == ["b: delete configmaps default/a"]
    assert touched([made, patched, deleted], {"b"}, {}) == []
    assert crossed([made, patched, deleted], {"a": 9, "b": 9}) == ["b: delete configmaps default/a, which is of a"]
    assert crossed([made, patched, deleted], {"a": 2.5, "b": 9}) == []


def test_settings_are_changed_by_one_run_after_another() -> None:
    key = ("kubevirts.kubevirt.io", "kubevirt", "kubevirt")
    one, other, again = (Write(user, "patch", key, "", at) for user, at in (("a", 1), ("b", 2), ("a", 3)))
    assert crossed([one, other], {"a": 9, "b": 9}) == []
    assert crossed([one, other, again], {"a": 9, "b": 9})[0] == f"b: {other}, which is of a"


_HISTORY = (("a", "create", 1), ("a", "patch", 2), ("b", "delete", 3))
