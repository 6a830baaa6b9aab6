# SPDX-License-Identifier: Apache-2.0
"""The embedded control plane against every recording of the real one: same fields, events and order."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.fault_points import fault_points_for
from tests.emulator.controlplane.lab import running_lab
from tests.emulator.controlplane.virtualtime import run_virtually

from .accepted import ACCEPTED, judged
from .acts import Flow
from .configured import basic
from .facts import differences, facts_of
from .recordings import CASES, profile_of
from .stored import COMMON, DATA, stored_facts

IDS = [f"{version}-{name}" for version, name, _, _ in CASES]


@pytest.mark.parametrize(("version", "name", "flow", "options"), CASES, ids=IDS)
def test_same_as_recorded(version: str, name: str, flow: Flow, options: dict[str, Any]) -> None:
    recording = f"{version}-{name}"
    seen = run_virtually(played(profile_of(version, name), flow, **options))
    wrong = judged(recording, differences(seen, stored_facts(recording)))
    assert not wrong, "\n".join(wrong)


async def played(profile: str, flow: Flow, **options: Any) -> Any:
    """The facts of a flow on the embedded control plane."""
    async with running_lab(profile, nodes=3, **options) as lab:
        await flow(lab)
        return facts_of(lab.history)


def test_every_recording_is_played() -> None:
    assert sorted(IDS) == sorted(path.stem for path in DATA.glob("*.json") if path != COMMON)


def test_accepted_differences_are_of_recordings_and_spare_what_verdicts_read() -> None:
    read_by_verdicts = ("conditions", "phase", "printableStatus", "events/", "order/", "networks", "migrationState")
    for entry in ACCEPTED:
        assert entry.recording in IDS
        assert not [word for word in read_by_verdicts if word in entry.fact], entry


def test_a_defect_is_seen() -> None:
    seen = run_virtually(played("main", basic, fault_points=fault_points_for(["restart-required-blinks"])))
    found = differences(seen, stored_facts("main-b-basic"))
    assert {"objects/VirtualMachine vm1/status.conditions[RestartRequired]"} <= found.keys()
    assert {"order/vm1/edit and restart required"} <= found.keys()


def test_a_swapped_order_is_seen() -> None:
    recorded, seen = stored_facts("main-b-basic"), stored_facts("main-b-basic")
    chain = seen["order"]["vm1"]["migration"]
    chain[-1], chain[-2] = chain[-2], chain[-1]
    assert list(differences(seen, recorded)) == ["order/vm1/migration"]


def test_an_accepted_difference_that_is_gone_is_an_error() -> None:
    entry = ACCEPTED[0]
    assert judged(entry.recording, {entry.fact: "seen 1, recorded 2"}) == []
    assert judged(entry.recording, {}) == [f"{entry.fact}: accepted as different, and is the same"]
    assert judged("main-b-basic", {entry.fact: "seen 1, recorded 2"})
