# SPDX-License-Identifier: Apache-2.0
"""Keywords on RestartRequired and MigrationRequired, on what was recorded of real clusters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from livenad.changes import NicSettingsChange, before
from livenad.errors import LabError, ProductFault, TestError
from livenad.model import VmRecord

from tests.unit.libraries.conftest import Call, open_suite

RESTART, MIGRATION = "RestartRequired", "MigrationRequired"
SOON = timedelta(seconds=0.2)
Replayed = Callable[[str], Call]


def test_after_a_complete_change_nothing_is_asked_for(replayed: Replayed) -> None:
    call = replayed("swap-main")
    call("Condition Should Never Have Been Set", "vm1", RESTART)
    call("Condition Should Have Been Cleared", "vm1", RESTART, MIGRATION)
    with pytest.raises(ProductFault, match=f"expected no {MIGRATION} since the edit; the VirtualMachine had it"):
        call("Condition Should Never Have Been Set", "vm1", RESTART, MIGRATION)
    with pytest.raises(ProductFault, match=f"expected {RESTART} on the VM"):
        call("Condition Should Be Set", "vm1", RESTART, within=SOON)
    with pytest.raises(ProductFault, match=f"expected {MIGRATION} on the VMI"):
        call("Condition Should Be Set", "vm1", MIGRATION, within=SOON)
    with pytest.raises(ProductFault, match=f"{MIGRATION} of the VirtualMachineInstance was set .* and cleared"):
        call("Condition Should Be Set", "vm1", RESTART, MIGRATION, within=SOON)


def test_where_live_update_is_off_a_restart_is_asked_for(replayed: Replayed) -> None:
    call = replayed("gate-off-1.8.4")
    call("Condition Should Be Set", "vm1", RESTART, within=SOON)
    call("Condition Should Be Set", "vm1", RESTART, MIGRATION, within=SOON)
    call("Condition Should Never Have Been Set", "vm1", MIGRATION)
    with pytest.raises(LabError, match=f"{MIGRATION} was not seen since the edit"):
        call("Condition Should Have Been Cleared", "vm1", MIGRATION)
    with pytest.raises(ProductFault, match=f"expected {RESTART} never to be set when only networkName changes"):
        call("Condition Should Never Have Been Set", "vm1", RESTART)
    with pytest.raises(ProductFault, match=f"expected no required action any more; .* {RESTART}=True"):
        call("Condition Should Have Been Cleared", "vm1", RESTART, MIGRATION)


def test_edit_of_a_starting_vm_may_ask_for_a_restart_until_the_vm_can_migrate(replayed: Replayed) -> None:
    call = replayed("edit-of-starting-vm-main")
    open_suite().changes.network_change("vm1").vm_state = "starting"
    call("Condition Should Have Been Cleared", "vm1", RESTART)


@pytest.mark.parametrize(
    "keyword", ["Condition Should Be Set", "Condition Should Never Have Been Set", "Condition Should Have Been Cleared"]
)
def test_no_condition_is_no_verdict(replayed: Replayed, keyword: str) -> None:
    named = {"within": SOON} if keyword == "Condition Should Be Set" else {}
    with pytest.raises(TestError, match="no condition is named; expected RestartRequired, MigrationRequired or both"):
        replayed("swap-main")(keyword, "vm1", **named)


def test_edit_of_settings_is_judged_on_restarts_alone(replayed: Replayed) -> None:
    call = replayed("gate-off-1.8.4")
    suite = open_suite()
    record: VmRecord = suite.vms["vm1"]
    fields = before(suite.recorder.history, record, "nic settings", 'the edit of NIC "net1"')
    suite.changes.add(NicSettingsChange(**fields, nic="net1", model="e1000e"))
    with pytest.raises(ProductFault, match=RESTART):
        call("Condition Should Be Set", "vm1", RESTART, within=SOON)
    for conditions in ([MIGRATION], [RESTART, MIGRATION]):
        with pytest.raises(TestError, match="expected RestartRequired alone"):
            call("Condition Should Be Set", "vm1", *conditions, within=SOON)


def test_vm_that_was_not_changed_cannot_be_judged(started: Call) -> None:
    with pytest.raises(TestError, match=r"VM web was not changed yet \(network or nic settings\)"):
        started("Condition Should Be Set", "web", RESTART, within=SOON)
    with pytest.raises(LabError, match="VM nad-swap-r1-1/web was not seen running, so nothing is proven"):
        started("Condition Should Never Have Been Set", "web", RESTART)
    with pytest.raises(TestError, match='the network of VM "web" was not changed in this suite'):
        started("Condition Should Have Been Cleared", "web", RESTART)


def test_control_must_have_been_changed(replayed: Replayed) -> None:
    with pytest.raises(TestError, match='VM "other" is not defined in this suite; defined: vm1'):
        replayed("gate-off-1.8.4")("Condition Should Be Set", "vm1", RESTART, MIGRATION, within=SOON, control="other")
