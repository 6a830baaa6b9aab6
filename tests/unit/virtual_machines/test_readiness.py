# SPDX-License-Identifier: Apache-2.0
"""What a VM lacks to be ready for a test, and what is missing until an action on request is done."""

from __future__ import annotations

import pytest
from livenad.api.history import DELETED, MODIFIED, History
from livenad.api.kinds import MIGRATION, VMI, Object
from livenad.changes import Action, Change, before
from livenad.virtual_machines.readiness import missing_after, missing_to_ready

from tests.unit.support.topology import nic, vm

WEB = vm("web", nic("default", None, 1), nic("one", "blue", 2, "10.10.0.10/24", "fd00::10/64"))
READY = ("Ready", "AgentConnected", "LiveMigratable")


def vmi(version: int, *conditions: str, uid: str = "u1", phase: str = "Running", one: tuple[str, ...] = ()) -> Object:
    interfaces: list[Object] = [
        {"name": "default", "ipAddress": "10.244.0.1"},
        {"name": "one", "ipAddresses": list(one or ("10.10.0.10", "fd00::10"))},
    ]
    shown = [{"type": name, "status": "True"} for name in conditions]
    return {
        "metadata": {"name": "web", "uid": uid, "resourceVersion": str(version)},
        "status": {"phase": phase, "nodeName": "n1", "interfaces": interfaces, "conditions": shown},
    }


def history_of(*vmis: Object) -> History:
    history = History()
    for item in vmis:
        history.append(VMI, MODIFIED, item)
    return history


def migrated(history: History, phase: str, version: int) -> None:
    metadata = {"name": "m1", "uid": "m1", "resourceVersion": str(version)}
    history.append(MIGRATION, MODIFIED, {"metadata": metadata, "spec": {"vmiName": "web"}, "status": {"phase": phase}})


def acted(action: Action, history: History) -> Change:
    return Change(**before(history, WEB, action, f"its {action}"))


def test_ready_vm_lacks_nothing() -> None:
    assert missing_to_ready(history_of(vmi(1, *READY)), WEB) == []


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (vmi(1, phase="Scheduling"), "VMI phase Scheduling"),
        (vmi(1, "Ready", "LiveMigratable"), "AgentConnected absent"),
        (vmi(1, "Ready", "AgentConnected"), "LiveMigratable absent"),
        (vmi(1, *READY, one=("fd00::10",)), "NIC \"one\" has ['fd00::10'], expected 10.10.0.10 as well"),
    ],
)
def test_each_lack_is_told(item: Object, said: str) -> None:
    (lack,) = missing_to_ready(history_of(item), WEB)
    assert said in lack


def test_a_stop_is_done_when_the_vmi_is_gone() -> None:
    history = history_of(vmi(1, *READY))
    change = acted("stop", history)
    assert "VMI phase Running" in missing_after(history, WEB, change)[0]
    history.append(VMI, DELETED, vmi(2))
    assert missing_after(history, WEB, change) == []


@pytest.mark.parametrize("action", ["start", "restart"])
def test_a_start_is_done_when_another_vmi_is_ready(action: Action) -> None:
    history = history_of(vmi(1, *READY))
    change = acted(action, history)
    assert missing_after(history, WEB, change) == ["the VMI is the same as before"]
    history.append(VMI, DELETED, vmi(2))
    assert missing_after(history, WEB, change) == ["there is no VMI"]
    history.append(VMI, MODIFIED, vmi(3, "Ready", uid="u2"))
    assert missing_after(history, WEB, change) == ["AgentConnected absent", "LiveMigratable absent"]
    history.append(VMI, MODIFIED, vmi(4, *READY, uid="u2"))
    assert missing_after(history, WEB, change) == []


def test_the_start_of_a_stopped_vm_is_done_when_its_vmi_is_ready() -> None:
    history = History()
    change = acted("start", history)
    assert missing_after(history, WEB, change) == ["there is no VMI"]
    history.append(VMI, MODIFIED, vmi(1, *READY))
    assert missing_after(history, WEB, change) == []


@pytest.mark.parametrize("ended", ["Succeeded", "Failed"])
def test_a_migration_on_request_is_done_when_it_has_ended_and_the_vm_is_ready(ended: str) -> None:
    history = history_of(vmi(1, *READY))
    change = acted("migrate", history)
    assert missing_after(history, WEB, change) == ["no migration object was made"]
    history.expect_migration("web")
    migrated(history, "", 2)
    assert missing_after(history, WEB, change) == ["m1 is new"]
    migrated(history, "Running", 3)
    assert missing_after(history, WEB, change) == ["m1 is Running"]
    history.append(VMI, MODIFIED, vmi(4, "Ready", "LiveMigratable"))
    migrated(history, ended, 5)
    assert missing_after(history, WEB, change) == ["AgentConnected absent"]
    history.append(VMI, MODIFIED, vmi(6, *READY))
    assert missing_after(history, WEB, change) == []


def test_migrations_from_before_do_not_count() -> None:
    history = history_of(vmi(1, *READY))
    migrated(history, "Running", 2)
    change = acted("migrate", history)
    migrated(history, "Succeeded", 3)
    assert missing_after(history, WEB, change) == ["no migration object was made"]
