"""What makes a cluster unfit, and how it is said: each lack with its remedy, before anything is created."""

from __future__ import annotations

import pytest
from testbed.cluster.client import Cluster
from testbed.cluster.facts import ClusterFacts, parse_version, read_facts, read_version
from testbed.cluster.preflight import NEEDED_RIGHTS, require_fit_cluster
from testbed.errors import CapabilityMissing, LabError
from testbed.objects.kinds import ACCESS_REVIEW, KUBEVIRT, NODE, SELF_REVIEW

from tests.unit.cluster.fake_api import FakeApi, Object

NADS = "/apis/k8s.cni.cncf.io/v1"


def node(name: str, *, ready: str = "True", cordoned: bool = False, schedulable: str = "true") -> Object:
    return {
        "metadata": {"name": name, "labels": {"kubevirt.io/schedulable": schedulable}},
        "spec": {"unschedulable": cordoned},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def kubevirt(
    version: str = "v1.9.0", methods: tuple[str, ...] = ("LiveMigrate",), gates: tuple[str, ...] = ()
) -> Object:
    return {
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {
            "configuration": {"developerConfiguration": {"featureGates": list(gates)}},
            "workloadUpdateStrategy": {"workloadUpdateMethods": list(methods)},
        },
        "status": {"phase": "Deployed", "observedKubeVirtVersion": version},
    }


@pytest.fixture
def healthy(api: FakeApi) -> FakeApi:
    """A cluster on which networks can be swapped."""
    api.answers["GET", "/version"] = {"gitVersion": "v1.36.0"}
    api.answers["GET", NADS] = {"resources": []}
    api.answers["POST", ACCESS_REVIEW.path()] = {"status": {"allowed": True}}
    api.answers["POST", SELF_REVIEW.path()] = {"status": {"userInfo": {"username": "alice"}}}
    api.put(NODE.path(), node("n1"))
    api.put(NODE.path(), node("n2"))
    api.put(KUBEVIRT.path(), kubevirt())
    return api


def check(cluster: Cluster) -> ClusterFacts:
    facts = read_facts(cluster, read_version(cluster))
    require_fit_cluster(cluster, facts)
    return facts


def refusal(cluster: Cluster) -> str:
    with pytest.raises(LabError) as caught:
        check(cluster)
    return str(caught.value)


def test_fit_cluster_passes_and_nothing_is_created(healthy: FakeApi, cluster: Cluster) -> None:
    facts = check(cluster)
    assert (facts.user, facts.usable_nodes, facts.server_version) == ("alice", ("n1", "n2"), "v1.36.0")
    assert {seen.path for seen in healthy.requests("POST")} == {ACCESS_REVIEW.path(), SELF_REVIEW.path()}
    assert len(healthy.requests("POST", ACCESS_REVIEW.path())) == len(NEEDED_RIGHTS)


def test_one_node_only_is_named(healthy: FakeApi, cluster: Cluster) -> None:
    healthy.remove(NODE.path(), "n2")
    message = refusal(cluster)
    assert "one node only: VMs can run on n1; a swap live-migrates the VM" in message
    assert "add or uncordon nodes" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (node("n2", cordoned=True), "n2 is cordoned"),
        (node("n2", ready="False"), "n2 is not Ready"),
        (node("n2", schedulable="false"), "n2 is without label kubevirt.io/schedulable=true"),
    ],
)
def test_unusable_node_is_named_with_its_reason(healthy: FakeApi, cluster: Cluster, second: Object, said: str) -> None:
    healthy.put(NODE.path(), second)
    message = refusal(cluster)
    assert "1 of 2 nodes usable" in message
    assert said in message


def test_missing_kubevirt_is_named(healthy: FakeApi, cluster: Cluster) -> None:
    healthy.remove(KUBEVIRT.path(), "kubevirt")
    assert "KubeVirt is not installed; install it" in refusal(cluster)


def test_missing_multus_is_named(healthy: FakeApi, cluster: Cluster) -> None:
    del healthy.answers["GET", NADS]
    assert "NetworkAttachmentDefinitions are not served (k8s.cni.cncf.io/v1); install Multus" in refusal(cluster)


def test_no_automatic_migration_is_named(healthy: FakeApi, cluster: Cluster) -> None:
    healthy.put(KUBEVIRT.path(), kubevirt(methods=("Evict",)))
    message = refusal(cluster)
    assert "workloadUpdateMethods ['Evict'], expected LiveMigrate among them" in message
    assert 'spec.workloadUpdateStrategy.workloadUpdateMethods: ["LiveMigrate"]' in message


def test_missing_rights_are_named_each(healthy: FakeApi, cluster: Cluster) -> None:
    healthy.answers["POST", ACCESS_REVIEW.path()] = {"status": {"allowed": False}}
    message = refusal(cluster)
    assert message.count("\n  - alice has no right to ") == len(NEEDED_RIGHTS)
    assert '"patch" on virtualmachines.kubevirt.io (the edit that is tested)' in message


@pytest.mark.parametrize(
    ("version", "gates", "why"),
    [
        ("v1.7.4", (), "KubeVirt v1.7.4: LiveUpdateNADRef exists since 1.8"),
        ("v1.7.4", ("LiveUpdateNADRef",), "exists since 1.8"),
        ("v1.8.4-12-gabc", (), "KubeVirt v1.8.4-12-gabc: LiveUpdateNADRef is not in featureGates"),
    ],
)
def test_missing_capability_has_the_measured_value(
    healthy: FakeApi, cluster: Cluster, version: str, gates: tuple[str, ...], why: str
) -> None:
    healthy.put(KUBEVIRT.path(), kubevirt(version, gates=gates))
    with pytest.raises(CapabilityMissing) as caught:
        check(cluster)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("version", "gates"),
    [("v1.8.4", ("LiveUpdateNADRef",)), ("v1.9.0+embedded", ()), ("v1.10.0-alpha.0", ()), ("v0.0.0-master+abc", ())],
)
def test_capability_by_version_and_gate(
    healthy: FakeApi, cluster: Cluster, version: str, gates: tuple[str, ...]
) -> None:
    healthy.put(KUBEVIRT.path(), kubevirt(version, gates=gates))
    check(cluster)


def test_nodes_that_may_not_be_listed_are_not_judged(healthy: FakeApi, cluster: Cluster) -> None:
    healthy.forbidden.add(("GET", "/nodes"))
    assert check(cluster).usable_nodes is None


def test_versions_are_compared_as_numbers() -> None:
    assert parse_version("v1.10.0") == (1, 10)
    assert parse_version("main") is None
