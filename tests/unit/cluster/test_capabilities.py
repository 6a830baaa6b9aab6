# SPDX-License-Identifier: Apache-2.0
"""Capabilities: measured once, missing with the value that was seen, expected ones with the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
import yaml
from livenad.api.client import Cluster
from livenad.api.kinds import ACCESS_REVIEW, KUBEVIRT, NODE
from livenad.cluster.capabilities import CAPABILITIES, Capabilities, CapabilityName, check_names
from livenad.cluster.environment import CONFIG_MAP, DAEMON_SET, NODE_STATE, STORAGE_CLASS, Lab
from livenad.cluster.facts import read_facts, read_version
from livenad.errors import BadInput, CapabilityMissing, LabError
from livenad.settings import Settings

from tests.embedded import ROOT
from tests.unit.support.fake_api import FakeApi, Fault, Object
from tests.unit.support.healthy_cluster import PUBLIC_VERSION, kubevirt, node, serve

Opening = Callable[..., Capabilities]


@pytest.fixture
def opened(healthy: FakeApi, cluster: Cluster) -> Opening:
    """Gives what the healthy cluster offers, as it is when called, with settings of the test's."""

    def begin(**settings: Any) -> Capabilities:
        known = {name: value for name, value in settings.items() if name in Settings.__dataclass_fields__}
        chosen = replace(Settings(), **known)
        for name in settings.keys() - known.keys():
            object.__setattr__(chosen, name, settings[name])
        lab = Lab(cluster, read_facts(cluster, read_version(cluster)), chosen)
        return Capabilities(lambda: lab)

    return begin


def missing(offered: Capabilities, name: CapabilityName) -> str:
    with pytest.raises(CapabilityMissing) as caught:
        offered.require(name)
    return str(caught.value)


def named(name: str, namespace: str = "", **fields: object) -> Object:
    return {"metadata": {"name": name, "namespace": namespace, **fields}}


def test_the_names_are_those_of_the_plan() -> None:
    plan = yaml.safe_load((ROOT / "testplan" / "plan.yaml").read_text())
    assert sorted(one["name"] for one in plan["capabilities"]) == sorted(CAPABILITIES)


def test_a_suite_may_name_those_that_are_measured() -> None:
    assert get_args(CapabilityName) == tuple(CAPABILITIES)


def test_unknown_name_in_a_variable_lists_those_that_exist() -> None:
    said = 'variable EXPECTED_CAPABILITIES names unknown capability "speed"; known are: live-update, gate-off'
    with pytest.raises(BadInput, match=f"^LAB ERROR: {said}"):
        check_names(["speed"], "variable EXPECTED_CAPABILITIES")


@pytest.mark.parametrize(
    ("release", "live", "why"),
    [
        (("v1.7.4",), False, "KubeVirt v1.7.4: LiveUpdateNADRef exists since 1.8"),
        (("v1.7.4", "LiveUpdateNADRef"), False, "exists since 1.8"),
        (("v1.8.4-12-gabc",), False, "KubeVirt v1.8.4-12-gabc: LiveUpdateNADRef is not in featureGates"),
        (("v1.8.4", "LiveUpdateNADRef"), True, "KubeVirt v1.8.4: LiveUpdateNADRef is on"),
        (("v1.9.0+embedded",), True, "always on since 1.9"),
        (("v1.10.0-alpha.0",), True, "always on since 1.9"),
    ],
)
def test_live_update_by_version_and_gate(
    healthy: FakeApi, opened: Opening, release: tuple[str, ...], live: bool, why: str
) -> None:
    version, *gates = release
    healthy.put(KUBEVIRT.path(), kubevirt(version, gates=tuple(gates)))
    offered = opened()
    assert (offered.measured("live-update").there, offered.measured("gate-off").there) == (live, not live)
    assert why in offered.measured("live-update").value
    assert why in offered.measured("gate-off").value


@pytest.mark.circumstance(
    "KubeVirt is a build whose version tells nothing: devel, a digest, v0.0.0-master, or that of another product",
    topic="control plane",
    sees="does not tell which KubeVirt it is; set variable KUBEVIRT_VERSION",
    verdict="SKIP",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("reported", ["devel", "sha256:0123abc", "v0.0.0-master+abc", "v4.18.3", ""])
@pytest.mark.parametrize("by_virt_api", ["", "devel", "v4.18.3", 403, 503])
def test_version_that_tells_nothing(
    healthy: FakeApi,
    opened: Opening,
    cluster: Cluster,
    sees: Callable[[object], None],
    *,
    reported: str,
    by_virt_api: str | int,
) -> None:
    healthy.put(KUBEVIRT.path(), kubevirt(reported, gates=("LiveUpdateNADRef",)))
    if isinstance(by_virt_api, int):
        healthy.faults.append(Fault("GET", PUBLIC_VERSION, by_virt_api))
    else:
        healthy.answers["GET", PUBLIC_VERSION] = {"gitVersion": by_virt_api}
    offered = opened()
    names: tuple[CapabilityName, ...] = ("live-update", "gate-off")
    for name in names:
        said = missing(offered, name)
        sees(said)
        assert "docs/rbac" not in said, "no right helps"
    facts = read_facts(cluster, "v1", "1.8").kubevirt
    assert facts is not None
    assert facts.live_update_gate[0] is True
    assert "KubeVirt 1.8 (variable KUBEVIRT_VERSION; reported: " in facts.live_update_gate[1]


def test_where_there_is_no_kubevirt_no_right_is_missing(healthy: FakeApi, opened: Opening) -> None:
    healthy.remove(KUBEVIRT.path(), "kubevirt")
    offered = opened(allow_disruptive=True)
    names: tuple[CapabilityName, ...] = ("live-update", "gate-off", "settings-switch", "automatic-migration")
    assert {offered.measured(name).value for name in names} == {"KubeVirt is not installed"}


def test_virt_api_tells_what_the_resource_does_not(healthy: FakeApi, opened: Opening) -> None:
    for reported, told, live in (("devel", "v1.9.0-12-gabc", True), ("v4.18.3", "v1.4.1", False)):
        healthy.put(KUBEVIRT.path(), kubevirt(reported))
        healthy.answers["GET", PUBLIC_VERSION] = {"gitVersion": told}
        found = opened().measured("live-update")
        assert found.there is live
        assert f"KubeVirt {told} (by virt-api; its resource says {reported})" in found.value


def test_gate_may_be_switched_off_where_the_user_allows_it(healthy: FakeApi, opened: Opening) -> None:
    healthy.put(KUBEVIRT.path(), kubevirt("v1.8.4", gates=("LiveUpdateNADRef",)))
    assert "ALLOW_DISRUPTIVE is yes" in opened(allow_disruptive=True).require("gate-off")
    healthy.answers["POST", ACCESS_REVIEW.path()] = {"status": {"allowed": False}}
    said = missing(opened(allow_disruptive=True), "gate-off")
    assert 'no right to "patch" on kubevirts.kubevirt.io kubevirt in namespace kubevirt' in said


def test_missing_capability_has_the_measured_value(healthy: FakeApi, opened: Opening) -> None:
    healthy.put(KUBEVIRT.path(), kubevirt(methods=("Evict",)))
    said = missing(opened(), "automatic-migration")
    assert said == (
        "capability automatic-migration is not there: KubeVirt kubevirt/kubevirt has workloadUpdateMethods Evict"
    )


def test_expected_capability_is_the_labs_error_with_a_remedy(healthy: FakeApi, opened: Opening) -> None:
    healthy.put(KUBEVIRT.path(), kubevirt(methods=()))
    offered = opened(expected_capabilities=("automatic-migration",))
    with pytest.raises(LabError) as caught:
        offered.require("automatic-migration")
    assert "has workloadUpdateMethods none; an administrator sets" in str(caught.value)
    assert 'workloadUpdateMethods: ["LiveMigrate"]' in str(caught.value)


def test_capability_is_measured_once_in_a_run(healthy: FakeApi, opened: Opening) -> None:
    offered = opened()
    for _ in range(2):
        missing(offered, "dynamic-networks-controller")
    assert len(healthy.requests("GET", DAEMON_SET.path())) == 1


@pytest.mark.parametrize("name", [name for name in CAPABILITIES if name not in ("metrics", "ipv6", "second-bridge")])
def test_what_may_not_be_read_is_no_crash(healthy: FakeApi, opened: Opening, name: CapabilityName) -> None:
    parts = ("/kubevirts", "/daemonsets", "/storageclasses", "/configmaps", "/nodenetworkstates", "/nodes")
    healthy.forbidden |= {("GET", part) for part in parts}
    healthy.answers["GET", PUBLIC_VERSION] = {"gitVersion": "v1.8.4"}
    healthy.answers["POST", ACCESS_REVIEW.path()] = {"status": {"allowed": False}}
    found = opened(allow_disruptive=True, localnet="existing").measured(name)
    assert found.there is not True or name == "foreign-nad"


@pytest.mark.parametrize("allowed", [True, False])
def test_who_may_not_evict_skips_what_evicts(healthy: FakeApi, opened: Opening, *, allowed: bool) -> None:
    healthy.answers["POST", ACCESS_REVIEW.path()] = {"status": {"allowed": allowed}}
    offered = opened(namespace="team-a")
    if allowed:
        right = 'the right to "create" on pods/eviction in namespace team-a (an eviction by the test)'
        assert offered.require("eviction").endswith(right)
    else:
        assert 'no right to "create" on pods/eviction in namespace team-a' in missing(offered, "eviction")
    asked = healthy.requests("POST", ACCESS_REVIEW.path())[-1].body["spec"]["resourceAttributes"]
    assert asked == {"verb": "create", "resource": "pods", "subresource": "eviction", "namespace": "team-a"}


def test_controller_is_found_by_its_label(healthy: FakeApi, opened: Opening) -> None:
    labels = {"app": "dynamic-networks-controller"}
    healthy.put(DAEMON_SET.path(), named("dynamic-networks-controller-ds", "kube-system", labels=labels))
    assert opened().require("dynamic-networks-controller") == ("DaemonSet kube-system/dynamic-networks-controller-ds")


def test_foreign_nads_are_refused_by_isolation(healthy: FakeApi, opened: Opening) -> None:
    assert opened().measured("foreign-nad").there
    config = named("multus-daemon-config", "kube-system") | {
        "data": {"daemon-config.json": '{"namespaceIsolation": true}'}
    }
    healthy.put(CONFIG_MAP.path("kube-system"), config)
    assert "namespaceIsolation (ConfigMap kube-system/multus-daemon-config)" in missing(opened(), "foreign-nad")
    serve(healthy, "k8s.cni.cncf.io", "config.openshift.io")
    assert "as on every OpenShift" in missing(opened(), "foreign-nad")


def test_default_storage_class_is_found(healthy: FakeApi, opened: Opening) -> None:
    healthy.put(STORAGE_CLASS.path(), named("slow"))
    assert "no default among StorageClasses ['slow']" in missing(opened(), "rwo-storage")
    healthy.put(
        STORAGE_CLASS.path(), named("fast", annotations={"storageclass.kubernetes.io/is-default-class": "true"})
    )
    assert opened().require("rwo-storage") == "StorageClass fast, the default"


def test_localnet_needs_ovn_kubernetes_and_the_users_word(healthy: FakeApi, opened: Opening) -> None:
    assert "variable LOCALNET is none" in missing(opened(localnet="none"), "localnet")
    assert "k8s.ovn.org is not served, and 0 of 2 nodes" in missing(opened(localnet="existing"), "localnet")
    marked = node("n1")
    marked["metadata"]["annotations"] = {"k8s.ovn.org/node-chassis-id": "c"}
    healthy.put(NODE.path(), marked)
    assert "1 of 2 nodes have the annotation" in opened(localnet="existing").require("localnet")
    healthy.put(NODE.path(), node("n1"))
    serve(healthy, "k8s.ovn.org", "nmstate.io")
    assert opened(localnet="existing").measured("localnet").there
    healthy.put(NODE_STATE.path(), named("n1"))
    assert "none of 1 NodeNetworkStates was ever updated" in missing(opened(localnet="nmstate"), "localnet")
    healthy.put(NODE_STATE.path(), named("n1") | {"status": {"lastSuccessfulUpdateTime": "2026-11-22T00:00:00Z"}})
    assert opened(localnet="nmstate").measured("localnet").there


def test_second_bridge_is_where_bridge_marker_reports_it(healthy: FakeApi, opened: Opening) -> None:
    assert "no bridge-marker tells more" in opened().require("second-bridge")
    for name, bridge in (("n1", "br2"), ("n2", "br1")):
        marked = node(name)
        marked["status"]["capacity"] = {f"bridge.network.kubevirt.io/{bridge}": "1k"}
        healthy.put(NODE.path(), marked)
    assert "bridge br2 is not on node n2" in missing(opened(), "second-bridge")
    assert "one such bridge is like another" in missing(opened(node_network="node-local"), "second-bridge")
