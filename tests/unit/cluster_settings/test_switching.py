# SPDX-License-Identifier: Apache-2.0
"""Settings of the cluster: changed with a note of what was, taken back exactly, by a later run if need be."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import KUBEVIRT, LEASE, NAMESPACE, dig
from livenad.cluster.capabilities import Capabilities
from livenad.cluster.environment import Lab
from livenad.cluster.facts import HYPERCONVERGED_NAME, kubevirt_facts, read_facts, read_kubevirt, read_version
from livenad.cluster.settings_owner import hyperconverged, owner_of, right_to_switch
from livenad.cluster_settings.fields import JSON_PATCH, Setting, change, check_value, undo
from livenad.cluster_settings.switching import NOTE, ClusterSettings, as_before
from livenad.errors import CapabilityMissing, LabError, TestError
from livenad.ownership.labels import RUN_LABEL
from livenad.ownership.leases import LEASE_NAME
from livenad.settings import Settings

from tests.unit.support.fake_api import FakeApi, Object
from tests.unit.support.healthy_cluster import kubevirt

KUBEVIRTS = KUBEVIRT.path("kubevirt")
HCOS = hyperconverged().path("openshift-cnv")
SITE_PATCH = '[{"op": "add", "path": "/spec/configuration/developerConfiguration/logVerbosity", "value": {}}]'


@pytest.fixture
def plain(healthy: FakeApi) -> FakeApi:
    """KubeVirt 1.8 with the gate on and no HyperConverged."""
    put_kubevirt(healthy, "kubevirt", "kubevirt")
    return healthy


@pytest.fixture
def hco(healthy: FakeApi) -> Iterator[FakeApi]:
    """The same below a HyperConverged, which carries its own into KubeVirt's resource as long as the test lasts."""
    healthy.remove(KUBEVIRT.path(), "kubevirt")
    put_kubevirt(healthy, f"kubevirt-{HYPERCONVERGED_NAME}", "openshift-cnv")
    spec = {"workloadUpdateStrategy": {"workloadUpdateMethods": ["LiveMigrate"]}}
    annotations = {JSON_PATCH: SITE_PATCH}
    metadata = {"name": HYPERCONVERGED_NAME, "namespace": "openshift-cnv", "annotations": annotations}
    healthy.put(HCOS, {"metadata": metadata, "spec": spec})
    done = threading.Event()
    thread = threading.Thread(target=carry, args=(healthy, done), daemon=True)
    thread.start()
    yield healthy
    done.set()
    thread.join()


def put_kubevirt(api: FakeApi, name: str, namespace: str) -> None:
    """Where it is listed, in all namespaces and in its own, and where it is got."""
    item = kubevirt("v1.8.4", gates=("Sidecar", "LiveUpdateNADRef"))
    item["metadata"] |= {"name": name, "namespace": namespace}
    item["spec"]["configuration"]["vmRolloutStrategy"] = "LiveUpdate"
    api.put(KUBEVIRT.path(namespace), item)
    api.aliases[KUBEVIRT.path()] = KUBEVIRT.path(namespace)


def carry(api: FakeApi, done: threading.Event) -> None:
    """What the operator of the HyperConverged does: its field and its annotation end in KubeVirt's resource."""
    seen = ""
    name, path = f"kubevirt-{HYPERCONVERGED_NAME}", KUBEVIRT.path("openshift-cnv")
    with api.condition:
        original = json.loads(json.dumps(api.objects[path, name]))
        while not done.is_set():
            owner = api.objects[HCOS, HYPERCONVERGED_NAME]
            version = owner["metadata"]["resourceVersion"]
            if version != seen:
                seen = version
                item = json.loads(json.dumps(original))
                item["spec"]["workloadUpdateStrategy"] = owner["spec"]["workloadUpdateStrategy"]
                for operation in json.loads(owner["metadata"]["annotations"].get(JSON_PATCH, "[]")):
                    *steps, last = operation["path"].strip("/").split("/")
                    target = item
                    for step in steps:
                        target = target[step]
                    target[last] = operation["value"]
                api.put(path, item)
            api.condition.wait(0.05)


def spec_of(api: FakeApi) -> Object:
    found: Object = api.objects[KUBEVIRTS, "kubevirt"]["spec"]
    return found


def annotations_of(api: FakeApi) -> dict[str, str]:
    found: dict[str, str] = api.objects[HCOS, HYPERCONVERGED_NAME]["metadata"]["annotations"]
    return found


CHANGES = [
    (Setting.LiveUpdateNADRef, "off", "on"),
    (Setting.workloadUpdateMethods, "none", "LiveMigrate"),
    (Setting.vmRolloutStrategy, "Stage", "LiveUpdate"),
]


@pytest.mark.parametrize(("setting", "value", "was"), CHANGES)
def test_switch_and_restore_leave_the_resource_as_it_was(
    plain: FakeApi, cluster: Cluster, setting: Setting, value: str, was: str
) -> None:
    before = json.dumps(spec_of(plain), sort_keys=True)
    board = ClusterSettings(cluster, "r1")
    assert board.switch(setting, value, "ns") == was
    assert board.value(setting) == value
    assert board.restore() == []
    assert json.dumps(spec_of(plain), sort_keys=True) == before
    assert NOTE not in plain.objects[KUBEVIRTS, "kubevirt"]["metadata"]["annotations"]


@pytest.mark.parametrize(("setting", "value", "was"), CHANGES)
def test_hyperconverged_is_switched_in_its_own_way(
    hco: FakeApi, cluster: Cluster, setting: Setting, value: str, was: str
) -> None:
    before = json.dumps(hco.objects[HCOS, HYPERCONVERGED_NAME]["spec"], sort_keys=True)
    board = ClusterSettings(cluster, "r1")
    assert board.switch(setting, value, "ns") == was
    assert board.value(setting) == value
    assert json.loads(SITE_PATCH)[0] in json.loads(annotations_of(hco)[JSON_PATCH])
    assert not hco.requests("PATCH", "/kubevirts/")
    assert board.restore() == []
    assert board.value(setting) == was
    assert annotations_of(hco) == {JSON_PATCH: SITE_PATCH}
    assert json.dumps(hco.objects[HCOS, HYPERCONVERGED_NAME]["spec"], sort_keys=True) == before


def test_value_and_former_value_travel_in_one_patch(plain: FakeApi, cluster: Cluster) -> None:
    ClusterSettings(cluster, "r1").switch(Setting.vmRolloutStrategy, "Stage", "ns")
    (request,) = plain.requests("PATCH")
    note = json.loads(request.body["metadata"]["annotations"][NOTE])
    assert (note["run"], note["namespace"]) == ("r1", "ns")
    assert note["settings"]["vmRolloutStrategy"]["former"] == "LiveUpdate"
    assert request.body["spec"]["configuration"]["vmRolloutStrategy"] == "Stage"


def test_several_settings_are_taken_back_together(hco: FakeApi, cluster: Cluster) -> None:
    board = ClusterSettings(cluster, "r1")
    for setting, value, _ in CHANGES:
        board.switch(setting, value, "ns")
    assert board.restore() == []
    assert [board.value(setting) for setting, _, _ in CHANGES] == [was for _, _, was in CHANGES]
    assert annotations_of(hco) == {JSON_PATCH: SITE_PATCH}


def test_switching_to_the_present_value_writes_nothing(plain: FakeApi, cluster: Cluster) -> None:
    assert ClusterSettings(cluster, "r1").switch(Setting.vmRolloutStrategy, "LiveUpdate", "ns") == "LiveUpdate"
    assert not plain.requests("PATCH")


def test_restore_twice_and_without_a_change_does_nothing(plain: FakeApi, cluster: Cluster) -> None:
    board = ClusterSettings(cluster, "r1")
    board.switch(Setting.vmRolloutStrategy, "Stage", "ns")
    board.restore()
    sent = len(plain.requests("PATCH"))
    assert (board.restore(), ClusterSettings(cluster, "r2").restore()) == ([], [])
    assert len(plain.requests("PATCH")) == sent


def test_conflict_is_met_by_another_look(plain: FakeApi, cluster: Cluster) -> None:
    plain.once["PATCH"] = lambda: touch(plain)
    ClusterSettings(cluster, "r1").switch(Setting.vmRolloutStrategy, "Stage", "ns")
    assert spec_of(plain)["configuration"]["vmRolloutStrategy"] == "Stage"
    assert spec_of(plain)["imagePullPolicy"] == "Always"
    assert len(plain.requests("PATCH")) == 2


def touch(api: FakeApi) -> None:
    """Another user changes another setting."""
    item = api.objects[KUBEVIRTS, "kubevirt"]
    api.put(KUBEVIRTS, item | {"spec": item["spec"] | {"imagePullPolicy": "Always"}})


def test_what_somebody_else_set_meanwhile_stays_with_a_remark(plain: FakeApi, cluster: Cluster) -> None:
    board = ClusterSettings(cluster, "r1")
    board.switch(Setting.workloadUpdateMethods, "none", "ns")
    cluster.request(
        "PATCH",
        f"{KUBEVIRTS}/kubevirt",
        body={"spec": {"workloadUpdateStrategy": {"workloadUpdateMethods": ["Evict"]}}},
        content_type="application/merge-patch+json",
        repeatable=True,
    )
    (remark,) = board.restore()
    assert (
        "workloadUpdateMethods was LiveMigrate, this run set it to none, and another client to ['Evict']: it is kept"
        in remark
    )
    assert spec_of(plain)["workloadUpdateStrategy"]["workloadUpdateMethods"] == ["Evict"]
    assert NOTE not in plain.objects[KUBEVIRTS, "kubevirt"]["metadata"]["annotations"]


def test_of_a_list_of_gates_only_the_one_is_put_back(plain: FakeApi, cluster: Cluster) -> None:
    board = ClusterSettings(cluster, "r1")
    board.switch(Setting.LiveUpdateNADRef, "off", "ns")
    item = plain.objects[KUBEVIRTS, "kubevirt"]
    item["spec"]["configuration"]["developerConfiguration"]["featureGates"] = ["Sidecar", "Snapshot"]
    plain.put(KUBEVIRTS, item)
    (remark,) = board.restore()
    assert "only LiveUpdateNADRef was restored" in remark
    gates = dig(spec_of(plain), "configuration", "developerConfiguration", "featureGates")
    assert gates == ["Sidecar", "Snapshot", "LiveUpdateNADRef"]


def test_patch_of_an_administrator_that_came_meanwhile_stays(hco: FakeApi, cluster: Cluster) -> None:
    board = ClusterSettings(cluster, "r1")
    board.switch(Setting.vmRolloutStrategy, "Stage", "ns")
    with hco.condition:
        owner = hco.objects[HCOS, HYPERCONVERGED_NAME]
        theirs = {"op": "add", "path": "/spec/configuration/cpuModel", "value": "Haswell"}
        text = json.dumps([*json.loads(owner["metadata"]["annotations"][JSON_PATCH]), theirs])
        owner["metadata"]["annotations"][JSON_PATCH] = text
        hco.put(HCOS, owner)
    board.restore()
    assert json.loads(annotations_of(hco)[JSON_PATCH]) == [*json.loads(SITE_PATCH), theirs]


def test_broken_annotation_is_named(plain: FakeApi) -> None:
    facts = kubevirt_facts(plain.objects[KUBEVIRTS, "kubevirt"])
    owner = {"metadata": {"annotations": {JSON_PATCH: "[]garbage"}}}
    with pytest.raises(LabError, match=r"is not a JSON patch: \[\]garbage; correct or remove it"):
        change(Setting.vmRolloutStrategy, "Stage", facts, owner)


def test_change_that_never_takes_effect_is_the_labs_error(
    plain: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livenad.cluster_settings.switching._EFFECT_SECONDS", 0.3)
    item = plain.objects[KUBEVIRTS, "kubevirt"]
    item["status"]["phase"] = "Deploying"
    plain.put(KUBEVIRTS, item)
    with pytest.raises(LabError, match="not in effect after 0 s: phase is Deploying; see the conditions of KubeVirt"):
        ClusterSettings(cluster, "r1").switch(Setting.vmRolloutStrategy, "Stage", "ns")


def test_unknown_value_is_an_error_of_the_suite() -> None:
    with pytest.raises(TestError, match='value "Slow" of setting vmRolloutStrategy: expected one of LiveUpdate, Stage'):
        check_value(Setting.vmRolloutStrategy, "Slow")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run without a lease is taken for dead soon."""
    monkeypatch.setattr("livenad.ownership.active_runs.LEASE_SECONDS", 0.2)


@pytest.mark.usefixtures("impatient")
def test_what_a_dead_run_changed_is_taken_back_by_another(plain: FakeApi, cluster: Cluster) -> None:
    ClusterSettings(cluster, "dead").switch(Setting.vmRolloutStrategy, "Stage", "gone")
    later = ClusterSettings(cluster, "later")
    expected = "vmRolloutStrategy of the cluster from Stage to LiveUpdate, changed by the aborted run dead"
    assert later.restore_of_aborted_runs(dry_run=True) == [expected]
    assert later.value(Setting.vmRolloutStrategy) == "Stage"
    assert later.restore_of_aborted_runs() == [expected]
    assert later.value(Setting.vmRolloutStrategy) == "LiveUpdate"
    assert later.restore_of_aborted_runs() == []


@pytest.mark.usefixtures("impatient")
def test_what_a_dead_run_changed_is_taken_back_before_the_next_change(plain: FakeApi, cluster: Cluster) -> None:
    ClusterSettings(cluster, "dead").switch(Setting.vmRolloutStrategy, "Stage", "gone")
    later = ClusterSettings(cluster, "later")
    assert later.switch(Setting.workloadUpdateMethods, "none", "ns") == "LiveMigrate"
    assert later.value(Setting.vmRolloutStrategy) == "LiveUpdate"


def test_what_a_living_run_changed_is_left_alone(plain: FakeApi, cluster: Cluster) -> None:
    with living(plain, "alive", "theirs"):
        ClusterSettings(cluster, "alive").switch(Setting.LiveUpdateNADRef, "off", "theirs")
        later = ClusterSettings(cluster, "later")
        assert later.restore_of_aborted_runs() == []
        with pytest.raises(LabError, match="run alive has changed settings of the cluster; wait until it has ended"):
            later.switch(Setting.vmRolloutStrategy, "Stage", "ours")
        facts = read_facts(cluster, read_version(cluster))
        note = later.foreign_backup(facts.kubevirt)
    assert facts.kubevirt is not None
    assert facts.kubevirt.live_update_gate[0] is False
    assert note is not None
    kubevirt = as_before(facts, note).kubevirt
    assert kubevirt is not None
    assert kubevirt.live_update_gate[0] is True


@contextmanager
def living(api: FakeApi, run_id: str, namespace: str) -> Iterator[None]:
    """A run that renews its lease."""
    labels = {RUN_LABEL: run_id}
    done = threading.Event()

    def now() -> str:
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def renew() -> None:
        while not done.wait(0.05):
            api.put(
                LEASE.path(namespace),
                {"metadata": {"name": LEASE_NAME, "labels": labels}, "spec": {"renewTime": now()}},
            )

    api.put(
        NAMESPACE.path(), {"metadata": {"name": namespace, "labels": labels, "creationTimestamp": now()[:19] + "Z"}}
    )
    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    with api.condition:
        api.condition.wait_for(lambda: (LEASE.path(namespace), LEASE_NAME) in api.objects, 5)
    yield
    done.set()
    thread.join()


def test_right_is_that_on_the_owner(plain: FakeApi, cluster: Cluster) -> None:
    right = right_to_switch(read_facts(cluster, read_version(cluster)))
    assert '"patch" on kubevirts.kubevirt.io kubevirt in namespace kubevirt' in str(right)


def test_right_is_that_on_the_hyperconverged(hco: FakeApi, cluster: Cluster) -> None:
    right = right_to_switch(read_facts(cluster, read_version(cluster)))
    assert "hyperconvergeds.hco.kubevirt.io kubevirt-hyperconverged in namespace openshift-cnv" in str(right)


@pytest.mark.parametrize(
    ("served", "chosen"),
    [(["v1beta1"], "v1beta1"), (["v1", "v1beta1"], "v1beta1"), (["v1"], "v1"), ([], "v1beta1")],
)
def test_api_version_of_the_hyperconverged_is_one_that_is_served(
    hco: FakeApi, cluster: Cluster, served: list[str], chosen: str
) -> None:
    hco.answers["GET", "/apis/hco.kubevirt.io"] = {"versions": [{"version": version} for version in served]}
    found = read_kubevirt(cluster)
    assert found is not None
    assert owner_of(found)[0].api_version == f"hco.kubevirt.io/{chosen}"


@pytest.mark.circumstance(
    "the HyperConverged is served in a newer API version only",
    topic="control plane",
    sees="the HyperConverged is served as v2, and only v1beta1 and v1 are known",
    verdict="SKIP",
    source="https://github.com/kubevirt/hyperconverged-cluster-operator",
)
def test_api_version_of_the_hyperconverged_that_is_unknown(
    hco: FakeApi, cluster: Cluster, sees: Callable[[object], None]
) -> None:
    hco.answers["GET", "/apis/hco.kubevirt.io"] = {"versions": [{"version": "v2"}]}
    lab = Lab(cluster, read_facts(cluster, "v1"), Settings(allow_disruptive=True))
    with pytest.raises(CapabilityMissing) as caught:
        Capabilities(lambda: lab).require("settings-switch")
    sees(caught.value)


def test_v1_of_the_hyperconverged_has_the_methods_elsewhere(hco: FakeApi, cluster: Cluster) -> None:
    kubevirt_now = read_kubevirt(cluster)
    assert kubevirt_now is not None
    there = {"workloadUpdateStrategy": {"workloadUpdateMethods": ["LiveMigrate"]}}
    owner: Object = {"apiVersion": "hco.kubevirt.io/v1", "metadata": {}, "spec": {"virtualization": there}}
    patch, note = change(Setting.workloadUpdateMethods, "none", kubevirt_now, owner)
    assert patch == {"spec": {"virtualization": {"workloadUpdateStrategy": {"workloadUpdateMethods": []}}}}
    changed = {**owner, **patch}
    assert undo(Setting.workloadUpdateMethods, note, changed) == ({"spec": {"virtualization": there}}, "")
