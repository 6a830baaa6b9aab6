# SPDX-License-Identifier: Apache-2.0
"""That the replay of recorded requests sees what differs, and that what it accepts is about something recorded."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .accepted import ACCEPTED, judged
from .recordings import DATA, recorded
from .same import Chance
from .streaming import KEEP_ALIVE
from .test_recorded_requests import BY_THE_CLOCK, EVERY

# What verdicts read of VMs, VMIs, migrations and launcher pods.
READ = ("spec.networks[0]", "spec.template", "status.phase", "status.migrationState", "status.conditions[0].status")
OBJECT_OF_VERDICTS = re.compile(r"/apis/kubevirt\.io/v1/.*|/api/v1/namespaces/[^/]+/pods(/[^/]+)?(\?.*)?")
# VMs that are paused, started or stopped by hand, and one that was just created: no verdict reads such an answer.
SPARED_NOT = re.compile(r"stream-lifecycle/(17|18|36|39|45|51)|admission-.*/147|apply/24")
FIRST, SECOND = ("11111111-2222-3333-4444-55555555555a", "11111111-2222-3333-4444-55555555555b")


def found(chance: Chance, recorded_answer: Any, seen: Any) -> list[str]:
    return list(chance.differences(recorded_answer, seen))


def obj(uid: str, version: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"uid": uid, "resourceVersion": version}, **more}


def test_names_by_chance_are_the_same_when_they_stand_for_the_same() -> None:
    chance = Chance()
    assert found(chance, obj(FIRST, "10"), obj(SECOND, "7")) == []
    assert found(chance, obj(FIRST, "10"), obj(SECOND, "7")) == []
    assert found(chance, {"message": f"object {FIRST}"}, {"message": f"object {SECOND}"}) == []


def test_a_version_that_goes_on_where_it_stayed_is_seen() -> None:
    chance = Chance()
    assert found(chance, obj(FIRST, "10"), obj(SECOND, "7")) == []
    assert found(chance, obj(FIRST, "10"), obj(SECOND, "8")) == ["metadata.resourceVersion: seen '8', recorded '10'"]
    assert found(chance, obj(FIRST, "11"), obj(SECOND, "7")) == ["metadata.resourceVersion: seen '7', recorded '11'"]


@pytest.mark.parametrize(
    ("recorded_answer", "seen"),
    [({"a": 1}, {"a": "1"}), ({"a": 1}, {}), ({}, {"a": None}), ({"a": [1]}, {"a": [1, 1]}), ({"a": 1}, {"a": True})],
)
def test_types_lengths_and_what_is_missing_are_seen(recorded_answer: Any, seen: Any) -> None:
    assert len(found(Chance(), recorded_answer, seen)) == 1


def test_only_what_is_accepted_passes() -> None:
    assert list(judged("read/14", "", ["items: seen 1, recorded 2"])) == []
    assert list(judged("read/14", "", ["items: seen 1, recorded 2", "status: seen 1, recorded 2"])) == [
        "read/14: status: seen 1, recorded 2"
    ]
    assert list(judged("read/14", "", [])) == ["read/14: items is accepted as different, and is the same"]
    assert list(judged("read/15", "", ["items: seen 1, recorded 2"])) == ["read/15: items: seen 1, recorded 2"]


def test_everything_recorded_is_played_and_everything_accepted_is_played() -> None:
    assert sorted([*EVERY, "kubectl", "refusals", "restrictions"]) == sorted(path.stem for path in DATA.glob("*.jsonl"))
    played = [
        f"{area}/{exchange['name'].partition('-')[0]}" for area in (*EVERY, "kubectl") for exchange in recorded(area)
    ]
    for entry in ACCEPTED:
        assert any(re.fullmatch(entry.exchange, place) for place in played), entry
    assert [name for name in BY_THE_CLOCK if f"stream/{name}" not in played] == []
    assert KEEP_ALIVE.payload == b"keep alive"


def test_what_is_accepted_spares_what_verdicts_read() -> None:
    for entry in ACCEPTED:
        covers = [word for word in READ if re.fullmatch(entry.path, word)]
        places = {
            f"{area}/{exchange['name'].partition('-')[0]}"
            for area in EVERY
            for exchange in recorded(area)
            if OBJECT_OF_VERDICTS.fullmatch(exchange["url"])
        }
        about = [place for place in places if re.fullmatch(entry.exchange, place)]
        assert not [place for place in about if covers and not SPARED_NOT.fullmatch(place)], entry
