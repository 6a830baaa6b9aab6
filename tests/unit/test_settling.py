# SPDX-License-Identifier: Apache-2.0
"""When a change has run its course, by its kind and by what the cluster does by itself, on recordings."""

from __future__ import annotations

import pytest
from livenad.api.history import History
from livenad.changes import Change, ChangeLog, VmState
from livenad.settling import missing_to_settled

from tests.unit.support.histories import EDITED, hotplugs, nic_settings, replay, restarted
from tests.unit.support.topology import vm

RECORD = vm("vm1")


def missing(
    recording: str,
    until: float = 1e9,
    *,
    live_update: bool = True,
    migrates: bool = True,
    vm_state: VmState = "running",
) -> list[str]:
    """What the network change of a recording lacks at a moment of it."""
    history, change = replay(recording, until=until)
    change.vm_state = vm_state
    change.pod_interface = "pod6c270ef2f25"
    log = ChangeLog()
    log.add(change)
    return missing_to_settled(history, log, RECORD, change, live_update=live_update, migrates=migrates)


def test_where_the_cluster_migrates_the_change_has_to_be_complete() -> None:
    first, *_ = missing("swap-main", 9.0)
    assert first.startswith("no migration object was made, the VMI's spec has the new network")
    assert missing("swap-main") == []


def test_where_the_cluster_does_not_migrate_it_only_asks_for_a_migration() -> None:
    assert missing("swap-main", EDITED["swap-main"], migrates=False) != []
    assert missing("swap-main", 9.0, migrates=False) == []


def test_where_live_update_is_off_it_only_asks_for_a_restart() -> None:
    (said,) = missing("gate-off-1.8.4", EDITED["gate-off-1.8.4"], live_update=False)
    assert said.startswith("VMI phase Running, node ")
    assert missing("gate-off-1.8.4", live_update=False) == []
    assert missing("gate-off-1.8.4") != []


@pytest.mark.parametrize("vm_state", ["starting", "migrating"])
def test_an_awkward_edit_is_settled_when_it_is_in_effect(vm_state: VmState) -> None:
    assert missing("edit-of-starting-vm-main", 8.0, vm_state=vm_state) != []
    assert missing("edit-of-starting-vm-main", vm_state=vm_state) == []


def test_the_edit_of_a_stopped_vm_is_settled_at_once() -> None:
    assert missing("swap-main", EDITED["swap-main"], vm_state="stopped") == []


def test_hotplugs_are_settled_when_all_of_them_are() -> None:
    history, plug, _ = hotplugs(until=8.6)
    log = ChangeLog()
    log.add(plug)
    assert any("infoSource multus-status" in line for line in missing_of(log, plug, history))
    history, plug, _ = hotplugs(until=30.0)
    assert missing_of(log, plug, history) == []
    history, plug, unplug = hotplugs(until=38.0)
    log = ChangeLog()
    log.add(plug)
    log.add(unplug)
    assert missing_of(log, plug, history) == missing_of(log, unplug, history)
    assert any("status.interfaces still has it" in line for line in missing_of(log, plug, history))
    history, plug, unplug = hotplugs()
    log = ChangeLog()
    log.add(unplug)
    assert missing_of(log, unplug, history) == []


def test_an_edit_of_nic_settings_is_settled_at_once() -> None:
    history, change = replay("gate-off-1.8.4", until=EDITED["gate-off-1.8.4"])
    assert missing_of(ChangeLog(), nic_settings(change), history) == []


def test_a_restart_is_settled_when_the_vm_is_ready_after_it() -> None:
    history, change = replay("swap-main")
    assert missing_of(ChangeLog(), restarted(change), history) == ["the VMI is the same as before"]
    lacks = missing_of(ChangeLog(), restarted(change, vmi_uid="another"), history)
    assert "the VMI is the same as before" not in lacks


def missing_of(log: ChangeLog, change: Change, history: History) -> list[str]:
    return missing_to_settled(history, log, RECORD, change, live_update=True, migrates=True)
