# SPDX-License-Identifier: Apache-2.0
"""What makes a cluster unfit, and how it is said: each lack with its remedy, before anything is created."""

from __future__ import annotations

import time
from pathlib import Path
from typing import get_args

import pytest
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import ACCESS_REVIEW, KUBEVIRT, NODE, RULES_REVIEW, SELF_REVIEW
from livenad.cluster.capabilities import Capabilities
from livenad.cluster.environment import Lab
from livenad.cluster.facts import ClusterFacts, parse_version, read_facts, read_version
from livenad.cluster.inventory import Row, survey
from livenad.cluster.preflight import CHECKS, CheckName, Finding, Preflight, judge_node_pair
from livenad.cluster.pretended_lacks import PRETENDED, LackName
from livenad.cluster.pretended_lacks import refusal as refusal_as_if
from livenad.errors import CapabilityMissing, LabError, TestError
from livenad.permissions.rights import FURTHER_RIGHTS, NEEDED_RIGHTS, OWN_NAMESPACES, UserAction
from livenad.settings import Settings

from tests.unit.support.fake_api import FakeApi, Fault, Object
from tests.unit.support.healthy_cluster import PUBLIC_VERSION, kubevirt, node, serve


def begin(cluster: Cluster) -> Lab:
    return Lab(cluster, read_facts(cluster, read_version(cluster)), Settings())


def preflight_of(cluster: Cluster) -> Preflight:
    lab = begin(cluster)
    return Preflight(lambda: lab)


def surveyed(lab: Lab) -> list[Row]:
    return survey(lab, Capabilities(lambda: lab), Preflight(lambda: lab))


def check(cluster: Cluster) -> ClusterFacts:
    lab = begin(cluster)
    Preflight(lambda: lab).require_fit()
    return lab.facts


def refusal(cluster: Cluster) -> str:
    with pytest.raises(LabError) as caught:
        check(cluster)
    return str(caught.value)


def test_fit_cluster_passes_and_nothing_is_created(healthy: FakeApi, cluster: Cluster) -> None:
    facts = check(cluster)
    assert facts.nodes is not None
    assert (facts.user, facts.nodes.fit, facts.server_version) == ("alice", ("n1", "n2"), "v1.36.0")
    reviews = {ACCESS_REVIEW.path(), RULES_REVIEW.path(), SELF_REVIEW.path()}
    assert {seen.path for seen in healthy.requests("POST")} == reviews
    assert len(healthy.requests("POST", ACCESS_REVIEW.path())) == len(NEEDED_RIGHTS + OWN_NAMESPACES)


def test_one_node_only_is_named(healthy: FakeApi, cluster: Cluster) -> None:
    healthy.remove(NODE.path(), "n2")
    message = refusal(cluster)
    assert "one node only: VMs can run on n1; a swap live-migrates the VM" in message
    assert "add or uncordon nodes" in message
    assert "\n" not in message


@pytest.mark.circumstance(
    "nodes are cordoned, tainted or not Ready",
    topic="nodes",
    sees="1 of 2 nodes usable ... n2 is cordoned",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    ("second", "said"),
    [
        (node("n2", unschedulable=True), "n2 is cordoned"),
        (
            node("n2", taints=[{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]),
            "n2 is tainted node-role.kubernetes.io/control-plane:NoSchedule",
        ),
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
    serve(healthy, "apps")
    assert "NetworkAttachmentDefinitions are not served (k8s.cni.cncf.io/v1); install Multus" in refusal(cluster)


def test_missing_rights_are_named_each(healthy: FakeApi, cluster: Cluster) -> None:
    healthy.answers["POST", ACCESS_REVIEW.path()] = {"status": {"allowed": False}}
    message = refusal(cluster)
    assert message.count("alice has no right to ") == len(NEEDED_RIGHTS + OWN_NAMESPACES)
    assert '"patch" on virtualmachines.kubevirt.io (the edit that is tested)' in message


def test_rights_of_one_suite_are_named_each(healthy: FakeApi, cluster: Cluster) -> None:
    preflight = preflight_of(cluster)
    assert len(preflight.require_rights(["migrate-vms", "restart-vms"])) == 2
    healthy.answers["POST", ACCESS_REVIEW.path()] = {"status": {"allowed": False}}
    with pytest.raises(LabError) as caught:
        preflight.require_rights(["make-vm-owners"])
    message = str(caught.value)
    assert 'alice has no right to "create" on serviceaccounts/token (the token' in message
    assert (
        '"bind" on clusterroles.rbac.authorization.k8s.io edit (that role); an administrator grants it by role '
        in message
    )
    asked = [seen.body["spec"]["resourceAttributes"] for seen in healthy.requests("POST", ACCESS_REVIEW.path())]
    assert {
        "verb": "create",
        "resource": "serviceaccounts",
        "subresource": "token",
    } in asked


def test_a_suite_may_name_the_actions_and_checks_that_there_are() -> None:
    assert sorted(get_args(UserAction)) == sorted(FURTHER_RIGHTS)
    assert get_args(CheckName) == tuple(CHECKS)


def test_phase_of_kubevirt_is_named(healthy: FakeApi, cluster: Cluster) -> None:
    item = kubevirt()
    item["status"]["phase"] = "Deploying"
    healthy.put(KUBEVIRT.path(), item)
    assert "KubeVirt kubevirt/kubevirt is in phase Deploying, not Deployed; wait until it is" in refusal(cluster)


@pytest.mark.circumstance(
    "the only two nodes have different CPUs",
    topic="nodes",
    sees="differ in their CPU vendor ... add a node like one of them",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (
            node("n1", "cpu-vendor.node.kubevirt.io/Intel"),
            node("n2", "cpu-vendor.node.kubevirt.io/AMD"),
            "n2 takes over no VM of n1: they differ in their CPU vendor (Intel, AMD; label cpu-vendor.node.",
        ),
        (
            node("n1", "host-model-cpu.node.kubevirt.io/New", "cpu-model-migration.node.kubevirt.io/Old"),
            node("n2", "host-model-cpu.node.kubevirt.io/Old", "cpu-model-migration.node.kubevirt.io/Old"),
            "n2 takes over no VM of n1: it does not take CPU model New (no label cpu-model-migration.node.",
        ),
    ],
)
def test_nodes_that_do_not_match_are_named(
    healthy: FakeApi, cluster: Cluster, first: Object, second: Object, said: str
) -> None:
    healthy.put(NODE.path(), first)
    healthy.put(NODE.path(), second)
    message = refusal(cluster)
    assert said in message
    assert "add a node like one of them, or give all VMs a common CPU model" in message


def test_a_third_node_may_match(healthy: FakeApi, cluster: Cluster) -> None:
    healthy.put(NODE.path(), node("n1", "cpu-vendor.node.kubevirt.io/AMD"))
    healthy.put(NODE.path(), node("n2", "cpu-vendor.node.kubevirt.io/Intel"))
    healthy.put(NODE.path(), node("n3", "cpu-vendor.node.kubevirt.io/AMD"))
    facts = check(cluster)
    assert facts.nodes is not None
    assert facts.nodes.fit == ("n1", "n3")
    shown = judge_node_pair(facts.nodes).value
    assert shown == (
        "VMs can run on 3 of 3 nodes: n1, n2, n3; they can move between n1 and n3; VMs of this run are kept off n2, "
        "between which and these they cannot move"
    )


def test_what_may_not_be_read_is_unknown_and_refuses_nothing(healthy: FakeApi, cluster: Cluster) -> None:
    healthy.forbidden |= {("GET", "/nodes"), ("GET", "/kubevirts")}
    healthy.answers["GET", PUBLIC_VERSION] = {"gitVersion": "v1.8.4"}
    facts = check(cluster)
    assert facts.nodes is None
    assert facts.kubevirt is not None
    assert facts.kubevirt.live_update_gate == (None, "KubeVirt v1.8.4: its featureGates may not be read")


def test_versions_are_compared_as_numbers() -> None:
    assert parse_version("v1.10.0") == (1, 10)
    assert parse_version("main") is None


def test_each_check_is_made_once_in_a_run(healthy: FakeApi, cluster: Cluster) -> None:
    lab = begin(cluster)
    preflight = Preflight(lambda: lab)
    survey(lab, Capabilities(lambda: lab), preflight)
    asked = len(healthy.requests("POST", ACCESS_REVIEW.path()))
    preflight.require_fit()
    assert len(healthy.requests("POST", ACCESS_REVIEW.path())) == asked


def test_what_was_named_and_is_unknown_is_a_skip_and_never_a_pass(healthy: FakeApi, cluster: Cluster) -> None:
    healthy.forbidden |= {("GET", "/nodes")}
    with pytest.raises(CapabilityMissing, match="Nodes cannot be checked: no right to list them"):
        preflight_of(cluster).require_fit(["nodes"])
    with pytest.raises(CapabilityMissing, match="capability node-list is not there: unknown"):
        refusal_as_if(begin(cluster), ["second-node"])


@pytest.mark.parametrize(
    ("lack", "said"),
    [
        ("second-node", "one node only: VMs can run on n1; a swap live-migrates the VM"),
        ("schedulable-nodes", "1 of 2 nodes usable: VMs can run on n1; n2 is cordoned; a swap live-migrates the VM"),
        ("kubevirt", "KubeVirt is not installed; install it"),
        ("multus", "NetworkAttachmentDefinitions are not served (k8s.cni.cncf.io/v1); install Multus"),
        ("rights", 'alice has no right to "create" on namespaces'),
    ],
)
def test_what_is_lacking_is_refused_with_its_remedy(
    healthy: FakeApi, cluster: Cluster, lack: LackName, said: str
) -> None:
    message = refused(cluster, lack)
    assert said in message and "; " in message
    assert not [seen for seen in healthy.requests("POST") if seen.path == ACCESS_REVIEW.path()]


def test_of_several_lacks_none_is_lost(healthy: FakeApi, cluster: Cluster) -> None:
    first, *others = refused(cluster, "second-node", "kubevirt", "multus").splitlines()
    assert first.endswith(" (and 2 more)")
    assert [line[:22] for line in others] == ["  - KubeVirt is not in", "  - NetworkAttachmentD"]


def refused(cluster: Cluster, *lacks: LackName) -> str:
    """What is said of the cluster as if it lacked this."""
    with pytest.raises(LabError) as caught:
        refusal_as_if(begin(cluster), lacks)
    return str(caught.value)


def test_a_fit_cluster_is_not_refused(healthy: FakeApi, cluster: Cluster) -> None:
    with pytest.raises(TestError, match="as if nothing was lacking: expected the preflight to refuse it"):
        refusal_as_if(begin(cluster), ["nothing"])
    with pytest.raises(TestError, match="name what it is to lack"):
        refusal_as_if(begin(cluster), [])


def test_a_lack_without_a_remedy_is_told(healthy: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRETENDED, "multus", lambda _: [Finding("Multus", "", ("Multus is missing",))])
    with pytest.raises(TestError, match="each lack with its remedy, there is none in: Multus is missing"):
        refusal_as_if(begin(cluster), ["multus"])


def test_only_the_checks_that_are_named_are_made(healthy: FakeApi, cluster: Cluster) -> None:
    (found,) = preflight_of(cluster).require_fit(["multus"])
    assert found.name == "Multus"
    assert not healthy.requests("POST", ACCESS_REVIEW.path())


def test_survey_of_a_slow_cluster_takes_less_than_half_a_minute_and_creates_nothing(
    healthy: FakeApi, cluster: Cluster
) -> None:
    healthy.delay = 1.0
    began = time.monotonic()
    rows = surveyed(begin(cluster))
    took = time.monotonic() - began
    assert len(rows) > 15
    assert 2 < took < 25
    reviews = {ACCESS_REVIEW.path(), RULES_REVIEW.path(), SELF_REVIEW.path()}
    assert {seen.path for seen in healthy.seen if seen.verb != "GET"} == reviews


def test_survey_names_what_is_missing_with_its_remedy(healthy: FakeApi, cluster: Cluster) -> None:
    healthy.put(KUBEVIRT.path(), kubevirt("v1.7.4", methods=()))
    lines = {row.name: str(row) for row in surveyed(begin(cluster))}
    assert lines["kubevirt"].startswith("yes: v1.7.4, Deployed; KubeVirt v1.7.4: LiveUpdateNADRef exists since 1.8")
    assert lines["live-update"] == (
        "no: KubeVirt v1.7.4: LiveUpdateNADRef exists since 1.8; remedy: use KubeVirt 1.9 or newer, or turn the gate "
        "LiveUpdateNADRef on in KubeVirt 1.8"
    )
    assert "an administrator sets spec.workloadUpdateStrategy" in lines["automatic-migration"]
    assert lines["nmstate"].startswith("no: nmstate.io is not served; remedy: install its operator")
    assert lines["platform"] == "no: plain Kubernetes"


def test_survey_goes_on_where_the_server_fails(healthy: FakeApi, kubeconfig: Path) -> None:
    lab = begin(hasty := Cluster(open_connection(str(kubeconfig)), patience=0.2))
    healthy.faults += [Fault("GET", "/storageclasses", 500) for _ in range(5)]
    lines = {row.name: str(row) for row in surveyed(lab)}
    hasty.close()
    assert lines["rwo-storage"].startswith("unknown: could not be read: ")
    assert lines["nodes"].startswith("yes: ")
