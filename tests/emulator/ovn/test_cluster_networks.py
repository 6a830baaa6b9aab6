# SPDX-License-Identifier: Apache-2.0
"""ClusterUserDefinedNetworks: what is refused, the NADs that they make, and how long they stay."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.kube.client import Obj
from emulator.kube.errors import ApiError
from emulator.ovn.addons import ClusterUserDefinedNetworks
from tests.emulator.addons import Cluster, cluster_with, condition

CUDNS = "clusteruserdefinednetworks.k8s.ovn.org"
NADS = "network-attachment-definitions.k8s.cni.cncf.io"
PROTECTION = "k8s.ovn.org/user-defined-network-protection"


def localnet(vlan: int | None = 100, **changes: Any) -> Obj:
    found: Obj = {"role": "Secondary", "physicalNetworkName": "physnet", "ipam": {"mode": "Disabled"}}
    if vlan is not None:
        found["vlan"] = {"mode": "Access", "access": {"id": vlan}}
    return found | changes


def cudn(name: str = "net-a", team: str = "one", topology: str = "Localnet", **network: Any) -> Obj:
    return {
        "apiVersion": "k8s.ovn.org/v1",
        "kind": "ClusterUserDefinedNetwork",
        "metadata": {"name": name, "labels": {"run": "42"}},
        "spec": {
            "namespaceSelector": {"matchLabels": {"team": team}},
            "network": {"topology": topology, **(network or {"localnet": localnet()})},
        },
    }


def created(obj: Obj | None, *spaces: str) -> bool:
    text = f"NetworkAttachmentDefinition has been created in following namespaces: [{', '.join(spaces)}]"
    found = condition(obj, "NetworkCreated")
    return (found.get("status"), found.get("message")) == ("True", text)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with cluster_with(ClusterUserDefinedNetworks()) as running:
        await running.namespace("one", team="one")
        yield running


async def test_nad_in_each_matching_namespace(cluster: Cluster) -> None:
    await cluster.namespace("two", team="one")
    await cluster.namespace("other")
    made = await cluster.client.create(CUDNS, cudn())
    done = await cluster.until(CUDNS, "net-a", lambda c: created(c, "one", "two"))
    assert condition(done, "NetworkCreated")["reason"] == "NetworkAttachmentDefinitionCreated"
    assert PROTECTION in done["metadata"]["finalizers"]
    nad = await cluster.client.get(NADS, "net-a", "two")
    meta = nad["metadata"]
    assert meta["labels"] == {"run": "42", "k8s.ovn.org/user-defined-network": ""}
    assert meta["finalizers"] == [PROTECTION]
    assert [(o["uid"], o["controller"]) for o in meta["ownerReferences"]] == [(made["metadata"]["uid"], True)]
    config = json.loads(nad["spec"]["config"])
    config.pop("cniVersion")
    assert config == {
        "type": "ovn-k8s-cni-overlay",
        "name": "cluster_udn_net-a",
        "netAttachDefName": "two/net-a",
        "topology": "localnet",
        "role": "secondary",
        "mtu": 1500,
        "physicalNetworkName": "physnet",
        "vlanID": 100,
    }
    assert await cluster.find(NADS, "net-a", "other") is None


async def test_namespace_may_come_later_and_leave(cluster: Cluster) -> None:
    await cluster.client.create(CUDNS, cudn(team="late", localnet=localnet(None)))
    await cluster.until(CUDNS, "net-a", created)
    await cluster.namespace("late")
    await cluster.client.patch("namespaces", "late", None, {"metadata": {"labels": {"team": "late"}}})
    await cluster.until(CUDNS, "net-a", lambda c: created(c, "late"))
    nad = await cluster.client.get(NADS, "net-a", "late")
    assert "vlanID" not in json.loads(nad["spec"]["config"])
    await cluster.client.patch("namespaces", "late", None, {"metadata": {"labels": {"team": None}}})
    await cluster.until(NADS, "net-a", lambda n: n is None, "late")


async def test_subnets_are_passed_on(cluster: Cluster) -> None:
    subnets = ["192.0.2.0/24", "2001:db8::/64"]
    await cluster.client.create(CUDNS, cudn(localnet=localnet(ipam={"mode": "Enabled"}, subnets=subnets)))
    nad = await cluster.until(NADS, "net-a", bool, "one")
    assert json.loads(nad["spec"]["config"])["subnets"] == "192.0.2.0/24,2001:db8::/64"


async def test_deleted_nad_comes_back(cluster: Cluster) -> None:
    await cluster.client.create(CUDNS, cudn())
    first = await cluster.until(NADS, "net-a", bool, "one")
    await cluster.client.delete(NADS, "net-a", "one")
    uid = first["metadata"]["uid"]
    again = await cluster.until(NADS, "net-a", lambda n: n and n["metadata"]["uid"] != uid, "one")
    assert again["spec"] == first["spec"]


async def test_foreign_nad_is_left_alone(cluster: Cluster) -> None:
    foreign = {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "net-a", "namespace": "one"},
        "spec": {"config": "{}"},
    }
    await cluster.client.create(NADS, foreign)
    await cluster.client.create(CUDNS, cudn())
    stuck = await cluster.until(CUDNS, "net-a", lambda c: condition(c, "NetworkCreated").get("status") == "False")
    found = condition(stuck, "NetworkCreated")
    assert found["reason"] == "NetworkAttachmentDefinitionSyncError"
    assert found["message"] == "foreign NetworkAttachmentDefinition with the desired name already exist [one/net-a]"
    await cluster.client.delete(NADS, "net-a", "one")
    await cluster.until(CUDNS, "net-a", lambda c: created(c, "one"))


async def test_network_in_use_stays(cluster: Cluster) -> None:
    await cluster.client.create(CUDNS, cudn())
    await cluster.until(NADS, "net-a", bool, "one")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "virt-launcher-vm-x",
            "namespace": "one",
            "annotations": {"k8s.ovn.org/pod-networks": '{"one/net-a":{"mac_address":"02:00:00:00:00:01"}}'},
        },
        "spec": {"containers": [{"name": "c", "image": "registry.example/c:1"}], "nodeName": "none"},
    }
    await cluster.client.create("pods", pod)
    await cluster.client.delete(CUDNS, "net-a")
    blocked = await cluster.until(CUDNS, "net-a", lambda c: condition(c, "NetworkCreated").get("status") == "False")
    assert condition(blocked, "NetworkCreated")["message"] == (
        "failed to delete NetworkAttachmentDefinition [one/net-a]: network in use by the following pods: "
        "[one/virt-launcher-vm-x]"
    )
    await cluster.client.delete("pods", "virt-launcher-vm-x", "one", grace=0)
    await cluster.until(CUDNS, "net-a", lambda c: c is None)
    assert await cluster.find(NADS, "net-a", "one") is None


async def test_namespace_goes_with_its_nad(cluster: Cluster) -> None:
    await cluster.client.create(CUDNS, cudn())
    await cluster.until(NADS, "net-a", bool, "one")
    await cluster.client.delete("namespaces", "one")
    await cluster.until("namespaces", "one", lambda n: n is None)
    await cluster.until(CUDNS, "net-a", created)


REFUSALS = (
    (
        {"localnet": localnet(ipam={"mode": "Enabled"})},
        "Subnets is required with ipam.mode is Enabled or unset, and forbidden otherwise",
    ),
    (
        {"localnet": localnet(None) | {"vlan": {"mode": "Access"}}},
        "vlan access config is required when vlan mode is 'Access', and forbidden otherwise",
    ),
    ({"localnet": localnet(4095)}, "spec.network.localnet.vlan.access.id in body should be less than or equal to 4094"),
    ({"localnet": localnet(physicalNetworkName="a:b")}, "physicalNetworkName cannot contain `,` or `:` characters"),
    (
        {"localnet": localnet(ipam={"mode": "Disabled", "lifecycle": "Persistent"})},
        "lifecycle Persistent is only supported when ipam.mode is Enabled",
    ),
    (
        {"topology": "Layer2", "localnet": localnet()},
        "spec.localnet is required when topology is Localnet and forbidden otherwise",
    ),
    ({"topology": "Flat", "localnet": localnet()}, 'Unsupported value: "Flat"'),
    ({"localnet": {"role": "Secondary"}}, "spec.network.localnet.physicalNetworkName: Required value"),
)


@pytest.mark.parametrize(("network", "why"), REFUSALS)
async def test_refusals(cluster: Cluster, network: Obj, why: str) -> None:
    with pytest.raises(ApiError) as refused:
        await cluster.client.create(CUDNS, cudn(**network))
    assert (refused.value.code, refused.value.reason) == (422, "Invalid")
    assert why in refused.value.message


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ({"localnet": {"vlan": {"access": {"id": 200}}}}, "Localnet is immutable"),
        ({"topology": "Layer2", "localnet": None, "layer2": {"role": "Secondary"}}, "Topology is immutable"),
    ],
)
async def test_network_is_immutable(cluster: Cluster, patch: Obj, why: str) -> None:
    await cluster.client.create(CUDNS, cudn())
    with pytest.raises(ApiError) as refused:
        await cluster.client.patch(CUDNS, "net-a", None, {"spec": {"network": patch}})
    assert refused.value.code == 422
    assert why in refused.value.message
