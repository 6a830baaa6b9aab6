# SPDX-License-Identifier: Apache-2.0
"""The record of what was done to a suite's VMs: what is found in it, and what is said when nothing is."""

from __future__ import annotations

from typing import Any

import pytest
from livenad.api.history import MODIFIED, History
from livenad.api.kinds import MIGRATION, VMI, Object
from livenad.changes import (
    Action,
    Change,
    ChangeLog,
    NetworkChange,
    NicHotplug,
    NicSettingsChange,
    VmState,
    before,
    edits_of,
    migrations_since,
    network_change,
)
from livenad.errors import TestError
from livenad.model import Nic, VmRecord

from tests.unit.support.topology import nic, vm

WEB = vm("web", nic("default", None, 1), nic("one", "blue", 2), nic("two", "green", 3))
DB = vm("db", nic("one", "blue", 4))


def acted(action: Action, record: VmRecord = WEB) -> Change:
    return Change(**before(History(), record, action, f"its {action}"))


def edited(*nics: str, record: VmRecord = WEB, vm_state: VmState = "running") -> list[NetworkChange]:
    """One edit that moves these NICs."""
    made = [network_change(History(), record, name, "red", vm_state=vm_state) for name in nics]
    for change in made:
        change.with_nics = nics if len(nics) > 1 else ()
    return made


def hotplugged(name: str, *, plugged: bool = True, record: VmRecord = WEB) -> NicHotplug:
    action: Action = "hot-plug" if plugged else "hot-unplug"
    common = before(History(), record, action, f"the {action}")
    return NicHotplug(**common, nic=Nic(name, "02:00:00:00:00:09", "blue"), plugged=plugged)


def log_of(*changes: Change | list[NetworkChange]) -> ChangeLog:
    """A log to which changes were added one after the other, those in a list together."""
    log = ChangeLog()
    for change in changes:
        log.add(*(change if isinstance(change, list) else [change]))
    return log


# -- what is recorded of one change ---------------------------------------------------------------------------------


def with_a_vm() -> History:
    """A history of VM web on n1, with NIC "one" on NAD blue, and of one migration of it."""
    history = History()
    history.append(VMI, MODIFIED, vmi("web"))
    history.append(MIGRATION, MODIFIED, migration("old", "1"))
    return history


def vmi(name: str) -> Object:
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "creationTimestamp": "yesterday"},
        "spec": {
            "networks": [{"name": "one", "multus": {"networkName": "blue"}}],
            "domain": {"firmware": {"uuid": "f-1"}},
        },
        "status": {
            "nodeName": "n1",
            "virtualMachineRevisionName": "r-1",
            "interfaces": [{"name": "one", "podInterfaceName": "pod1", "mac": "02:00:00:00:00:02"}],
        },
    }


def migration(name: str, version: str, of: str = "web") -> Object:
    return {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": version}, "spec": {"vmiName": of}}


def test_a_change_has_what_the_vm_was_just_before_it() -> None:
    history = with_a_vm()
    change = Change(**before(history, WEB, "restart", "its restart"))
    assert (change.action, change.what, change.vm, change.namespace) == ("restart", "its restart", "web", "demo")
    assert (change.index, change.vmi_uid, change.node) == (2, "uid-web", "n1")
    assert change.migrations == {"uid-old"}
    assert change.title == change.subject == "VM demo/web"


def test_a_network_change_has_the_nic_as_well() -> None:
    change = network_change(with_a_vm(), WEB, "one", "red", vm_state="any")
    assert (change.pod_interface, change.old_network, change.new_network) == ("pod1", "blue", "red")
    assert (change.created, change.firmware_uuid, change.revision) == ("yesterday", "f-1", "r-1")
    assert change.interface["mac"] == "02:00:00:00:00:02"
    assert change.vm_state == "any"
    assert change.title == 'VM demo/web, NIC "one" from "blue" to "red"'


def test_a_stopped_vm_has_nothing_to_be_recorded() -> None:
    change = network_change(History(), WEB, "one", "red", vm_state="stopped")
    assert (change.vmi_uid, change.node, change.old_network, change.pod_interface) == ("", "", "", "")
    assert change.interface == {}
    assert change.title == 'VM demo/web, NIC "one" from no network to "red"'


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"binding": "sriov"}, 'edited to binding "sriov"'),
        ({"model": "e1000e", "network": "red"}, 'edited to model "e1000e", networkName "red"'),
    ],
)
def test_an_edit_of_a_nic_is_told_by_the_fields_that_it_gives(fields: dict[str, Any], said: str) -> None:
    change = NicSettingsChange(**before(History(), WEB, "nic settings", "the edit"), nic="one", **fields)
    assert change.title == f'VM demo/web, NIC "one", {said}'


@pytest.mark.parametrize(("plugged", "said"), [(True, 'plugged into "blue"'), (False, "unplugged")])
def test_a_hotplug_is_told_by_its_direction(plugged: bool, said: str) -> None:
    assert hotplugged("three", plugged=plugged).title == f'VM demo/web, NIC "three", {said}'


def test_migrations_since_a_change_are_those_of_its_vm_that_were_not_there() -> None:
    history = with_a_vm()
    change = Change(**before(history, WEB, "restart", "its restart"))
    history.append(MIGRATION, MODIFIED, migration("old", "2"))
    history.append(MIGRATION, MODIFIED, migration("of-another", "3", of="db"))
    history.append(MIGRATION, MODIFIED, migration("new", "4"))
    history.append(MIGRATION, MODIFIED, {**migration("new", "5"), "status": {"phase": "Running"}})
    (found,) = migrations_since(history, change).values()
    assert found["metadata"]["name"] == "new"
    assert found["status"]["phase"] == "Running"


# -- the log --------------------------------------------------------------------------------------------------------


def test_changes_are_kept_in_order_for_each_vm() -> None:
    edit, stop, other = edited("one"), acted("stop"), acted("restart", DB)
    log = log_of(edit, other, stop)
    assert list(log) == [*edit, other, stop]
    assert log.of(Change, "web") == [*edit, stop]
    assert log.of(NetworkChange, "web") == edit
    assert log.of(NetworkChange, "db") == []


def test_the_last_change_is_the_last_of_the_actions_that_count() -> None:
    restart, stop = acted("restart"), acted("stop")
    log = log_of(restart, edited("one"), stop, acted("restart", DB))
    assert log.last("web") is stop
    assert log.last("web", "restart", "start") is restart


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        ((), "VM web was not changed yet; call a keyword that changes the VM first"),
        (("restart", "start"), r"VM web was not changed yet \(restart or start\); call a keyword"),
    ],
)
def test_a_vm_that_was_not_changed_is_an_error_of_the_suite(actions: tuple[Action, ...], said: str) -> None:
    log = log_of(acted("restart", DB))
    with pytest.raises(TestError, match=f"^TEST ERROR: {said}"):
        log.last("web", *actions)


# -- what verdicts on "never" count from ----------------------------------------------------------------------------


def test_never_counts_from_the_first_change_of_network_or_nics() -> None:
    first = edited("one")
    log = log_of(first, hotplugged("three"), edited("two"))
    assert log.first_since_start("web") is first[0]


@pytest.mark.parametrize("action", ["start", "restart"])
def test_never_counts_anew_from_the_first_change_after_a_start(action: Action) -> None:
    start, again = acted(action), edited("two")
    log = log_of(edited("one"), acted("stop"), start)
    assert log.first_since_start("web") is start
    log.add(*again)
    log.add(*edited("one"))
    assert log.first_since_start("web") is again[0]


def test_stops_and_migrations_on_request_do_not_begin_anything() -> None:
    first = edited("one")
    log = log_of(acted("migrate"), first, acted("migrate"), acted("stop"))
    assert log.first_since_start("web") is first[0]


def test_a_vm_that_was_only_migrated_counts_from_that() -> None:
    migrate = acted("migrate")
    assert log_of(migrate, acted("restart", DB)).first_since_start("web") is migrate


def test_never_counts_from_nothing_for_a_vm_that_was_not_changed() -> None:
    with pytest.raises(TestError, match="VM web was not changed yet"):
        log_of(edited("one", record=DB)).first_since_start("web")


# -- network changes of a VM ----------------------------------------------------------------------------------------


def test_the_last_network_change_is_found_by_its_nic_or_without() -> None:
    last = edited("one")
    log = log_of(edited("two"), last, acted("restart"))
    assert log.network_change("web") is log.network_change("web", "one") is last[0]
    with pytest.raises(TestError, match='NIC "two" of VM demo/web was not moved; the NIC that was moved is "one"'):
        log.network_change("web", "two")


def test_each_nic_of_one_edit_is_found_and_the_first_stands_for_all() -> None:
    one, two = edited("one", "two")
    log = log_of(edited("one"), [one, two])
    assert log.network_change("web") is log.network_change("web", "one") is one
    assert log.network_change("web", "two") is two
    with pytest.raises(TestError, match='NIC "three" of VM demo/web was not moved; the NIC that was moved is "one"'):
        log.network_change("web", "three")


def test_without_a_network_change_the_suite_is_told_what_comes_first() -> None:
    log = log_of(edited("one", record=DB), acted("restart"))
    with pytest.raises(
        TestError, match='the network of VM "web" was not changed in this suite; call `Change VM Network` first'
    ):
        log.network_change("web")


def test_edits_of_a_vm_form_a_chain() -> None:
    first, second, third = edited("one"), edited("two"), edited("one")
    log_of(first, edited("one", record=DB), second, acted("restart"), third)
    assert edits_of(third[0]) == [*first, *second, *third]
    assert edits_of(first[0]) == first


def test_edit_before_is_that_of_the_same_nic_where_it_had_it() -> None:
    first, together, last = edited("one"), edited("one", "two"), edited("two")
    log_of(first, together, last)
    assert [change.previous for change in together] == [first[0], first[0]]
    assert last[0].previous is together[1]
    assert edits_of(last[0]) == [first[0], together[1], last[0]]


def test_an_edit_of_the_stopped_vm_is_no_earlier_edit_of_the_running_one() -> None:
    stopped, running = edited("one", vm_state="stopped"), edited("one")
    log_of(stopped, acted("start"), running)
    assert running[0].previous is None


# -- NICs -----------------------------------------------------------------------------------------------------------


def test_hotplugs_of_a_vm_are_listed_oldest_first() -> None:
    plug, unplug = hotplugged("three"), hotplugged("one", plugged=False)
    log = log_of(plug, edited("two"), hotplugged("one", record=DB), unplug)
    assert log.hotplugs("web") == [plug, unplug]
    with pytest.raises(TestError, match="no NIC of VM other was plugged or unplugged; call `Hot Plug NIC` first"):
        log.hotplugs("other")


def test_a_hot_plug_of_a_nic_that_was_unplugged_again_is_not_listed() -> None:
    unplug = hotplugged("one", plugged=False)
    assert log_of(hotplugged("one"), unplug).hotplugs("web") == [unplug]


def test_the_last_change_of_a_nic_is_of_any_kind() -> None:
    plug, (moved,), unplug = hotplugged("three"), edited("three"), hotplugged("three", plugged=False)
    log = log_of(plug, edited("one"))
    assert log.of_nic("web", "three") is plug
    log.add(moved)
    assert log.of_nic("web", "three") is moved
    log.add(unplug)
    assert log.of_nic("web", "three") is unplug


def test_each_nic_of_one_edit_is_a_nic_that_was_changed() -> None:
    one, two = edited("one", "two")
    log = log_of([one, two])
    assert (log.of_nic("web", "one"), log.of_nic("web", "two")) == (one, two)


def test_a_nic_that_was_not_changed_is_told_with_those_that_were() -> None:
    log = log_of(edited("one", "two"), edited("two"), hotplugged("three"), hotplugged("four", record=DB))
    with pytest.raises(
        TestError, match='NIC "x" of VM web was not changed in this suite; changed were: "one", "two", "three"'
    ):
        log.of_nic("web", "x")
    with pytest.raises(TestError, match="changed were: none"):
        log_of(acted("restart")).of_nic("web", "one")
