# SPDX-License-Identifier: Apache-2.0
"""A namespace that several suites and runs share: what names are, and whose an object is."""

from __future__ import annotations

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import EVENT, MIGRATION, NAD, POD, VM, VMI, Kind
from livenad.api.recorder import Recorder
from livenad.ownership.labels import RUN_LABEL, VM_LABEL
from livenad.ownership.naming import Naming, SuiteNamespace
from livenad.ownership.removal import await_no_guests, scope_of, scopes_with_guests

from tests.unit.support.fake_api import FakeApi, Object

HOME = "team-a"
NAMING = Naming("-abc123-1")


def item(name: str, run: str = "", vm: str = "", **rest: object) -> Object:
    labels = ({RUN_LABEL: run} if run else {}) | ({VM_LABEL: vm} if vm else {})
    return {"metadata": {"name": name, "namespace": HOME, "labels": labels}, **rest}


def test_a_namespace_of_its_own_leaves_names_as_they_are() -> None:
    assert Naming().real("vm") == "vm"
    assert Naming().owns(VM, item("anything"))


def test_in_a_shared_one_names_get_an_end_once() -> None:
    assert NAMING.real("vm") == NAMING.real(NAMING.real("vm")) == "vm-abc123-1"
    assert NAMING.real("") == ""


def test_a_suite_is_told_from_every_other_by_its_namespace_and_the_end_of_its_names() -> None:
    assert SuiteNamespace("demo").scope == "demo"
    assert SuiteNamespace(HOME, NAMING).scope == "team-a-abc123-1"


@pytest.mark.parametrize(
    ("kind", "ours", "foreign"),
    [
        (VM, item("vm-abc123-1"), item("vm")),
        (VMI, item("vm-abc123-1"), item("vm-abc123-11")),
        (NAD, item("old-network-abc123-1"), item("old-network-abc123-2")),
        (POD, item("virt-launcher-x", vm="vm-abc123-1"), item("virt-launcher-vm-abc123-1-x")),
        (MIGRATION, item("m", spec={"vmiName": "vm-abc123-1"}), item("m-abc123-1", spec={"vmiName": "vm"})),
        (
            EVENT,
            item("e", involvedObject={"name": "virt-launcher-vm-abc123-1-x7k2p"}),
            item("e", involvedObject={"name": "virt-launcher-vm-abc123-12-x7k2p"}),
        ),
    ],
)
def test_what_is_a_suites_is_told_from_what_is_like_it(kind: Kind, ours: Object, foreign: Object) -> None:
    assert NAMING.owns(kind, ours)
    assert not NAMING.owns(kind, foreign)


def test_recorder_of_a_shared_namespace_sees_its_own_alone(api: FakeApi, cluster: Cluster) -> None:
    api.put(VM.path(HOME), item("vm-abc123-1"))
    api.put(VM.path(HOME), item("foreign"))
    recorder = Recorder(cluster, HOME, kinds=(VM,), naming=NAMING)
    recorder.start()
    try:
        api.put(VM.path(HOME), item("vm-abc123-2"))
        api.put(VM.path(HOME), item("late-abc123-1"))
        assert recorder.wait_for(lambda seen: seen.current(VM, "late-abc123-1"), 10, "the VM", lambda: "nothing")
        recorder.catch_up()
        assert {record.name for record in recorder.history.records(VM)} == {"vm-abc123-1", "late-abc123-1"}
    finally:
        recorder.stop()


def test_guests_tell_which_suites_stay(api: FakeApi, cluster: Cluster) -> None:
    api.put(VMI.path(HOME), item("vm-abc123-1", "abc123"))
    api.put(POD.path(HOME), item("virt-launcher-x", "abc123", "peer-abc123-2"))
    api.put(POD.path(HOME), item("virt-launcher-y", "other1", "peer-other1-3"))
    assert scopes_with_guests(cluster, HOME, "abc123") == {"team-a-abc123-1", "team-a-abc123-2"}
    assert scope_of(HOME, "abc123", item("vm-abc123-12")) == "team-a-abc123-12"
    left = await_no_guests(cluster, HOME, "abc123", 0.1, but="team-a-abc123-1")
    assert left == ["Pod team-a/virt-launcher-x is still there"]
    assert await_no_guests(cluster, HOME, "nobody", 5) == []


# -- what the server selects ----------------------------------------------------------------------------------------


def selecting() -> Naming:
    naming = Naming("-abc123-1", "abc123")
    naming.expect("vm-abc123-1")
    naming.expect("peer-abc123-1")
    return naming


def test_each_kind_that_has_a_label_of_the_run_is_selected_by_it() -> None:
    naming = selecting()
    assert {kind: naming.selector(kind) for kind in (VM, VMI, POD, NAD)} == dict.fromkeys(
        (VM, VMI, POD, NAD), "kubevirt-nad-tests/run=abc123"
    )
    assert naming.selector(EVENT) == ""


def test_migrations_are_selected_by_the_names_of_their_vms() -> None:
    assert selecting().selector(MIGRATION) == "kubevirt.io/vmi-name in (vm-abc123-1,peer-abc123-1)"
    assert Naming("-abc123-1", "abc123").selector(MIGRATION) == "kubevirt.io/vmi-name in (abc123-1)"


def test_nothing_is_selected_where_no_label_tells_what_is_the_suites() -> None:
    adopting, many = selecting(), selecting()
    adopting.adopt("web")
    for number in range(500):
        many.expect(f"many-{number}-abc123-1")
    assert [naming.selector(MIGRATION) for naming in (adopting, many, Naming())] == ["", "", ""]
    assert adopting.selector(VM) == Naming().selector(VM) == ""


def migration(name: str, vm: str) -> Object:
    return {
        "metadata": {"name": name, "namespace": HOME, "labels": {"kubevirt.io/vmi-name": vm}},
        "spec": {"vmiName": vm},
    }


def test_the_recorder_asks_for_its_own_objects_alone(api: FakeApi, cluster: Cluster) -> None:
    naming = Naming("-abc123-1", "abc123")
    recorder = Recorder(cluster, HOME, kinds=(VM, MIGRATION), naming=naming)
    recorder.start()
    try:
        naming.expect("vm-abc123-1")
        recorder.select_again()
        api.put(VM.path(HOME), item("vm-abc123-1", "abc123"))
        api.put(MIGRATION.path(HOME), migration("foreign", "other"))
        api.put(MIGRATION.path(HOME), migration("ours", "vm-abc123-1"))
        assert recorder.wait_for(lambda seen: seen.current(MIGRATION, "ours"), 10, "the migration", lambda: "nothing")
        assert recorder.wait_for(lambda seen: seen.current(VM, "vm-abc123-1"), 10, "the VM", lambda: "nothing")
        assert {record.name for record in recorder.history.records(MIGRATION)} == {"ours"}
        asked = [seen.query.get("labelSelector") for seen in api.requests("GET", VM.path(HOME))]
        assert set(asked) == {"kubevirt-nad-tests/run=abc123"}
    finally:
        recorder.stop()


def test_with_an_existing_vm_the_recorder_asks_for_all_and_keeps_its_own(api: FakeApi, cluster: Cluster) -> None:
    naming = selecting()
    api.put(VM.path(HOME), item("web"))
    api.put(VM.path(HOME), item("foreign"))
    recorder = Recorder(cluster, HOME, kinds=(VM,), naming=naming)
    recorder.start()
    try:
        assert recorder.history.current(VM, "web") is None
        naming.adopt("web")
        recorder.select_again()
        assert recorder.wait_for(lambda seen: seen.current(VM, "web"), 10, "the VM", lambda: "nothing")
        api.put(VM.path(HOME), item("web", vm="changed"))
        changed = recorder.wait_for(lambda seen: seen.records(VM, "web")[1:], 10, "its change", lambda: "nothing")
        assert changed
        assert {record.name for record in recorder.history.records(VM)} == {"web"}
    finally:
        recorder.stop()
