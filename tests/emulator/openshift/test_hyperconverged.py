# SPDX-License-Identifier: Apache-2.0
"""HyperConverged owns the KubeVirt CR: fields pass down, direct edits do not last, jsonpatch annotations apply."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..apiserver.harness import LiveApi, Obj
from .conftest import HCO, HOME, JSONPATCH, KUBEVIRT, annotate, annotated, get, patch, refused, until

NAME, OWNED = "kubevirt-hyperconverged", "kubevirt-kubevirt-hyperconverged"
GATE = "LiveUpdateNADRef"
GATES = "/spec/configuration/developerConfiguration/featureGates"
DENIED = 'admission webhook "validate-hco.kubevirt.io" denied the request: '


def gates(kubevirt: Obj) -> list[str]:
    found: list[str] = kubevirt["spec"]["configuration"]["developerConfiguration"]["featureGates"]
    return found


def conditions(hco: Obj) -> dict[str, Obj]:
    return {found["type"]: found for found in hco.get("status", {}).get("conditions", [])}


def operation(op: str, path: str, value: Any = None) -> str:
    return json.dumps([{"op": op, "path": path, "value": value}])


def reverted(live: LiveApi, old: Obj) -> Obj:
    before = old["spec"]
    return until(live, KUBEVIRT, OWNED, HOME, lambda kubevirt: bool(kubevirt["spec"] == before))


@pytest.mark.parametrize(("cluster", "on"), [("old", False), ("gate_off", False), ("gate_on", True), ("new", False)])
def test_gate_of_each_release(request: pytest.FixtureRequest, cluster: str, on: bool) -> None:
    live: LiveApi = request.getfixturevalue(cluster)
    kubevirt = get(live, KUBEVIRT, OWNED, HOME)
    assert (GATE in gates(kubevirt)) is on
    assert kubevirt["status"]["phase"] == "Deployed"
    assert ("TaintedConfiguration" in conditions(get(live, HCO, NAME, HOME))) is (cluster == "gate_off")


def test_beta_gates_are_listed_as_off_where_they_would_be_on(new: LiveApi, gate_on: LiveApi) -> None:
    developer = get(new, KUBEVIRT, OWNED, HOME)["spec"]["configuration"]["developerConfiguration"]
    assert "ExternalNetResourceInjection" in developer["disabledFeatureGates"]
    developer = get(gate_on, KUBEVIRT, OWNED, HOME)["spec"]["configuration"]["developerConfiguration"]
    assert "disabledFeatureGates" not in developer


def test_direct_edit_of_kubevirt_is_reverted_and_told(gate_on: LiveApi) -> None:
    before = get(gate_on, KUBEVIRT, OWNED, HOME)
    change: Obj = {"spec": {"workloadUpdateStrategy": {"workloadUpdateMethods": []}}}
    edited = patch(gate_on, KUBEVIRT, OWNED, change)
    assert edited["spec"] != before["spec"]
    reverted(gate_on, before)
    said = f"Overwritten KubeVirt {OWNED}"
    events = gate_on.kubectl("get", "events", "-n", HOME, "-o", "jsonpath={range .items[*]}{.reason}: {.message};")
    assert f"Overwritten: {said}" in events.split(";")


def test_update_methods_pass_down(new: LiveApi) -> None:
    before = get(new, KUBEVIRT, OWNED, HOME)
    patch(new, HCO, NAME, {"spec": {"workloadUpdateStrategy": {"workloadUpdateMethods": []}}})
    try:
        until(new, KUBEVIRT, OWNED, HOME, lambda k: not k["spec"]["workloadUpdateStrategy"]["workloadUpdateMethods"])
        hco = until(new, HCO, NAME, HOME, lambda h: h["status"]["observedGeneration"] == h["metadata"]["generation"])
        assert conditions(hco)["ReconcileComplete"]["status"] == "True"
    finally:
        # Taken away, the field has its default again.
        patch(new, HCO, NAME, {"spec": {"workloadUpdateStrategy": None}})
    reverted(new, before)


def test_jsonpatch_switches_the_gate_off_and_back(gate_on: LiveApi) -> None:
    before = get(gate_on, KUBEVIRT, OWNED, HOME)
    left = [gate for gate in gates(before) if gate != GATE]
    with annotated(gate_on, operation("replace", GATES, left)) as patched:
        generation = patched["metadata"]["generation"]
        until(gate_on, KUBEVIRT, OWNED, HOME, lambda kubevirt: gates(kubevirt) == left)
        hco = until(gate_on, HCO, NAME, HOME, lambda found: "TaintedConfiguration" in conditions(found))
        tainted = conditions(hco)["TaintedConfiguration"]
        assert (tainted["status"], tainted["reason"]) == ("True", "UnsupportedFeatureAnnotation")
        assert tainted["message"] == "Unsupported feature was activated via an HCO annotation"
    reverted(gate_on, before)
    hco = until(gate_on, HCO, NAME, HOME, lambda found: "TaintedConfiguration" not in conditions(found))
    assert hco["metadata"]["generation"] == generation, "an annotation does not count as a change of the spec"


def test_stage_rollout_by_jsonpatch(new: LiveApi) -> None:
    before = get(new, KUBEVIRT, OWNED, HOME)
    with annotated(new, operation("replace", "/spec/configuration/vmRolloutStrategy", "Stage")):
        until(new, KUBEVIRT, OWNED, HOME, lambda k: k["spec"]["configuration"]["vmRolloutStrategy"] == "Stage")
    reverted(new, before)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            operation("replace", "/spec/nothing", 1),
            "replace operation does not apply: doc is missing key: /spec/nothing: missing value",
        ),
        (
            operation("add", "/spec/nothing/below", 1),
            "add operation does not apply: doc is missing path: /spec/nothing/below: missing value",
        ),
        (operation("test", "/spec/imagePullPolicy", "x"), "testing value /spec/imagePullPolicy failed: test failed"),
        (operation("replace", "/metadata/name", "x"), "can only modify spec fields"),
        ("patch", "invalid character 'p' looking for beginning of value"),
    ],
)
def test_annotation_that_cannot_be_applied_is_refused(new: LiveApi, text: str, said: str) -> None:
    before = get(new, KUBEVIRT, OWNED, HOME)
    with refused(403, f"{DENIED}invalid jsonPatch in the {JSONPATCH} annotation: {said}"):
        annotate(new, text)
    assert get(new, KUBEVIRT, OWNED, HOME)["spec"] == before["spec"]


def test_annotation_that_kubevirt_refuses_is_refused(gate_on: LiveApi) -> None:
    developer = "/spec/configuration/developerConfiguration/disabledFeatureGates"
    said = f'feature gate "{GATE}" exists on both "FeatureGates" and "DisabledFeatureGates"'
    inner = f'admission webhook "kubevirt-update-validator.kubevirt.io" denied the request: {said}'
    with refused(422, DENIED + inner):
        annotate(gate_on, operation("add", developer, [GATE]))


def test_kubevirt_comes_back_when_it_is_deleted(old: LiveApi) -> None:
    uid = get(old, KUBEVIRT, OWNED, HOME)["metadata"]["uid"]
    old.run(old.api.admin.delete(KUBEVIRT, OWNED, HOME))
    found = until(old, KUBEVIRT, OWNED, HOME, lambda k: k.get("status", {}).get("phase") == "Deployed")
    assert found["metadata"]["uid"] != uid


def test_another_hyperconverged_is_no_request(old: LiveApi) -> None:
    meta = {"name": "mine", "namespace": "demo"}
    hco = {"apiVersion": "hco.kubevirt.io/v1beta1", "kind": "HyperConverged", "metadata": meta, "spec": {}}
    old.create(HCO, hco)
    found = until(old, HCO, "mine", "demo", lambda h: bool(conditions(h)))
    condition = conditions(found)["ReconcileComplete"]
    assert (condition["status"], condition["reason"]) == ("False", "InvalidRequest")
    assert condition["message"] == f"Request does not match expected name ({NAME}) and namespace ({HOME})"


def test_both_versions_are_one_object(new: LiveApi) -> None:
    v1 = json.loads(new.kubectl("get", "hco", "-n", HOME, NAME, "-o", "json"))
    assert v1["apiVersion"] == "hco.kubevirt.io/v1"
    methods = v1["spec"]["virtualization"]["workloadUpdateStrategy"]["workloadUpdateMethods"]
    assert methods == ["LiveMigrate"]
    change = '{"spec": {"virtualization": {"liveMigrationConfig": {"parallelMigrationsPerCluster": 7}}}}'
    new.kubectl("patch", "hco", "-n", HOME, NAME, "--type=merge", "-p", change)
    beta = json.loads(new.kubectl("get", "hyperconvergeds.v1beta1.hco.kubevirt.io", "-n", HOME, NAME, "-o", "json"))
    assert beta["spec"]["liveMigrationConfig"]["parallelMigrationsPerCluster"] == 7
    assert "virtualization" not in beta["spec"]
    field = "parallelMigrationsPerCluster"
    until(new, KUBEVIRT, OWNED, HOME, lambda k: k["spec"]["configuration"]["migrations"][field] == 7)


def test_only_the_older_version_where_there_is_no_other(old: LiveApi) -> None:
    assert "hco.kubevirt.io/v1\n" not in old.kubectl("api-versions")
    shown = json.loads(old.kubectl("get", "hco", "-n", HOME, NAME, "-o", "json"))
    assert shown["apiVersion"] == "hco.kubevirt.io/v1beta1"
