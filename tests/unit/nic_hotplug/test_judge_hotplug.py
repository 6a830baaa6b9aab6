# SPDX-License-Identifier: Apache-2.0
"""Verdicts on hot-plug and hot-unplug, on a recording of a real control plane."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from livenad.api.kinds import VMI
from livenad.errors import ProductFault
from livenad.nic_hotplug.hotplug_facts import facts_of, is_settled
from livenad.nic_hotplug.judge_hotplug import judge_nic_change

from tests.unit.support.histories import PLUGGED_MAC, hotplugs, insert

AFTER_PLUG = 30.0


def test_a_plugged_nic_is_in_spec_status_and_pod() -> None:
    history, plug, _ = hotplugs(until=AFTER_PLUG)
    assert is_settled(history, plug)
    assert "done 1." in judge_nic_change(history, plug, 10)
    assert "in place" in judge_nic_change(history, plug, 10)


def test_a_plug_that_came_too_late_is_a_fault() -> None:
    history, plug, _ = hotplugs(until=AFTER_PLUG)
    with pytest.raises(ProductFault, match=r'NIC "net2", plugged into "nad-c": .* was only after 1\.'):
        judge_nic_change(history, plug, 1)


@pytest.mark.parametrize(
    ("until", "missing"),
    [
        (7.11, "the VMI's spec does not have it"),
        (7.3, "status.interfaces does not have it"),
        (8.6, "infoSource multus-status"),
    ],
)
def test_each_fact_of_a_plug_is_missed(until: float, missing: str) -> None:
    history, plug, _ = hotplugs(until=until)
    with pytest.raises(ProductFault, match=missing):
        judge_nic_change(history, plug, 10)


def test_a_plugged_nic_has_its_own_mac_and_network() -> None:
    history, plug, _ = hotplugs(until=AFTER_PLUG)
    other = replace(plug, nic=replace(plug.nic, mac="02:00:00:00:00:99"))
    with pytest.raises(ProductFault, match=f"with MAC {PLUGGED_MAC}"):
        judge_nic_change(history, other, 10)
    other = replace(plug, nic=replace(plug.nic, network="nad-x"))
    with pytest.raises(ProductFault, match=r"(?s)has it on \"nad-c\".*/nad-c"):
        judge_nic_change(history, other, 10)


def test_a_migration_that_is_asked_for_keeps_a_plug_from_being_done() -> None:
    def ask(vmi: Any) -> None:
        vmi["status"]["conditions"].append({"type": "MigrationRequired", "status": "False"})

    history, plug, _ = hotplugs(lambda recorded: insert(recorded, 20, VMI.name, ask), until=AFTER_PLUG)
    with pytest.raises(ProductFault, match="no migration is required or in progress: MigrationRequired=False"):
        judge_nic_change(history, plug, 60)


def test_an_unplugged_nic_is_nowhere() -> None:
    history, _, unplug = hotplugs()
    assert "unplugged: done" in judge_nic_change(history, unplug, 10)


@pytest.mark.parametrize(
    ("until", "missing"),
    [(37.5, "status.interfaces still has it, infoSource domain"), (38.0, "still has it, infoSource multus-status")],
)
def test_an_unplug_is_not_done_before_the_nic_is_gone(until: float, missing: str) -> None:
    history, _, unplug = hotplugs(until=until)
    with pytest.raises(ProductFault, match=missing):
        judge_nic_change(history, unplug, 10)
    assert len([fact for fact in facts_of(history, unplug) if not fact.holds]) > 1
