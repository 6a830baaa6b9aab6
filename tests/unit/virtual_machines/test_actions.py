# SPDX-License-Identifier: Apache-2.0
"""Requests to a VM's subresources on a scripted API server: sent once, recorded, and looked up if lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import MIGRATION, VM, VMI
from livenad.api.recorder import Recorder
from livenad.api.status import AUTOMATIC, EVACUATION
from livenad.virtual_machines.actions import Verb, request_action

from tests.unit.support.fake_api import FakeApi, Fault
from tests.unit.support.topology import vm

WEB = vm("web")
ROOT = "/apis/subresources.kubevirt.io/v1/namespaces/demo/virtualmachines/web"


@pytest.fixture
def recorder(api: FakeApi, cluster: Cluster) -> Iterator[Recorder]:
    """VM web runs on n1."""
    put_vm(api)
    api.put(VMI.path("demo"), {"metadata": {"name": "web", "uid": "u1"}, "status": {"nodeName": "n1"}})
    api.put(MIGRATION.path("demo"), {"metadata": {"name": "old"}, "spec": {"vmiName": "web"}})
    made = Recorder(cluster, "demo", kinds=(VM, VMI, MIGRATION))
    made.start()
    yield made
    made.stop()


def put_vm(api: FakeApi, strategy: str = "Always", **status: object) -> None:
    api.put(VM.path("demo"), {"metadata": {"name": "web"}, "spec": {"runStrategy": strategy}, "status": status})


@pytest.mark.parametrize(
    ("verb", "what"),
    [
        ("start", "its start"),
        ("stop", "its stop"),
        ("restart", "its restart"),
        ("migrate", "its requested migration"),
    ],
)
def test_request_is_sent_and_recorded(
    api: FakeApi, cluster: Cluster, recorder: Recorder, verb: Verb, what: str
) -> None:
    api.answers["PUT", f"{ROOT}/{verb}"] = {}
    change = request_action(cluster, recorder, WEB, verb, {"gracePeriod": 0})
    (sent,) = api.requests("PUT")
    assert (sent.path, sent.body) == (f"{ROOT}/{verb}", {"gracePeriod": 0})
    assert (change.action, change.what, change.vm, change.vmi_uid, change.node) == (verb, what, "web", "u1", "n1")
    assert len(change.migrations) == 1


def test_refusal_is_told(api: FakeApi, cluster: Cluster, recorder: Recorder) -> None:
    api.faults.append(Fault("PUT", "restart", 403))
    with pytest.raises(ApiError, match=r"restart of VirtualMachine demo/web on .*: 403"):
        request_action(cluster, recorder, WEB, "restart")


@pytest.mark.parametrize("verb", ["stop", "restart", "migrate"])
def test_lost_answer_is_looked_up_in_what_came_of_it(
    api: FakeApi, cluster: Cluster, recorder: Recorder, verb: Verb
) -> None:
    def carried_out() -> None:
        if verb == "stop":
            put_vm(api, "Halted")
        elif verb == "restart":
            put_vm(api, stateChangeRequests=[{"action": "Stop"}])
        else:
            api.put(MIGRATION.path("demo"), {"metadata": {"name": "new"}, "spec": {"vmiName": "web"}})

    api.once["PUT"] = carried_out
    api.answers["PUT", f"{ROOT}/{verb}"] = {}
    api.faults.append(Fault("PUT", verb, after=True))
    assert request_action(cluster, recorder, WEB, verb).action == verb
    assert len(api.requests("PUT")) == 1


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "migrate"])
def test_state_of_before_is_no_sign_that_a_request_was_carried_out(api: FakeApi, cluster: Cluster, verb: Verb) -> None:
    """The first answer is 503 and nothing was carried out; the strategy is as asked for, and others act meanwhile."""
    put_vm(api, "Halted" if verb == "stop" else "Always", stateChangeRequests=[{"action": "Stop", "uid": "u0"}])
    recorder = Recorder(cluster, "demo", kinds=(VM, VMI, MIGRATION))
    recorder.start()
    if verb == "migrate":
        for name, annotations in (("auto", {AUTOMATIC: ""}), ("drain", {EVACUATION: "n1"})):
            metadata = {"name": name, "annotations": annotations}
            api.put(MIGRATION.path("demo"), {"metadata": metadata, "spec": {"vmiName": "web"}})
    api.answers["PUT", f"{ROOT}/{verb}"] = {}
    api.faults.append(Fault("PUT", verb, 503))
    request_action(cluster, recorder, WEB, verb)
    recorder.stop()
    assert len(api.requests("PUT")) == 2
