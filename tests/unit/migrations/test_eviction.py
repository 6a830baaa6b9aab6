# SPDX-License-Identifier: Apache-2.0
"""Evictions on a scripted API server: the refusal that is expected, and what else a cluster may answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import MIGRATION, POD, VM, VMI
from livenad.api.recorder import Recorder
from livenad.changes import Change
from livenad.errors import LabError, ProductFault, TestError
from livenad.migrations import eviction

from tests.unit.support.fake_api import FakeApi, Fault
from tests.unit.support.topology import vm

WEB = vm("web")
EVICTION = f"{POD.path('demo', 'launcher')}/eviction"
WEBHOOK = 'admission webhook "virt-launcher-eviction-interceptor.kubevirt.io" denied the request: '
TRIGGERED = f'{WEBHOOK}Eviction triggered evacuation of VMI "demo/web"'
UNDER_WAY = {"migrationUid": "m1", "sourceNode": "n1", "targetNode": "n2"}


def put_vmi(api: FakeApi, strategy: str | None = "LiveMigrate", migratable: str = "True", **status: Any) -> None:
    conditions = [{"type": "LiveMigratable", "status": migratable, "message": "a volume"}]
    item = {
        "metadata": {"name": "web", "uid": "u1"},
        "spec": {"evictionStrategy": strategy} if strategy else {},
        "status": {"nodeName": "n1", "phase": "Running", "conditions": conditions, **status},
    }
    api.put(VMI.path("demo"), item)


@pytest.fixture
def evict(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Change]]:
    """Evicts VM web, which runs on n1; KubeVirt has a moment to mark the VMI."""
    monkeypatch.setattr(eviction, "_SECONDS_TO_MARK", 0.3)
    put_vmi(api)
    labels = {"kubevirt.io/created-by": "u1", "vm.kubevirt.io/name": "web"}
    api.put(POD.path("demo"), {"metadata": {"name": "launcher", "labels": labels}, "spec": {"nodeName": "n1"}})
    recorder = Recorder(cluster, "demo", kinds=(VM, VMI, MIGRATION, POD))
    recorder.start()
    yield partial(eviction.evict, cluster, recorder, WEB)
    recorder.stop()


def refuses(api: FakeApi, message: str = TRIGGERED, **marked: Any) -> None:
    """The server refuses the eviction; with ``marked`` the VMI has got this status by then."""
    api.faults.append(Fault("POST", "/eviction", 429, after=bool(marked), message=message))
    if marked:
        api.once["POST"] = lambda: put_vmi(api, **marked)
        api.answers["POST", EVICTION] = {}


def test_refused_eviction_that_marks_the_vmi_is_the_expected_one(api: FakeApi, evict: Callable[..., Change]) -> None:
    refuses(api, evacuationNodeName="n1")
    change = evict()
    assert (change.action, change.node, change.vmi_uid) == ("evict", "n1", "u1")
    (sent,) = api.requests("POST")
    assert sent.path == EVICTION
    assert sent.body == {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "launcher", "namespace": "demo"},
    }


def test_eviction_whose_answer_is_lost_is_not_sent_again(api: FakeApi, evict: Callable[..., Change]) -> None:
    refuses(api, evacuationNodeName="n1")
    api.faults[0].status = 0
    assert evict().action == "evict"
    assert len(api.requests("POST")) == 1


def test_vmi_that_is_not_marked_is_a_fault_of_the_product(api: FakeApi, evict: Callable[..., Change]) -> None:
    refuses(api)
    with pytest.raises(ProductFault, match=r"expected status.evacuationNodeName n1 on the VMI within .*it is not set"):
        evict()


def test_mark_that_no_watch_tells_is_found(api: FakeApi, evict: Callable[..., Change]) -> None:
    refuses(api, evacuationNodeName="n1")
    api.mute_watches = True
    assert evict().action == "evict"


def test_mark_that_came_and_went_unseen_cannot_be_judged(api: FakeApi, evict: Callable[..., Change]) -> None:
    refuses(api, nodeName="n2")
    with pytest.raises(LabError, match="it has left n1, and no watch has told since its eviction"):
        evict()


@pytest.mark.parametrize(
    "said",
    [
        f'{WEBHOOK}Evacuation in progress: Eviction triggered evacuation of VMI "demo/web"',
        f"{WEBHOOK}Eviction request for target Pod",
        "Cannot evict pod as it would violate the pod's disruption budget.",
    ],
)
def test_any_other_refusal_is_told(api: FakeApi, cluster: Cluster, evict: Callable[..., Change], said: str) -> None:
    cluster.patience = 0.2
    refuses(api, said)
    with pytest.raises(ApiError, match=r"POST eviction of Pod demo/launcher on .*: 429") as caught:
        evict()
    assert said in str(caught.value)


def test_refusal_of_a_webhook_is_not_tried_again(api: FakeApi, evict: Callable[..., Change]) -> None:
    refuses(api, f"{WEBHOOK}Eviction request for target Pod")
    with pytest.raises(ApiError):
        evict()
    assert len(api.requests("POST")) == 1


def test_granted_eviction_ends_the_guest(api: FakeApi, evict: Callable[..., Change]) -> None:
    api.answers["POST", EVICTION] = {"kind": "Status", "status": "Success"}
    with pytest.raises(ProductFault, match=r"eviction of its launcher pod launcher to be refused .*it was granted"):
        evict()


def test_granted_eviction_of_the_pod_that_the_guest_has_left_came_too_late(
    api: FakeApi, evict: Callable[..., Change]
) -> None:
    api.answers["POST", EVICTION] = {"kind": "Status", "status": "Success"}
    api.once["POST"] = lambda: put_vmi(api, nodeName="n2")
    with pytest.raises(LabError, match="its migration had ended when its launcher pod was evicted"):
        evict(migrating=True)


@pytest.mark.parametrize("conflicts", [0, 1])
def test_eviction_that_the_webhook_takes_for_one_of_a_target_came_too_late(
    api: FakeApi, cluster: Cluster, evict: Callable[..., Change], conflicts: int
) -> None:
    """Said of the pod that the VMI has left; also where another client's write kept the eviction back until then."""
    said = "the object has been modified; please apply your changes to the latest version and try again"
    api.faults += [Fault("POST", "/eviction", 409, message=said)] * conflicts
    refuses(api, f"{WEBHOOK}Eviction request for target Pod", nodeName="n2")
    with pytest.raises(LabError, match="its migration had ended when its launcher pod was evicted"):
        evict(migrating=True)
    assert len(api.requests("POST")) == conflicts + 1


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (UNDER_WAY, ""),
        ({}, "its migration had not begun"),
        (UNDER_WAY | {"completed": True}, "its migration had ended"),
    ],
)
def test_migration_must_be_under_way_where_the_suite_says_so(
    api: FakeApi, evict: Callable[..., Change], state: dict[str, Any], said: str
) -> None:
    refuses(api, evacuationNodeName="n1", migrationState=state)
    if not said:
        assert evict(migrating=True).action == "evict"
        return
    with pytest.raises(LabError, match=said):
        evict(migrating=True)


@pytest.mark.parametrize("strategy", [None, "None", "External"])
def test_vm_that_an_eviction_would_not_migrate_is_left_alone(
    api: FakeApi, evict: Callable[..., Change], strategy: str | None
) -> None:
    put_vmi(api, strategy)
    with pytest.raises(TestError, match=f"evictionStrategy {strategy or 'not set'}, with which .*eviction_strategy"):
        evict()
    assert not api.requests("POST")


def test_vm_that_cannot_migrate_is_left_alone(api: FakeApi, evict: Callable[..., Change]) -> None:
    put_vmi(api, migratable="False")
    with pytest.raises(LabError, match=r"cannot be migrated, so .*LiveMigratable=False \(a volume\)"):
        evict()
    assert not api.requests("POST")


def test_vm_that_does_not_run_has_nothing_to_evict(api: FakeApi, evict: Callable[..., Change]) -> None:
    api.remove(VMI.path("demo"), "web")
    with pytest.raises(TestError, match="VM demo/web is not running"):
        evict()
