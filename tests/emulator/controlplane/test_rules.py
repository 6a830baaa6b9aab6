# SPDX-License-Identifier: Apache-2.0
"""The pure rules, each on its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from emulator.apiserver.objects import clone
from emulator.apiserver.quota import usage
from emulator.controlplane import names
from emulator.controlplane.admission.quantities import times
from emulator.controlplane.elapsed_times import ElapsedTimes
from emulator.controlplane.migration.backoff import waiting_seconds
from emulator.controlplane.migration.phases import next_step
from emulator.controlplane.network.evaluator import Need, migration_need
from emulator.controlplane.network.pod_interfaces import pod_interface, wanted_attachments
from emulator.controlplane.network.restart import restart_required
from emulator.controlplane.network.sync import synced
from emulator.controlplane.optimistic_patch import changes
from emulator.controlplane.profile import PROFILES, profile_for
from emulator.controlplane.scheduling.predicates import failure_message, objection, preference
from emulator.controlplane.settings import Settings
from emulator.controlplane.vm.controller import VmController
from emulator.controlplane.vm.runstrategy import asks_stop
from emulator.kube import conditions
from emulator.kube.errors import ApiError
from emulator.pace import Pace

from .lab import vm
from .reports import node

Obj = dict[str, Any]


def instance(nad: str = "nad-a", *, migratable: str = "True") -> Obj:
    spec = clone(vm(nads=(nad,))["spec"]["template"]["spec"])
    nics = [{"name": "net1", "podInterfaceName": pod_interface("net1"), "infoSource": "domain, multus-status"}]
    status = {"phase": "Running", "interfaces": nics, "conditions": [conditions.new("LiveMigratable", migratable)]}
    return {"metadata": {"name": "vm1", "namespace": "lab", "uid": "u"}, "spec": spec, "status": status}


def launcher(nad: str = "lab/nad-a") -> Obj:
    status = f'[{{"name": "{nad}", "interface": "{pod_interface("net1")}"}}]'
    return {"metadata": {"annotations": {names.NETWORK_STATUS: status}}}


@pytest.mark.parametrize(
    ("network", "name"),
    [("net1", "pod6c270ef2f25"), ("bridge-net", "pod03b731d2111"), ("secondary", "podc0f69e19ba2")],
)
def test_pod_interfaces_are_named_by_the_network_not_the_nad(network: str, name: str) -> None:
    assert pod_interface(network) == name


def test_attachments_carry_the_mac_and_split_the_namespace() -> None:
    vmi = instance("other/nad-x")
    vmi["spec"]["domain"]["devices"]["interfaces"][1]["macAddress"] = "02:00:00:00:00:05"
    wanted = {"name": "nad-x", "namespace": "other", "mac": "02:00:00:00:00:05", "interface": "pod6c270ef2f25"}
    assert wanted_attachments(vmi) == [wanted]


@pytest.mark.parametrize(
    ("wanted", "pod", "need"),
    [
        ("nad-a", "lab/nad-a", Need.NONE),
        ("lab/nad-a", "lab/nad-a", Need.NONE),
        ("nad-b", "lab/nad-a", Need.IMMEDIATE),
        ("ns2/nad-a", "lab/nad-a", Need.IMMEDIATE),
    ],
)
def test_network_status_decides_whether_a_migration_is_needed(wanted: str, pod: str, need: Need) -> None:
    assert migration_need(instance(wanted), launcher(pod), live_updates_nad=True) is need


def test_without_live_update_no_nad_needs_a_migration() -> None:
    assert migration_need(instance("nad-b"), launcher(), live_updates_nad=False) is Need.NONE


def test_a_default_multus_network_is_not_looked_at() -> None:
    vmi = instance("nad-b")
    vmi["spec"]["networks"][1]["multus"]["default"] = True
    assert migration_need(vmi, launcher(), live_updates_nad=True) is Need.NONE


def settings(profile: str, **configuration: Any) -> Settings:
    kubevirt: Obj = {"spec": {"configuration": configuration}}
    return Settings(profile_for(profile), lambda: kubevirt)


@pytest.mark.parametrize(
    ("profile", "gates", "migratable", "restart"),
    [
        ("1.7", [], "True", True),
        ("1.7", ["LiveUpdateNADRef"], "True", True),
        ("1.8", [], "True", True),
        ("1.8", ["LiveUpdateNADRef"], "True", False),
        ("1.8", ["LiveUpdateNADRef"], "False", False),
        ("1.9", [], "True", False),
        ("1.9", [], "False", False),
        ("main", [], "True", False),
        ("main", [], "False", True),
    ],
)
def test_a_changed_nad_needs_a_restart_by_version(
    profile: str, gates: list[str], migratable: str, restart: bool
) -> None:
    now = vm(nads=("nad-b",))
    found = settings(profile, developerConfiguration={"featureGates": gates})
    assert restart_required(now, instance(migratable=migratable), vm()["spec"], found) is restart


@pytest.mark.parametrize(
    ("field", "value", "live_update", "stage"),
    [("affinity", {}, False, False), ("nodeSelector", {"a": "b"}, False, True), ("hostname", "x", True, True)],
)
def test_rollout_strategy_decides_on_other_fields(field: str, value: Any, live_update: bool, stage: bool) -> None:
    now = vm(**{field: value})
    assert restart_required(now, instance(), vm()["spec"], settings("1.9")) is live_update
    assert restart_required(now, instance(), vm()["spec"], settings("1.9", vmRolloutStrategy="Stage")) is stage


def test_gates_follow_the_rule_of_their_version() -> None:
    off = {"disabledFeatureGates": ["LiveUpdateNADRef", "ExternalNetResourceInjection"]}
    assert settings("1.9", developerConfiguration=off).live_updates_nad
    assert settings("1.9", developerConfiguration=off).reads_nads
    assert not settings("1.9").reads_nads
    assert settings("1.8").reads_nads
    assert [name for name in PROFILES if settings(name).sets_priority] == ["1.9", "main"]


def finished(uid: str, phase: str, at: str, *, automatic: bool = True) -> Obj:
    annotations = {names.WORKLOAD_UPDATE: ""} if automatic else {}
    return {
        "metadata": {"uid": uid, "creationTimestamp": at, "annotations": annotations},
        "status": {"phase": phase, "phaseTransitionTimestamps": [{"phase": phase, "phaseTransitionTimestamp": at}]},
    }


@pytest.mark.parametrize(
    ("earlier", "seconds"),
    [([], 0), (["Failed"], 20), (["Failed"] * 3, 80), (["Failed", "Succeeded"], 0), (["Succeeded", "Failed"], 20)],
)
def test_backoff_doubles_and_a_success_ends_it(earlier: list[str], seconds: float) -> None:
    elapsed_times = ElapsedTimes(Pace(1))
    others = [finished(str(i), phase, f"2999-01-01T00:00:{i:02d}Z") for i, phase in enumerate(earlier)]
    for other in others:
        elapsed_times.start(f"failed {other['metadata']['uid']}")
    waiting = waiting_seconds(finished("new", "", "2999-01-02T00:00:00Z"), others, elapsed_times)
    assert waiting == pytest.approx(seconds, abs=0.5)
    assert waiting_seconds(finished("new", "", "2999-01-02T00:00:00Z", automatic=False), others, elapsed_times) == 0


def test_scheduler_says_why_in_the_recorded_words() -> None:
    pod: Obj = {
        "metadata": {"uid": "p", "namespace": "lab"},
        "spec": {
            "nodeSelector": {"kubevirt.io/schedulable": "true"},
            "affinity": {
                "podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"labelSelector": {"matchLabels": {names.CREATED_BY: "u"}}, "topologyKey": "x"}
                    ]
                }
            },
        },
    }
    source = {
        "metadata": {"uid": "s", "namespace": "lab", "labels": {names.CREATED_BY: "u"}},
        "spec": {"nodeName": "n1"},
    }
    nodes = [node("n1"), node("n2"), node("n3")]
    for cordoned in nodes[1:]:
        cordoned["spec"]["unschedulable"] = True
    assert failure_message([objection(pod, found, [source]) for found in nodes]) == (
        "0/3 nodes are available: 1 node(s) didn't match pod anti-affinity rules, 2 node(s) were unschedulable. "
        "no new claims to deallocate, preemption: 0/3 nodes are available: 1 No preemption victims found for incoming "
        "pod, 2 Preemption is not helpful for scheduling."
    )


def test_patches_test_what_they_replace() -> None:
    old = {"metadata": {"resourceVersion": "7"}, "status": {"a": 1, "b": 2}}
    assert changes(old, {"status": {"a": 1, "b": 3}}, (("status",),)) == [
        {"op": "test", "path": "/status/b", "value": 2},
        {"op": "replace", "path": "/status/b", "value": 3},
    ]
    added = changes(old, {"status": {"a": 1, "b": 2, "c": 3}}, (("status",),))
    assert added[0] == {"op": "test", "path": "/metadata/resourceVersion", "value": "7"}
    assert changes(old, old, (("status",),)) == []


@pytest.mark.parametrize(("value", "product"), [("1Gi", "4Gi"), ("512Mi", "2Gi"), ("300Mi", "1200Mi"), ("1G", "4G")])
def test_quantities_keep_their_kind_of_unit(value: str, product: str) -> None:
    assert times(value, 4) == product


def test_an_unknown_profile_names_those_that_exist() -> None:
    with pytest.raises(
        ValueError, match=r"no KubeVirt profile is called '2\.0'; there are: 1\.7, 1\.8, 1\.8-gate, 1\.9, main"
    ):
        profile_for("2.0")


def test_pod_prefers_nodes_by_the_weights_of_its_wishes() -> None:
    def wish(weight: int, key: str, value: str, kind: str = "matchExpressions") -> Obj:
        return {"weight": weight, "preference": {kind: [{"key": key, "operator": "In", "values": [value]}]}}

    wishes = [wish(100, "metadata.name", "node01", "matchFields"), wish(7, "disk", "ssd")]
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": wishes}}
    one: Obj = {"metadata": {"name": "node01", "labels": {"disk": "ssd"}}}
    other: Obj = {"metadata": {"name": "node02", "labels": {"disk": "ssd"}}}
    pod = {"metadata": {"name": "p"}, "spec": {"affinity": affinity}}
    assert (preference(pod, one), preference(pod, other)) == (107, 7)
    assert preference({"spec": {}}, one) == 0


def migrating(**state: Any) -> tuple[Obj, Obj]:
    """A running migration and its VMI."""
    vmi = instance()
    vmi["status"]["migrationState"] = {"migrationUid": "m", **state}
    return {"metadata": {"name": "m1", "uid": "m"}, "status": {"phase": "Running"}}, vmi


def test_target_pod_that_ends_fails_a_migration_unless_it_is_complete() -> None:
    gone = {"metadata": {"name": "target"}, "status": {"phase": "Failed"}}
    step = next_step(*migrating(), gone, other_active=False)
    assert step is not None
    assert step.phase == "Failed"
    step = next_step(*migrating(completed=True), gone, other_active=False)
    assert step is not None
    assert step.phase == "Succeeded"


def test_pods_that_have_ended_use_no_quota() -> None:
    pod = {"spec": {"containers": [{"resources": {"requests": {"cpu": "1"}}}]}, "status": {"phase": "Running"}}
    assert usage("pods", pod)["pods"] == usage("pods", pod)["requests.cpu"] == 1
    assert set(usage("pods", pod | {"status": {"phase": "Succeeded"}})) == {"count/pods"}


def test_request_to_stop_another_vmi_does_not_count() -> None:
    asked = {"status": {"stateChangeRequests": [{"action": "Stop", "uid": "u"}]}}
    assert asks_stop(asked, instance())
    assert not asks_stop(asked, {"metadata": {"uid": "another"}})


@pytest.mark.parametrize(("state", "plugged"), [({}, True), ({"state": "absent"}, False)])
def test_nics_that_are_marked_absent_are_not_plugged(state: Obj, plugged: bool) -> None:
    wanted, vmi = vm(nads=("nad-a", "nad-b")), instance()
    wanted["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"][-1] |= state
    _, nics = synced(wanted, vmi, copy_nad=True)
    assert ([nic["name"] for nic in nics][-1] == "net2") is plugged


@pytest.mark.parametrize(("code", "condition"), [(409, None), (403, "HotPlugNetworkInterfaceError")])
async def test_a_conflict_is_tried_again_and_no_condition(code: int, condition: str | None) -> None:
    async def refuse(*_: object) -> None:
        raise ApiError(code, "", "no")

    shared = SimpleNamespace(
        settings=SimpleNamespace(live_updates_nad=True, profile=PROFILES["main"]),
        fault_points=SimpleNamespace(apply=lambda _, value, **__: value),
    )
    controller = cast(VmController, SimpleNamespace(shared=shared, _patch_vmi=refuse))
    edited = vm(nads=("nad-b",))
    if condition is None:
        with pytest.raises(ApiError):
            await VmController._sync_networks(controller, edited, instance())
    else:
        found = await VmController._sync_networks(controller, edited, instance())
        assert found is not None
        assert found["reason"] == condition
