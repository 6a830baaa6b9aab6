# SPDX-License-Identifier: Apache-2.0
"""Policies from their creation to what the nodes report, at the API and in the data plane's wiring."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from emulator.apiserver.builtin import default_registry
from emulator.apiserver.core import ApiCore
from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.users import ADMIN
from emulator.dataplane.wiring import LINUX, Bridge, Uplink
from emulator.fault_points import FaultPoints
from emulator.kube.client import Obj
from emulator.kube.errors import ApiError
from emulator.nmstate.kinds import KINDS
from emulator.nmstate.webhooks import STAMP, Webhooks
from emulator.nodeagent.agent import Identities, NodeAgent
from emulator.pace import Pace
from tests.emulator.addons import condition, wait_for
from tests.emulator.nodeagent.fake_dataplane import FakeDataPlane

POLICIES = "nodenetworkconfigurationpolicies.nmstate.io"
ENACTMENTS = "nodenetworkconfigurationenactments.nmstate.io"
STATES = "nodenetworkstates.nmstate.io"
NMSTATE = {"apiVersion": "nmstate.io/v1", "kind": "NMState", "metadata": {"name": "nmstate"}}


class Lab:
    def __init__(self, client: LocalClient, dataplane: FakeDataPlane) -> None:
        self.client, self.dataplane = client, dataplane
        self.history: list[Obj] = []
        self.heard = asyncio.Event()

    async def recorded(self, obj: Obj) -> list[Obj]:
        """The history, once it reaches up to this state of an object."""
        async with asyncio.timeout(10):
            while obj["metadata"]["resourceVersion"] not in {o["metadata"]["resourceVersion"] for o in self.history}:
                self.heard.clear()
                await self.heard.wait()
        return self.history

    async def until(self, resource: str, name: str, good: Any) -> Obj:
        return dict(await wait_for(self.client, resource, name, good))

    async def settled(self, name: str = "p", kind: str = "Available") -> Obj:
        return await self.until(POLICIES, name, lambda p: condition(p, kind).get("status") == "True")


@asynccontextmanager
async def lab_with(speed: float = 100, operator: bool = True) -> AsyncIterator[Lab]:
    registry = default_registry()
    for kind in KINDS:
        registry.register(kind)
    core = ApiCore(registry)
    Webhooks(core).register()
    client, dataplane = LocalClient(core, ADMIN), FakeDataPlane()
    for name in ("default", "kubevirt"):
        await client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    if operator:
        await client.create("nmstates.nmstate.io", NMSTATE)
    identities = Identities(client, client, client, client)
    agent = NodeAgent(identities, dataplane, ["node-1", "node-2"], Pace(speed), FaultPoints())
    ready, lab = asyncio.Event(), Lab(client, dataplane)
    tasks = [asyncio.create_task(agent.run(ready.set)), asyncio.create_task(_record(lab))]
    try:
        async with asyncio.timeout(5):
            await ready.wait()
        yield lab
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


async def _record(lab: Lab) -> None:
    _, version = await lab.client.list(POLICIES)
    async for _event, obj in lab.client.watch(POLICIES, since=version):
        lab.history.append(obj)
        lab.heard.set()


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with lab_with() as running:
        yield running


def policy(nic: str = "ens4", name: str = "p", **spec: Any) -> Obj:
    wished = {"name": "br-new", "type": LINUX, "state": "up", "bridge": {"port": [{"name": nic}]}}
    desired = {"interfaces": [wished]}
    whole = {"desiredState": desired, **spec}
    meta = {"name": name}
    kind = "NodeNetworkConfigurationPolicy"
    return {"apiVersion": "nmstate.io/v1", "kind": kind, "metadata": meta, "spec": whole}


def true_ones(obj: Obj) -> list[str]:
    conditions = obj.get("status", {}).get("conditions") or []
    return [c["type"] for c in conditions if c["status"] == "True"]


async def test_policy_comes_about_on_every_node(lab: Lab) -> None:
    created = await lab.client.create(POLICIES, policy())
    assert [c["status"] for c in created["status"]["conditions"]] == ["Unknown"] * 4
    done = await lab.settled()
    found = condition(done, "Available")
    assert (found["reason"], found["message"]) == ("SuccessfullyConfigured", "2/2 nodes successfully configured")
    seen = [true_ones(obj) for obj in await lab.recorded(done)]
    steps = [step for number, step in enumerate(seen) if number == 0 or seen[number - 1] != step]
    assert steps == [[], ["Progressing"], ["Available"]]
    assert any("1/2 nodes finished" in condition(obj, "Progressing").get("message", "") for obj in lab.history)
    stamps = [obj["metadata"]["annotations"][STAMP] for obj in lab.history]
    assert len(set(stamps)) == len(stamps), "each write has a timestamp of its own"
    for node in ("node-1", "node-2"):
        enactment = await lab.client.get(ENACTMENTS, f"{node}.p")
        assert enactment["metadata"]["labels"] == {"nmstate.io/policy": "p", "nmstate.io/node": node}
        assert enactment["status"]["policyGeneration"] == done["metadata"]["generation"]
        assert true_ones(enactment) == ["Available"]
        assert [owner["uid"] for owner in enactment["metadata"]["ownerReferences"]] == [done["metadata"]["uid"]]
        port = enactment["status"]["desiredState"]["interfaces"][0]["bridge"]["port"][0]
        assert port["vlan"]["trunk-tags"] == [{"id-range": {"min": 2, "max": 4094}}]
        state = await lab.client.get(STATES, node)
        interfaces = state["status"]["currentState"]["interfaces"]
        assert [i["controller"] for i in interfaces if i["name"] == "ens4"] == ["br-new"]
        assert lab.dataplane.wirings[node].bridges["br-new"] == Bridge(LINUX, Uplink("ens4", ((2, 4094),)))
    offered = "bridge.network.kubevirt.io/br-new"
    marked = await lab.until("nodes", "node-1", lambda n: offered in n["status"]["allocatable"])
    capacity = marked["status"]["capacity"]
    assert {capacity[offered], capacity["bridge.network.kubevirt.io/br1"]} == {"1k"}


async def test_one_node_at_a_time_by_default(lab: Lab) -> None:
    await lab.client.create(POLICIES, policy())
    await lab.until(ENACTMENTS, "node-2.p", bool)
    waiting = [await lab.until(ENACTMENTS, f"{node}.p", true_ones) for node in ("node-1", "node-2")]
    assert sorted(true_ones(enactment)[0] for enactment in waiting) == ["Pending", "Progressing"]
    await lab.settled()


async def test_policy_for_one_node(lab: Lab) -> None:
    await lab.client.create(POLICIES, policy(nodeSelector={"kubernetes.io/hostname": "node-2"}))
    done = await lab.settled()
    assert condition(done, "Available")["message"] == "1/1 nodes successfully configured"
    enactments, _ = await lab.client.list(ENACTMENTS)
    assert [enactment["metadata"]["name"] for enactment in enactments] == ["node-2.p"]
    assert "node-1" not in lab.dataplane.wirings


async def test_policy_for_no_node_and_then_for_one(lab: Lab) -> None:
    await lab.client.create(POLICIES, policy(nodeSelector={"rack": "7"}))
    ignored = await lab.settled(kind="Ignored")
    assert {c["reason"] for c in ignored["status"]["conditions"]} == {"NoMatchingNode"}
    assert condition(ignored, "Available")["status"] == "False"
    await lab.client.patch("nodes", "node-1", None, {"metadata": {"labels": {"rack": "7"}}})
    await lab.settled()


async def test_unknown_nic(lab: Lab) -> None:
    await lab.client.create(POLICIES, policy("eth666"))
    failed = await lab.settled(kind="Degraded")
    said = condition(failed, "Degraded")
    assert said["reason"] == "FailedToConfigure"
    assert said["message"] == "1/2 nodes failed to configure, 1 nodes aborted configuration"
    enactments, _ = await lab.client.list(ENACTMENTS)
    assert sorted(true_ones(enactment)[0] for enactment in enactments) == ["Aborted", "Failing"]
    broken = next(enactment for enactment in enactments if true_ones(enactment) == ["Failing"])
    message = condition(broken, "Failing")["message"]
    assert "NmstateError: InvalidArgument: Ethernet interface eth666 does not exists" in message
    assert not lab.dataplane.wirings, "nothing of it stays"
    events, _ = await lab.client.list("events", "default")
    assert [event["reason"] for event in events] == ["ReconcileFailed"]
    await lab.client.patch(POLICIES, "p", None, {"spec": policy("ens5")["spec"]})
    await lab.settled()


async def test_no_change_while_one_is_under_way(lab: Lab) -> None:
    await lab.client.create(POLICIES, policy())
    with pytest.raises(ApiError) as refused:
        await lab.client.patch(POLICIES, "p", None, {"spec": policy("ens5")["spec"]})
    assert (refused.value.code, refused.value.reason) == (403, "Forbidden")
    assert refused.value.message.endswith("policy p is still in progress")
    await lab.client.patch(POLICIES, "p", None, {"metadata": {"labels": {"a": "b"}}})
    await lab.settled()
    changed = await lab.client.patch(POLICIES, "p", None, {"spec": policy("ens5")["spec"]})
    assert [c["status"] for c in changed["status"]["conditions"]] == ["Unknown"] * 4
    await lab.settled()
    uplink = lab.dataplane.wirings["node-1"].bridges["br-new"].uplink
    assert uplink
    assert uplink.nic == "ens5"


async def test_deleted_policy_leaves_the_nodes_as_they_are(lab: Lab) -> None:
    await lab.client.create(POLICIES, policy())
    await lab.settled()
    await lab.client.delete(POLICIES, "p")
    assert "br-new" in lab.dataplane.wirings["node-1"].bridges
    absent = {"name": "br-new", "type": LINUX, "state": "absent"}
    await lab.client.create(POLICIES, policy(name="q", desiredState={"interfaces": [absent]}))
    await lab.settled("q")
    assert "br-new" not in lab.dataplane.wirings["node-1"].bridges
    state = await lab.client.get(STATES, "node-1")
    assert "br-new" not in [i["name"] for i in state["status"]["currentState"]["interfaces"]]


async def test_name_and_capture_are_checked(lab: Lab) -> None:
    with pytest.raises(ApiError, match="invalid policy name"):
        await lab.client.create(POLICIES, policy(name="x" * 64))
    await lab.client.create(POLICIES, policy(capture={"a": "interfaces.type==ethernet"}))
    await lab.settled()
    with pytest.raises(ApiError, match="capture field cannot be modified"):
        await lab.client.patch(POLICIES, "p", None, {"spec": {"capture": {"a": "other"}}})


async def test_without_the_operators_object_nothing_happens() -> None:
    async with lab_with(operator=False) as lab:
        created = await lab.client.create(POLICIES, policy())
        assert "status" not in created
        assert STAMP not in created["metadata"].get("annotations", {})
        assert (await lab.client.list(STATES))[0] == []
        await lab.client.create("nmstates.nmstate.io", NMSTATE)
        await lab.settled()
        await lab.until(STATES, "node-1", bool)
