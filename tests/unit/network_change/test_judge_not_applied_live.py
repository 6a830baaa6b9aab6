# SPDX-License-Identifier: Apache-2.0
"""Verdicts on edits that must not reach the running VM, on recordings of a real control plane."""

from __future__ import annotations

from typing import Any

import pytest
from livenad.api.history import History
from livenad.changes import NicSettingsChange
from livenad.conditions.judge_conditions import MIGRATION
from livenad.errors import ProductFault
from livenad.network_change.judge_not_applied_live import judge_not_applied_live, judge_not_live

from tests.unit.support.histories import Alteration, insert, nic_settings, replay

GATE_OFF = "gate-off-1.8.4"


def gate_off(altered: Alteration | None = None) -> tuple[History, NicSettingsChange]:
    """A VM that was edited where nothing goes live."""
    history, change = replay(GATE_OFF, altered)
    return history, nic_settings(change, "nad-b")


def test_what_is_not_applied_leaves_the_vmi_as_it_is() -> None:
    assert "the VMI is unchanged" in judge_not_applied_live(*gate_off())


def test_a_swap_counts_as_applied_live() -> None:
    history, change = replay("swap-main")
    with pytest.raises(ProductFault, match="the VMI's spec had the NIC on nad-b"):
        judge_not_applied_live(history, nic_settings(change))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (lambda vmi: vmi["spec"]["domain"]["devices"]["interfaces"][1].update(sriov={}), "sriov was not set, is {}"),
        (
            lambda vmi: vmi["status"]["conditions"].append({"type": "MigrationRequired", "status": "False"}),
            "MigrationRequired=False",
        ),
        (lambda vmi: vmi["status"].update(nodeName="elsewhere"), "was on node elsewhere"),
    ],
)
def test_each_sign_of_a_live_change_is_a_fault(what: Any, said: str) -> None:
    changed = gate_off(lambda recorded: insert(recorded, 15, "VirtualMachineInstance", what))
    with pytest.raises(ProductFault, match=said):
        judge_not_applied_live(*changed)


def test_migration_that_is_asked_for_with_live_update_off_is_a_fault() -> None:
    def ask(vmi: Any) -> None:
        vmi["status"]["conditions"].append({"type": MIGRATION, "status": "True"})

    history, change = replay(GATE_OFF, lambda recorded: insert(recorded, 8.9, "VirtualMachineInstance", ask))
    with pytest.raises(
        ProductFault, match="expected no MigrationRequired, as the edit cannot be applied to the running VM here"
    ):
        judge_not_live(history, change)
