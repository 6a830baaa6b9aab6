"""The embedded control plane against recordings of the real one: same conditions, phases, networks and events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.decisions import Decisions, Defect

from . import flows, plug_flows
from .facts import differences, facts_of
from .lab import FAST, SLOW, running_lab

DATA = Path(__file__).parent / "data"
LOSES_THE_RACE = Decisions(
    [Defect("wedged", "the race is lost", (), "vmi.waits_for_hand_over", lambda value, **context: False)]
)
STUCK: dict[str, Any] = {"migratable": flows.NOT_MIGRATABLE}

FLOWS: list[tuple[str, str, flows.Flow, dict[str, Any]]] = [
    ("main-b-basic", "main", flows.basic, {}),
    ("1.9.0-b-basic", "1.9", flows.basic, {}),
    ("1.8.4-b-basic", "1.8-gate", flows.basic, {}),
    ("1.8.4-b0-default-gates", "1.8", flows.default_gates, {}),
    ("main-c2-stage", "main", flows.stage, {}),
    ("main-c3-no-methods", "main", flows.no_methods, {}),
    ("main-c4-evict", "main", flows.evict, {}),
    ("main-d1-nonmigratable", "main", flows.not_migratable, STUCK),
    ("1.9.0-d1-nonmigratable", "1.9", flows.not_migratable, STUCK),
    ("1.8.4-d1-nonmigratable", "1.8-gate", flows.not_migratable, STUCK),
    ("main-d3-becomes-migratable", "main", flows.before_migratable, {}),
    ("1.9.0-d3-becomes-migratable", "1.9", flows.before_migratable, {}),
    ("main-e-two-nets", "main", flows.two_networks, {}),
    ("main-f1-hotplug", "main", plug_flows.hotplug, {}),
    ("main-f2-hotunplug", "main", plug_flows.hot_unplug, {}),
    ("main-f3-hotplug-and-nad", "main", plug_flows.hotplug_and_nad, {}),
    ("main-f4-unplug-and-nad", "main", plug_flows.unplug_and_nad, {}),
    ("main-f5-unplug-same-nad", "main", plug_flows.unplug_same_nad, {}),
    ("main-f6-remove-from-spec", "main", plug_flows.removed_from_spec, {}),
    ("main-f7-hotplug-dynnet", "main", plug_flows.in_place, {"dynamic_networks": True}),
    ("main-g2-nad-and-model", "main", plug_flows.nad_and_model, {}),
    ("main-g3-nad-and-binding", "main", plug_flows.nad_and_binding, {}),
    ("main-g7-nad-and-default", "main", plug_flows.renamed, {}),
    ("main-g1-nad-and-cores", "main", flows.with_cores, {}),
    ("main-h1-missing-nad", "main", flows.missing_nad_made_later, {}),
    ("main-h2-missing-then-revert", "main", flows.missing_nad_reverted, {}),
    ("1.8.4-h2-missing-then-revert", "1.8-gate", flows.missing_nad_reverted, {}),
    ("main-i3-third-running", "main", flows.third_while_running, {"decisions": LOSES_THE_RACE}),
    ("main-i4-third-quick", "main", flows.third_before_migration, {}),
    ("main-j1-stopped", "main", flows.stopped, {}),
    ("main-j3-same-nad-qualified", "main", flows.same_nad_qualified, {}),
    ("main-l1-migration-fails", "main", flows.migration_fails, {}),
    ("main-l2-vmim-deleted", "main", flows.migration_deleted, {}),
    ("main-x-change-before-running", "main", flows.before_running, {}),
]


@pytest.mark.parametrize(("recording", "profile", "flow", "options"), FLOWS, ids=[flow[0] for flow in FLOWS])
async def test_same_as_recorded(recording: str, profile: str, flow: flows.Flow, options: dict[str, Any]) -> None:
    """A flow that differs is played again slowly: what differs then is not for want of processor time."""
    expected = json.loads((DATA / f"{recording}.json").read_text())
    found = await play(profile, flow, FAST, options)
    if differences(found, expected):
        found = await play(profile, flow, SLOW, options)
    assert not differences(found, expected)


async def play(profile: str, flow: flows.Flow, speed: float, options: dict[str, Any]) -> dict[str, Any]:
    async with running_lab(profile, speed=speed, **options) as lab:
        await flow(lab)
        return facts_of(lab.history)
