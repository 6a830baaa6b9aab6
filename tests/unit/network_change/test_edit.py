# SPDX-License-Identifier: Apache-2.0
"""An edit of a VM's networks on a scripted API server: applied wholly, once, and to the NICs that are meant."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import VM
from livenad.changes import NicSettingsChange, before
from livenad.errors import LabError, TestError
from livenad.model import GuestLogin, Nic, VmRecord
from livenad.network_change.edit import put_networks
from livenad.network_change.nic_settings import put_edit
from livenad.nic_hotplug.hotplug import mark_absent, put_nic

from tests.unit.support.fake_api import FakeApi, Fault, Object

PATH = VM.path("demo")
LOGIN = GuestLogin("tester", "password", "private", "public")
NICS = (
    Nic("default", "02:00:00:00:00:01"),
    Nic("one", "02:00:00:00:00:02", "blue"),
    Nic("two", "02:00:00:00:00:03", "green"),
)
Edit = Callable[[Cluster, VmRecord], None]


def stored(api: FakeApi) -> dict[str, str]:
    networks = api.objects[PATH, "web"]["spec"]["template"]["spec"]["networks"]
    return {item["name"]: item["multus"]["networkName"] for item in networks if "multus" in item}


@pytest.fixture
def client(api: FakeApi, cluster: Cluster) -> Cluster:
    networks: list[Object] = [
        {"name": "default", "pod": {}},
        {"name": "one", "multus": {"networkName": "blue"}},
        {"name": "two", "multus": {"networkName": "green"}},
    ]
    interfaces: list[Object] = [{"name": item["name"], "bridge": {}} for item in networks]
    devices = {"devices": {"interfaces": interfaces}}
    spec = {"template": {"spec": {"networks": networks, "domain": devices}}}
    api.put(PATH, {"metadata": {"name": "web", "namespace": "demo"}, "spec": spec})
    return cluster


@pytest.fixture
def record() -> VmRecord:
    return VmRecord("web", "demo", LOGIN, list(NICS))


def test_one_edit_moves_every_named_nic_and_corrects_the_record(
    api: FakeApi, client: Cluster, record: VmRecord
) -> None:
    answer = put_networks(client, record, {"one": "green", "two": "blue"})
    assert stored(api) == {"one": "green", "two": "blue"}
    assert answer["metadata"]["resourceVersion"] == api.objects[PATH, "web"]["metadata"]["resourceVersion"]
    assert [nic.network for nic in record.nics] == [None, "green", "blue"]
    assert len(api.requests("PATCH")) == 1


def test_edit_touches_nothing_but_the_name_of_the_network(api: FakeApi, client: Cluster, record: VmRecord) -> None:
    put_networks(client, record, {"two": "red"})
    (seen,) = api.requests("PATCH")
    changed = [operation["path"] for operation in seen.body if operation["op"] != "test"]
    assert changed == ["/spec/template/spec/networks/2/multus/networkName"]
    tested = {operation["path"] for operation in seen.body if operation["op"] == "test"}
    assert f"{changed[0].removesuffix('/multus/networkName')}/name" in tested


def test_list_that_was_reordered_meanwhile_is_read_again(api: FakeApi, client: Cluster, record: VmRecord) -> None:
    """The first patch meets a list in another order; its tests refuse it."""
    item = api.objects[PATH, "web"]
    reordered = {"metadata": dict(item["metadata"]), "spec": {"template": {"spec": {"networks": []}}}}
    reordered["spec"]["template"]["spec"]["networks"] = item["spec"]["template"]["spec"]["networks"][::-1]

    def reorder() -> None:
        api.put(PATH, reordered)

    api.once["PATCH"] = reorder
    put_networks(client, record, {"two": "red"})
    assert stored(api) == {"one": "blue", "two": "red"}
    assert len(api.requests("PATCH")) == 2


def test_lost_answer_of_an_edit_that_was_made_is_no_second_edit(
    api: FakeApi, client: Cluster, record: VmRecord
) -> None:
    api.faults.append(Fault("PATCH", "web", after=True))
    put_networks(client, record, {"one": "red"})
    assert stored(api)["one"] == "red"
    assert len(api.requests("PATCH")) == 1


def hot_plug(client: Cluster, record: VmRecord) -> None:
    put_nic(client, record, Nic("three", "02:00:00:00:00:04", "red"))


def hot_unplug(client: Cluster, record: VmRecord) -> None:
    mark_absent(client, record, record.nic("one"))


def edit_network(client: Cluster, record: VmRecord) -> None:
    put_networks(client, record, {"one": "red"})


def edit_model(client: Cluster, record: VmRecord) -> None:
    before_it = before(History(), record, "nic settings", "the edit")
    put_edit(client, record, NicSettingsChange(**before_it, nic="one", model="e1000e"))


@pytest.mark.circumstance(
    "a write is answered 5xx and not carried out, or carried out and its answer lost",
    topic="control plane",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("edit", [hot_plug, hot_unplug, edit_network, edit_model])
@pytest.mark.parametrize(("status", "after"), [(503, False), (0, True), (504, True)])
def test_each_edit_is_carried_out_once(api: FakeApi, client: Cluster, edit: Edit, status: int, after: bool) -> None:
    """Answered 5xx and not carried out; carried out, and the answer lost or replaced."""
    known = copy.deepcopy(api.objects[PATH, "web"]["spec"])
    api.faults.append(Fault("PATCH", "web", status, after=after))
    edit(client, VmRecord("web", "demo", LOGIN, list(NICS)))
    assert len(api.requests("PATCH")) == (1 if after else 2)
    seen = api.objects[PATH, "web"]["spec"]
    assert seen != known
    api.put(PATH, {"metadata": {"name": "web", "namespace": "demo"}, "spec": known})
    edit(client, VmRecord("web", "demo", LOGIN, list(NICS)))
    assert api.objects[PATH, "web"]["spec"] == seen


def test_nic_that_is_not_removed_yet_is_no_sign_that_the_next_one_was_plugged(
    api: FakeApi, client: Cluster, record: VmRecord
) -> None:
    hot_unplug(client, record)
    api.faults.append(Fault("PATCH", "web", 503))
    put_nic(client, record, Nic("one", "02:00:00:00:00:05", "red"))
    assert len(api.requests("PATCH")) == 3


def test_vm_that_changes_each_time_is_given_up(api: FakeApi, client: Cluster, record: VmRecord) -> None:
    api.faults += [Fault("PATCH", "web", 409) for _ in range(9)]
    with pytest.raises(LabError, match="409"):
        put_networks(client, record, {"one": "red"})
    assert stored(api)["one"] == "blue"
    assert record.nic("one").network == "blue"


def test_refusal_that_is_no_race_is_not_tried_again(api: FakeApi, client: Cluster, record: VmRecord) -> None:
    api.faults.append(Fault("PATCH", "web", 403))
    with pytest.raises(ApiError, match="403"):
        put_networks(client, record, {"one": "red"})
    assert len(api.requests("PATCH")) == 1
    assert record.nic("one").network == "blue"


def test_nic_that_the_vm_does_not_have_is_named(client: Cluster, record: VmRecord) -> None:
    with pytest.raises(TestError, match='VM demo/web has no network "three" in its spec'):
        put_networks(client, record, {"three": "red"})
