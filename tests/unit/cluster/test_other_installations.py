# SPDX-License-Identifier: Apache-2.0
"""What else lies on a cluster and must not be taken for what counts: dead resources, bridges that are gone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import KUBEVIRT
from livenad.cluster.environment import CONFIG_MAP, Lab, foreign_nads
from livenad.cluster.facts import read_facts, read_kubevirt, read_version
from livenad.cluster.nodes import judge_nodes
from livenad.cluster.preflight import refuse
from livenad.errors import LabError
from livenad.permissions.rights import OWN_NAMESPACES, within
from livenad.settings import Settings

from tests.unit.support.fake_api import FakeApi, Object
from tests.unit.support.healthy_cluster import kubevirt, node


def another_kubevirt(**status: Any) -> Object:
    """One that comes first in a list, by its name."""
    item = kubevirt("v1.4.0")
    return {**item, "metadata": {"name": "a-dead-one", "namespace": "attic"}, "status": status}


@pytest.mark.circumstance(
    "a second, dead KubeVirt resource lies in another namespace",
    topic="others",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    "dead",
    [
        another_kubevirt(),
        another_kubevirt(phase="Deploying"),
        another_kubevirt(phase="Deleted"),
        another_kubevirt(phase="Deployed", observedKubeVirtVersion="v1.4.0"),
        {
            **another_kubevirt(phase="Deployed", conditions=[{"type": "Available", "status": "True"}]),
            "metadata": {"name": "a-dead-one", "namespace": "attic", "deletionTimestamp": "2026-01-01T00:00:00Z"},
        },
    ],
)
def test_kubevirt_that_lives_is_taken(healthy: FakeApi, cluster: Cluster, dead: Object) -> None:
    healthy.remove(KUBEVIRT.path(), "kubevirt")
    healthy.put(KUBEVIRT.path(), dead)
    alive = kubevirt()
    alive["status"]["conditions"] = [{"type": "Available", "status": "True"}]
    healthy.put(KUBEVIRT.path(), alive)
    found = read_kubevirt(cluster)
    assert found is not None
    assert (found.namespace, found.version_text) == ("kubevirt", "v1.9.0")


@pytest.mark.circumstance(
    "bridge-marker still lists a bridge that is gone, with a capacity of 0",
    topic="nodes",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_bridge_that_is_gone_has_a_capacity_of_0() -> None:
    item = node("n1")
    item["status"]["capacity"] = {"bridge.network.kubevirt.io/br1": "1k", "bridge.network.kubevirt.io/br2": "0"}
    assert judge_nodes([item]).bridges == {"n1": ("br1",)}


@pytest.mark.circumstance(
    "namespaceIsolation of Multus stands inside a conflist",
    topic="nodes",
    sees="ConfigMap kube-system/multus-cni-config",
    verdict="SKIP",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    "config",
    [
        {"type": "multus", "namespaceIsolation": True},
        {"name": "multus-cni-network", "plugins": [{"type": "multus", "namespaceIsolation": True}]},
        {"plugins": [{"type": "loopback"}, {"type": "multus", "namespaceIsolation": True}]},
    ],
)
def test_isolation_is_seen_wherever_multus_is_configured(healthy: FakeApi, cluster: Cluster, config: Object) -> None:
    item = {"metadata": {"name": "multus-cni-config"}, "data": {"cni-conf.json": json.dumps(config), "notes": "["}}
    healthy.put(CONFIG_MAP.path("kube-system"), item)
    lab = Lab(cluster, read_facts(cluster, read_version(cluster)), Settings())
    found = foreign_nads(lab)
    assert found.there is False
    assert "ConfigMap kube-system/multus-cni-config" in found.value


@pytest.mark.circumstance(
    "a cluster lacks several things at once",
    topic="nodes",
    sees="cannot run these tests: no Multus; install it (and 2 more)",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_several_lacks_begin_with_the_first_one(healthy: FakeApi, cluster: Cluster) -> None:
    """Console, report and sign-off show the first line of a message."""
    facts = read_facts(cluster, read_version(cluster))
    with pytest.raises(LabError) as caught:
        refuse(facts, ["no Multus; install it", "one node only; add one", "no right to act; ask for it"])
    first, *rest = str(caught.value).splitlines()
    assert first.endswith("cannot run these tests: no Multus; install it (and 2 more)")
    assert rest == ["  - one node only; add one", "  - no right to act; ask for it"]


@pytest.mark.circumstance(
    "a user may not create namespaces",
    topic="rules",
    sees="or gives you a namespace, which you name by variable NAMESPACE",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_rights_on_namespaces_can_be_done_without() -> None:
    (right, *_) = within(OWN_NAMESPACES, "")
    assert right.remedy.endswith("or gives you a namespace, which you name by variable NAMESPACE")
    assert "docs/rbac/own-namespaces.yaml" in right.remedy


@pytest.mark.circumstance(
    "pods have IPv6 addresses only",
    topic="nodes",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    ("addresses", "ipv6_only"),
    [((), False), (("192.0.2.1",), False), (("2001:db8::1",), True), (("192.0.2.1", "2001:db8::1"), False)],
)
def test_cluster_whose_pods_have_no_ipv4_is_known_by_its_nodes(addresses: tuple[str, ...], ipv6_only: bool) -> None:
    item = node("n1")
    named = [{"type": "Hostname", "address": "n1"}]
    item["status"]["addresses"] = named + [{"type": "InternalIP", "address": address} for address in addresses]
    assert judge_nodes([item]).ipv6_only is ipv6_only
