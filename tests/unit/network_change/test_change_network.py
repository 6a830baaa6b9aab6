# SPDX-License-Identifier: Apache-2.0
"""The one edit of a VM's networks on a scripted API server: what the VM has to be before it, and what is recorded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import MIGRATION, POD, VM, VMI
from livenad.api.recorder import Recorder
from livenad.api.status import AUTOMATIC
from livenad.changes import ChangeLog, NetworkChange, VmState
from livenad.errors import LabError, ProductFault, TestError
from livenad.model import VmRecord
from livenad.network_change.change_network import change_networks
from livenad.virtual_machines.manifests import pod_interface_name

from tests.unit.support.fake_api import FakeApi, Object
from tests.unit.support.topology import nic, vm

NETWORKS: list[Object] = [
    {"name": "default", "pod": {}},
    {"name": "one", "multus": {"networkName": "blue"}},
    {"name": "two", "multus": {"networkName": "green"}},
]


class Suite:
    """VMs web and db in namespace demo, the recorder, and the log of their changes."""

    def __init__(self, api: FakeApi, client: Cluster) -> None:
        self.api = api
        self.client = client
        self.log = ChangeLog()
        self.recorder = Recorder(client, "demo")
        self.web = vm("web", nic("default", None, 1), nic("one", "blue", 2), nic("two", "green", 3))
        self.db = vm("db", nic("default", None, 4), nic("one", "blue", 5), nic("two", "green", 6))

    def change(
        self,
        *records: VmRecord,
        vm_state: VmState = "running",
        nad_missing: bool = False,
        networks: dict[str, str] | None = None,
    ) -> list[NetworkChange]:
        return change_networks(
            self.client,
            self.recorder,
            self.log,
            records or [self.web],
            networks or {"one": "red"},
            vm_state=vm_state,
            nad_missing=nad_missing,
        )

    def put_vm(self, name: str = "web", *conditions: str) -> None:
        spec = {"template": {"spec": {"networks": NETWORKS}}}
        metadata = {"name": name, "namespace": "demo"}
        self.api.put(VM.path("demo"), {"metadata": metadata, "spec": spec, "status": conditions_of(*conditions)})

    def put_vmi(self, name: str = "web", *conditions: str, phase: str = "Running") -> None:
        interfaces = [{"name": "one", "podInterfaceName": "pod-one"}]
        status = {"phase": phase, "nodeName": "n1", "interfaces": interfaces, **conditions_of(*conditions)}
        metadata = {"name": name, "namespace": "demo", "uid": f"uid-{name}"}
        self.api.put(VMI.path("demo"), {"metadata": metadata, "spec": {"networks": NETWORKS}, "status": status})

    def put_migration(self, phase: str, *, by_hand: bool = False) -> None:
        metadata: Object = {"name": "m1", "namespace": "demo"}
        metadata["annotations"] = {} if by_hand else {AUTOMATIC: ""}
        self.api.put(
            MIGRATION.path("demo"), {"metadata": metadata, "spec": {"vmiName": "web"}, "status": {"phase": phase}}
        )

    def edits(self) -> int:
        return len(self.api.requests("PATCH"))

    def networks_of(self, name: str) -> dict[str, str]:
        there = self.api.objects[VM.path("demo"), name]["spec"]["template"]["spec"]["networks"]
        return {one["name"]: one["multus"]["networkName"] for one in there if "multus" in one}


def conditions_of(*conditions: str) -> Object:
    return {"conditions": [{"type": name, "status": "True"} for name in conditions]}


@pytest.fixture
def suite(api: FakeApi, cluster: Cluster) -> Iterator[Suite]:
    """Both VMs are there and run."""
    made = Suite(api, cluster)
    for name in ("web", "db"):
        made.put_vm(name)
        made.put_vmi(name, "LiveMigratable")
    api.put(POD.path("demo"), {"metadata": {"name": "launcher", "namespace": "demo"}})
    made.recorder.start()
    yield made
    made.recorder.stop()


# -- a VM that runs -------------------------------------------------------------------------------------------------


def test_the_edit_of_a_running_vm_is_recorded(suite: Suite) -> None:
    (change,) = suite.change(nad_missing=True)
    assert suite.networks_of("web") == {"one": "red", "two": "green"}
    assert suite.networks_of("db") == {"one": "blue", "two": "green"}
    assert (change.old_network, change.new_network, change.node, change.vmi_uid) == ("blue", "red", "n1", "uid-web")
    assert (change.pod_interface, change.vm_state, change.nad_missing) == ("pod-one", "running", True)
    assert change.with_nics == ()
    assert suite.web.nic("one").network == "red"
    assert list(suite.log) == [change]


def test_several_nics_are_moved_by_one_edit(suite: Suite) -> None:
    one, two = suite.change(networks={"one": "green", "two": "blue"})
    assert suite.edits() == 1
    assert suite.networks_of("web") == {"one": "green", "two": "blue"}
    assert one.with_nics == two.with_nics == ("one", "two")
    assert two.pod_interface == pod_interface_name("two")
    assert suite.log.network_change("web", "two") is two


def test_several_vms_are_edited_each_by_one_edit(suite: Suite) -> None:
    changes = suite.change(suite.web, suite.db)
    assert [change.vm for change in changes] == ["web", "db"]
    assert suite.edits() == 2
    assert suite.log.network_change("db") is changes[1]


def test_what_a_watch_has_not_told_yet_is_read_before_the_edit(suite: Suite) -> None:
    suite.api.mute_watches = True
    suite.put_vmi("web", phase="Failed")
    with pytest.raises(TestError, match="VM demo/web is not running"):
        suite.change()


@pytest.mark.parametrize(
    ("networks", "said"),
    [
        ({"three": "red"}, r"VM demo/web has no NIC \"three\"; it has: \['default', 'one', 'two'\]"),
        ({"one": "red", "default": "red"}, 'NIC "default" of VM demo/web is on the pod network, which cannot be'),
    ],
)
def test_nic_that_cannot_be_moved_is_an_error_of_the_suite(suite: Suite, networks: dict[str, str], said: str) -> None:
    with pytest.raises(TestError, match=said):
        suite.change(networks=networks)
    assert suite.edits() == 0


def test_vm_that_does_not_run_is_told_with_the_remedy(suite: Suite) -> None:
    suite.put_vmi("web", phase="Scheduling")
    with pytest.raises(
        TestError, match=r"^TEST ERROR: VM demo/web is not running .*call `Start VMs` and `Wait Until VMs Are Ready`"
    ):
        suite.change()
    assert suite.edits() == 0
    assert list(suite.log) == []


def test_vm_that_asks_for_a_restart_already_proves_nothing(suite: Suite) -> None:
    suite.put_vm("web", "RestartRequired")
    with pytest.raises(LabError, match="VM demo/web already has RestartRequired before the edit"):
        suite.change()


def test_vm_that_is_being_migrated_already_is_not_at_rest(suite: Suite) -> None:
    suite.put_migration("Running", by_hand=True)
    with pytest.raises(
        LabError, match=r"VM demo/web is already being migrated: m1 \(requested by a user\) is Running; wait"
    ):
        suite.change()
    suite.put_migration("Failed", by_hand=True)
    assert suite.change()


def test_no_vm_is_edited_when_one_of_several_is_not_what_it_has_to_be(suite: Suite) -> None:
    suite.put_vmi("db", phase="Failed")
    with pytest.raises(TestError, match="VM demo/db is not running"):
        suite.change(suite.web, suite.db)
    assert suite.edits() == 0


# -- a VM that is stopped -------------------------------------------------------------------------------------------


def test_a_stopped_vm_is_edited_for_its_next_start(suite: Suite) -> None:
    suite.api.remove(VMI.path("demo"), "web")
    (change,) = suite.change(vm_state="stopped")
    assert suite.networks_of("web")["one"] == "red"
    assert (change.vm_state, change.vmi_uid, change.node) == ("stopped", "", "")
    assert change.pod_interface == pod_interface_name("one")


def test_a_vm_that_still_has_its_vmi_is_not_stopped(suite: Suite) -> None:
    with pytest.raises(TestError, match="VM demo/web is not stopped: VMI phase Running, node n1"):
        suite.change(vm_state="stopped")
    assert suite.edits() == 0


# -- an edit that follows another at once ---------------------------------------------------------------------------


def test_an_unchecked_edit_reads_nothing_but_the_vm(suite: Suite) -> None:
    suite.change()
    asked = len(suite.api.seen)
    (back,) = suite.change(networks={"one": "blue"}, vm_state="any")
    assert [(seen.verb, seen.path) for seen in suite.api.seen[asked:] if "watch" not in seen.query] == [
        ("GET", VM.path("demo", "web")),
        ("PATCH", VM.path("demo", "web")),
    ]
    assert (back.old_network, back.new_network) == ("red", "blue")
    assert back.previous is suite.log.of(NetworkChange, "web")[0]


@pytest.mark.parametrize(
    ("vm_state", "told"),
    [
        ("any", 'the network of VM "web" was not changed in this suite'),
        ("migrating", r"VM web was not changed yet \(network or evict\)"),
    ],
)
def test_an_edit_that_follows_needs_one_before_it(suite: Suite, vm_state: VmState, told: str) -> None:
    with pytest.raises(TestError, match=told):
        suite.change(vm_state=vm_state)
    assert suite.edits() == 0


def await_phase(suite: Suite, phase: str) -> None:
    """The recorder has seen the migration in this phase."""
    assert suite.recorder.wait_for(
        lambda history: any(item["status"]["phase"] == phase for item in history.all(MIGRATION)), 10, phase, str
    )


def test_a_second_edit_during_the_migration_of_the_first(suite: Suite) -> None:
    suite.change()
    suite.put_migration("Running")
    await_phase(suite, "Running")
    (second,) = suite.change(networks={"one": "green"}, vm_state="migrating")
    assert suite.networks_of("web")["one"] == "green"
    assert (second.old_network, second.vm_state) == ("red", "migrating")
    assert second.migrations == {suite.api.objects[MIGRATION.path("demo"), "m1"]["metadata"]["uid"]}


@pytest.mark.parametrize(("phase", "by_hand"), [("Pending", False), ("Succeeded", False), ("Running", True)])
def test_without_a_migration_under_way_the_second_edit_is_not_made(suite: Suite, phase: str, by_hand: bool) -> None:
    suite.change()
    suite.put_migration(phase, by_hand=by_hand)
    await_phase(suite, phase)
    fault = LabError if by_hand else ProductFault
    with pytest.raises(fault, match=r'to "red": expected a running migration; VMI phase Running'):
        suite.change(networks={"one": "green"}, vm_state="migrating")
    assert suite.edits() == 1


def test_a_migration_that_ended_before_the_second_edit_was_stored_proves_nothing(suite: Suite) -> None:
    suite.change()
    suite.put_migration("Running")
    await_phase(suite, "Running")
    suite.api.once["PATCH"] = lambda: suite.put_migration("Succeeded")
    with pytest.raises(LabError, match="migration m1 may have ended before the second edit was stored"):
        suite.change(networks={"one": "green"}, vm_state="migrating")
    assert suite.log.network_change("web").new_network == "green"


# -- a VM that is starting ------------------------------------------------------------------------------------------


def test_a_starting_vm_is_edited_as_it_is(suite: Suite) -> None:
    suite.put_vmi("web", phase="Scheduled")
    (change,) = suite.change(vm_state="starting")
    assert change.vm_state == "starting"
    assert suite.networks_of("web")["one"] == "red"


def test_a_vm_that_had_started_when_the_edit_was_stored_proves_nothing(suite: Suite) -> None:
    suite.put_vmi("web", phase="Scheduled")
    suite.api.once["PATCH"] = lambda: suite.put_vmi("web", "LiveMigratable")
    with pytest.raises(LabError, match="VM demo/web may have been LiveMigratable before the edit"):
        suite.change(vm_state="starting")
    assert suite.log.network_change("web").vm_state == "starting"


@pytest.mark.circumstance(
    "resourceVersions of different resource types are counted apart",
    topic="control plane",
    sees="",
    verdict="PASS",
    source="https://kubernetes.io/docs/reference/using-api/api-concepts/",
)
@pytest.mark.parametrize("ahead", [-1000, 1000])
def test_states_are_told_apart_without_their_resource_versions(suite: Suite, ahead: int) -> None:
    """VMIs and migrations may lie in another etcd than VMs: here theirs are far behind, or far ahead."""

    def by_another_count() -> None:
        if suite.edits():
            vmi = suite.api.objects[VMI.path("demo"), "web"]
            vmi["metadata"]["resourceVersion"] = str(int(vmi["metadata"]["resourceVersion"]) + ahead)
        else:
            suite.api.once["GET"] = by_another_count

    suite.put_vmi("web", phase="Scheduled")
    suite.api.once["GET"] = by_another_count
    assert suite.change(vm_state="starting")
