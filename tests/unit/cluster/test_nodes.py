# SPDX-License-Identifier: Apache-2.0
"""Between which nodes VMs can be live-migrated, and how guests are kept there."""

from __future__ import annotations

import random
import time
from itertools import combinations

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import KUBEVIRT, NODE
from livenad.cluster.facts import read_facts
from livenad.cluster.nodes import NodeFacts, judge_nodes

from tests.unit.support.fake_api import FakeApi, Object
from tests.unit.support.healthy_cluster import kubevirt, node

INTEL, AMD = "cpu-vendor.node.kubevirt.io/Intel", "cpu-vendor.node.kubevirt.io/AMD"
HOSTNAME = "kubernetes.io/hostname"


def host_model(model: str, *taken: str) -> list[str]:
    names = [f"cpu-model-migration.node.kubevirt.io/{name}" for name in (model, *taken)]
    return [f"host-model-cpu.node.kubevirt.io/{model}", *names]


def arch(item: Object, name: str) -> Object:
    item["metadata"]["labels"]["kubernetes.io/arch"] = name
    return item


def named(item: Object, hostname: str) -> Object:
    item["metadata"]["labels"][HOSTNAME] = hostname
    return item


def expression(facts: NodeFacts) -> Object:
    affinity = facts.required_affinity()
    assert affinity is not None
    (term,) = affinity["nodeSelectorTerms"]
    (rule,) = term["matchExpressions"]
    return dict(rule)


@pytest.mark.circumstance(
    "two of three nodes exchange VMs, the third does not",
    topic="nodes",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    "third",
    [
        node("n2", AMD),
        arch(node("n2"), "arm64"),
        node("n2", INTEL, *host_model("Old")),
    ],
)
def test_guests_are_kept_on_nodes_that_exchange_them(third: Object) -> None:
    alike = [arch(node(name, INTEL, *host_model("New", "Old")), "amd64") for name in ("n1", "n3")]
    facts = judge_nodes([alike[0], third, alike[1]])
    assert (facts.fit, facts.unfit, facts.misfit) == (("n1", "n3"), ("n2",), "")
    assert expression(facts) == {"key": HOSTNAME, "operator": "NotIn", "values": ["n2"]}


def test_nodes_are_selected_by_their_label_as_it_may_differ_from_the_name() -> None:
    intel = [named(node(name, INTEL), f"{name}.lab") for name in ("n1", "n2")]
    others = [
        named(node(name, label), f"{name}.lab")
        for name, label in (("n3", AMD), ("n4", "cpu-vendor.node.kubevirt.io/Z"))
    ]
    assert expression(judge_nodes([*intel, *others]))["values"] == ["n1.lab", "n2.lab"]


def test_nodes_that_are_alike_or_too_few_bind_no_guest() -> None:
    for nodes in ([], [node("n1", INTEL)], [node("n1", INTEL), node("n2", AMD)], [node("n1"), node("n2")]):
        assert judge_nodes(nodes).required_affinity() is None


@pytest.mark.circumstance(
    "the only untainted nodes cannot exchange VMs, the tainted one could",
    topic="nodes",
    sees="n2 takes over no VM of n1: they differ in their CPU vendor",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_tainted_node_is_no_partner() -> None:
    taint = {"key": "dedicated", "effect": "NoSchedule"}
    facts = judge_nodes([node("n1", INTEL), node("n2", AMD), node("n3", INTEL, taints=[taint])])
    assert facts.fit == ()
    assert "n2 takes over no VM of n1: they differ in their CPU vendor (Intel, AMD; label cpu-vendor" in facts.misfit


def test_vm_on_a_node_that_is_alone_is_told_with_the_labels() -> None:
    nodes = [node("n1", INTEL, *host_model("Old")), node("n2", INTEL, *host_model("New", "Old")), node("n3", AMD)]
    facts = judge_nodes(nodes)
    assert facts.stranded("n1") == facts.stranded("unknown") == ""
    assert facts.stranded("n2") == (
        "n1: it does not take CPU model New (no label cpu-model-migration.node.kubevirt.io/New); "
        "n3: they differ in their CPU vendor (Intel, AMD; label cpu-vendor.node.kubevirt.io/*)"
    )


def test_common_cpu_model_makes_nodes_alike(healthy: FakeApi, cluster: Cluster) -> None:
    """As the remedy says, in KubeVirt's configuration."""
    models = {"n1": host_model("New"), "n2": host_model("Old")}
    for name, labels in models.items():
        healthy.put(NODE.path(), node(name, *labels, "cpu-model.node.kubevirt.io/Haswell"))
    facts = read_facts(cluster, "v1").nodes
    assert facts is not None
    assert facts.fit == ()
    item = kubevirt()
    for model, fit in (("Haswell", ("n1", "n2")), ("host-model", ()), ("Skylake", ())):
        item["spec"]["configuration"]["cpuModel"] = model
        healthy.put(KUBEVIRT.path(), item)
        facts = read_facts(cluster, "v1").nodes
        assert facts is not None
        assert facts.fit == fit, model


def random_nodes(number: int, draw: random.Random) -> list[Object]:
    found = []
    for index in range(number):
        model = f"M{draw.randrange(12)}"
        taken = [f"M{other}" for other in range(12) if draw.random() < 0.6]
        labels = [draw.choice((INTEL, AMD)), *host_model(model, *taken)]
        found.append(arch(node(f"n{index}", *labels), draw.choice(("amd64", "amd64", "arm64"))))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_all_nodes_of_a_group_take_over_each_others_vms(seed: int) -> None:
    nodes = random_nodes(12, random.Random(seed))  # noqa: S311
    facts = judge_nodes(nodes)
    for first, second in combinations(facts.fit, 2):
        assert not facts.kinds[first].refuses(facts.kinds[second])
        assert not facts.kinds[second].refuses(facts.kinds[first])
    if not facts.fit:
        for first, second in combinations(facts.usable, 2):
            one, other = facts.kinds[first], facts.kinds[second]
            assert one.refuses(other) or other.refuses(one)


def test_a_thousand_nodes_are_judged_within_a_second() -> None:
    alike = [node(f"n{index}", INTEL, *host_model("New", "Old")) for index in range(1000)]
    all_different = random_nodes(1000, random.Random(1))  # noqa: S311
    for nodes in (alike, all_different):
        began = time.process_time()
        judge_nodes(nodes)
        assert time.process_time() - began < 1
