"""The embedded control plane against every recording of the real one: same fields, events and order."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.decisions import decisions_for
from tests.emulator.controlplane.lab import FAST, SLOW, running_lab

from .accepted import ACCEPTED, judged
from .acts import Flow
from .configured import basic
from .facts import differences, facts_of
from .recordings import CASES, profile_of
from .stored import COMMON, DATA, stored_facts

# For flows of many VMs on a machine that is busy with other things.
SLOWEST = SLOW / 2
IDS = [f"{version}-{name}" for version, name, _, _ in CASES]


@pytest.mark.parametrize(("version", "name", "flow", "options"), CASES, ids=IDS)
async def test_same_as_recorded(version: str, name: str, flow: Flow, options: dict[str, Any]) -> None:
    """A flow that differs is played again slowly: what differs then is not for want of processor time."""
    wrong: list[str] = []
    for speed in (FAST, SLOW, SLOWEST):
        wrong = await compare(version, name, flow, speed, options)
        if not wrong:
            break
    assert not wrong, "\n".join(wrong)


async def compare(version: str, name: str, flow: Flow, speed: float, options: dict[str, Any]) -> list[str]:
    """What differs and may not; a flow that does not get to its end at this speed differs as well."""
    recording = f"{version}-{name}"
    try:
        async with running_lab(profile_of(version, name), speed=speed, nodes=3, **options) as lab:
            await flow(lab)
            seen = facts_of(lab.history)
    except AssertionError as error:
        return [f"the flow did not get to its end: {error}"]
    return judged(recording, differences(seen, stored_facts(recording)))


def test_every_recording_is_played() -> None:
    assert sorted(IDS) == sorted(path.stem for path in DATA.glob("*.json") if path != COMMON)


def test_accepted_differences_are_of_recordings_and_spare_what_verdicts_read() -> None:
    read_by_verdicts = ("conditions", "phase", "printableStatus", "events/", "order/", "networks", "migrationState")
    for entry in ACCEPTED:
        assert entry.recording in IDS
        assert not [word for word in read_by_verdicts if word in entry.fact], entry


async def test_a_defect_is_seen() -> None:
    async with running_lab("main", decisions=decisions_for(["restart-required-blinks"]), nodes=3) as lab:
        await basic(lab)
        seen = facts_of(lab.history)
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
