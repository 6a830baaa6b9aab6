# SPDX-License-Identifier: Apache-2.0
"""Policies of NMState: awaited on every node, refused at once, undone before they are deleted."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from livenad.api.client import Cluster
from livenad.errors import LabError
from livenad.networks.nmstate_policies import ENACTMENT, POLICY, UNDO_NOTE, apply_policy, policy, remove_policy
from livenad.ownership.labels import mark

from tests.unit.support.fake_api import FakeApi, Fault

Object = dict[str, Any]

NAME = "kubevirt-nad-tests-br"
BODY = mark(policy(NAME, {"worker": ""}, {"interfaces": [{"name": "br"}]}, {"interfaces": [{"state": "absent"}]}), "r1")


def condition(kind: str, reason: str, message: str = "", at: str = "T1") -> Object:
    return {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": at}


AVAILABLE = condition("Available", "SuccessfullyConfigured", "2/2 nodes successfully configured")
SHOUT = (
    'error reconciling NodeNetworkConfigurationPolicy on node n2 at desired state apply: "",\n failed to execute '
    "nmstatectl apply: exit status 1\nNmstateError: InvalidArgument: Ethernet interface ens9 does not exists\n"
    + "x"
    * 9000
)


def put_policy(api: FakeApi, generation: int, *conditions: Object) -> None:
    """The policy as NMState has it now."""
    with api.condition:
        item = json.loads(json.dumps(api.objects.get((POLICY.path(), NAME), BODY)))
        item["metadata"]["generation"] = generation
        item["status"] = {"conditions": list(conditions)}
        api.put(POLICY.path(), item)


def put_enactment(api: FakeApi, node: str, generation: int, *conditions: Object) -> None:
    """What a node makes of it."""
    labels = {"nmstate.io/policy": NAME, "nmstate.io/node": node}
    meta = {"name": f"{node}.{NAME}", "labels": labels}
    status = {"policyGeneration": generation, "conditions": list(conditions)}
    api.put(ENACTMENT.path(), {"metadata": meta, "status": status})


def background(action: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


def await_request(api: FakeApi, verb: str) -> None:
    """NMState hears of a write only when it is stored."""
    with api.condition:
        assert api.condition.wait_for(lambda: bool(api.requests(verb, POLICY.plural)), 5)
        assert api.condition.wait_for(lambda: (POLICY.path(), NAME) in api.objects, 5)


@pytest.fixture
def nmstate(api: FakeApi) -> FakeApi:
    """A cluster that serves NMState and has nothing of it."""
    for kind in (POLICY, ENACTMENT):
        api.put(kind.path(), {"metadata": {"name": "foreign"}})
        api.remove(kind.path(), "foreign")
    api.generations = True
    return api


def applied(cluster: Cluster, within: float = 5) -> None:
    apply_policy(cluster, json.loads(json.dumps(BODY)), ["n1", "n2"], within)


def test_policy_is_done_when_every_node_is(nmstate: FakeApi, cluster: Cluster) -> None:
    done = threading.Event()

    def work() -> None:
        await_request(nmstate, "POST")
        put_enactment(nmstate, "n1", 1, condition("Available", "SuccessfullyConfigured"))
        put_policy(nmstate, 1, AVAILABLE)
        done.wait(0.3)
        put_enactment(nmstate, "n2", 1, condition("Available", "SuccessfullyConfigured"))
        done.set()

    thread = background(work)
    applied(cluster)
    assert done.is_set()
    thread.join()
    meta = nmstate.objects[POLICY.path(), NAME]["metadata"]
    assert meta["labels"] == {"kubevirt-nad-tests/run": "r1"}
    assert json.loads(meta["annotations"][UNDO_NOTE]) == {"interfaces": [{"state": "absent"}]}


def test_refusal_is_told_at_once_by_nmstates_own_line(nmstate: FakeApi, cluster: Cluster) -> None:
    def work() -> None:
        await_request(nmstate, "POST")
        put_enactment(nmstate, "n1", 1, condition("Available", "SuccessfullyConfigured"))
        put_enactment(nmstate, "n2", 1, condition("Failing", "FailedToConfigure", SHOUT))
        put_policy(nmstate, 1, condition("Degraded", "FailedToConfigure", "1/2 nodes failed to configure"))

    background(work)
    began = time.monotonic()
    with pytest.raises(LabError) as caught:
        applied(cluster, within=60)
    assert time.monotonic() - began < 10
    message = str(caught.value)
    assert "n2: NmstateError: InvalidArgument: Ethernet interface ens9 does not exists" in message
    assert len(message) < 600


@pytest.mark.parametrize(
    "shown",
    [
        condition("Ignored", "NoMatchingNode", "Policy does not match any node"),
        condition("Available", "NoMatchingNode", "Policy does not match any node"),
    ],
    ids=["new form", "old form"],
)
def test_policy_that_matches_no_node_is_a_failure_in_both_forms(
    nmstate: FakeApi, cluster: Cluster, shown: Object
) -> None:
    def work() -> None:
        await_request(nmstate, "POST")
        put_policy(nmstate, 1, shown)

    background(work)
    with pytest.raises(LabError, match="Policy does not match any node"):
        applied(cluster, within=60)


def test_policy_that_nobody_carries_out_is_told_with_the_remedy(nmstate: FakeApi, cluster: Cluster) -> None:
    with pytest.raises(LabError) as caught:
        applied(cluster, within=0.3)
    assert "for 0.3 s: node n1 is not done, node n2 is not done" in str(caught.value)
    assert "check that an NMState resource exists" in str(caught.value)


def standing(api: FakeApi, *conditions: Object) -> Object:
    """A policy that was carried out, or not."""
    put_policy(api, 1, *(conditions or (AVAILABLE,)))
    for node in ("n1", "n2"):
        put_enactment(api, node, 1, condition("Available", "SuccessfullyConfigured"))
    return api.objects[POLICY.path(), NAME]


def enact_undo(api: FakeApi) -> None:
    """NMState carries the changed policy out. Until then the policy shows what it showed before the change."""
    await_request(api, "PATCH")
    with api.condition:
        api.condition.wait_for(
            lambda: "absent" in json.dumps(api.objects[POLICY.path(), NAME]["spec"]["desiredState"]), 5
        )
    for node in ("n1", "n2"):
        put_enactment(api, node, 2, condition("Available", "SuccessfullyConfigured", at="T2"))
    put_policy(api, 2, {**AVAILABLE, "lastTransitionTime": "T2"})


def test_policy_is_undone_on_all_nodes_before_it_is_deleted(nmstate: FakeApi, cluster: Cluster) -> None:
    found = standing(nmstate)
    thread = background(lambda: enact_undo(nmstate))
    remove_policy(cluster, found, 5)
    thread.join()
    assert (POLICY.path(), NAME) not in nmstate.objects
    (patch,) = nmstate.requests("PATCH", POLICY.plural)
    assert patch.body == [
        {"op": "replace", "path": "/spec/desiredState", "value": {"interfaces": [{"state": "absent"}]}}
    ]
    enacted = {item["status"]["policyGeneration"] for (path, _), item in nmstate.objects.items() if "enact" in path}
    assert enacted == {2}


def test_change_is_repeated_while_nmstate_is_at_work(nmstate: FakeApi, cluster: Cluster) -> None:
    found = standing(nmstate)
    nmstate.faults.append(Fault("PATCH", NAME, 403, message=f"policy {NAME} is still in progress"))

    def work() -> None:
        await_request(nmstate, "PATCH")
        put_policy(nmstate, 1, AVAILABLE)
        enact_undo(nmstate)

    thread = background(work)
    remove_policy(cluster, found, 15)
    thread.join()
    assert len(nmstate.requests("PATCH", POLICY.plural)) == 2
    assert (POLICY.path(), NAME) not in nmstate.objects


def test_policy_that_failed_is_undone_as_well(nmstate: FakeApi, cluster: Cluster) -> None:
    found = standing(nmstate, condition("Degraded", "FailedToConfigure", "1/2 nodes failed"))
    thread = background(lambda: enact_undo(nmstate))
    remove_policy(cluster, found, 5)
    thread.join()
    assert (POLICY.path(), NAME) not in nmstate.objects


def test_policy_that_cannot_be_undone_stays(nmstate: FakeApi, cluster: Cluster) -> None:
    found = standing(nmstate)
    with pytest.raises(LabError, match="node n1 is not done"):
        remove_policy(cluster, found, 0.3)
    assert (POLICY.path(), NAME) in nmstate.objects
