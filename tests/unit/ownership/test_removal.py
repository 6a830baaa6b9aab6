# SPDX-License-Identifier: Apache-2.0
"""What is in the way of a removal is named, by the words of the cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import NAMESPACE, VMI
from livenad.ownership.labels import mark
from livenad.ownership.removal import await_gone, await_no_guests

from tests.unit.support.fake_api import FakeApi, Object

REMAINING = "Some resources are remaining: virtualmachineinstances.kubevirt.io has 1 resource instances"
FINALIZERS = "Some content in the namespace has finalizers remaining: foregroundDeleteVirtualMachine in 1 resource"
DISCOVERY = "Discovery failed for some groups, 1 failing: metrics.k8s.io/v1beta1: stale GroupVersion discovery"


def terminating(*conditions: Object, **fields: object) -> Object:
    body = {"metadata": {"name": "demo", **fields}, "status": {"phase": "Terminating", "conditions": list(conditions)}}
    return mark(body, "r1")


def condition(type_: str, message: str, status: str = "True") -> Object:
    return {"type": type_, "status": status, "message": message}


@pytest.mark.circumstance(
    "a namespace stays in Terminating",
    topic="others",
    sees="namespace demo is Terminating, blocked by: Some resources are remaining: ... has finalizers remaining",
    verdict="PASS",
    source="https://github.com/kubernetes/kubernetes/pull/82189",
)
def test_namespace_that_stays_tells_what_blocks_it(
    api: FakeApi, cluster: Cluster, sees: Callable[[object], None]
) -> None:
    api.put(
        NAMESPACE.path(),
        terminating(
            condition("NamespaceDeletionDiscoveryFailure", "All resources successfully discovered", "False"),
            condition("NamespaceContentRemaining", REMAINING),
            condition("NamespaceFinalizersRemaining", FINALIZERS),
        ),
    )
    (line,) = await_gone(cluster, ["demo"], 0.1)
    sees(line)
    assert line.endswith(f"blocked by: {REMAINING}; {FINALIZERS}")


@pytest.mark.circumstance(
    "an aggregated API that is down keeps namespaces from being removed",
    topic="control plane",
    sees="blocked by: Discovery failed for some groups",
    verdict="PASS",
    source="https://github.com/kubernetes/kubernetes/issues/64002",
)
def test_namespace_that_cannot_be_searched(api: FakeApi, cluster: Cluster, sees: Callable[[object], None]) -> None:
    api.put(NAMESPACE.path(), terminating(condition("NamespaceDeletionDiscoveryFailure", DISCOVERY)))
    (line,) = await_gone(cluster, ["demo"], 0.1)
    sees(line)


def test_finalizers_of_namespace_and_guests_are_named(api: FakeApi, cluster: Cluster) -> None:
    api.put(NAMESPACE.path(), terminating(finalizers=["lab.example/archive"]))
    (line,) = await_gone(cluster, ["demo"], 0.1)
    assert line == "namespace demo is Terminating, blocked by: finalizer lab.example/archive of the namespace"
    for path in (
        VMI.path("demo"),
        "/apis/kubevirt.io/v1/namespaces/demo/virtualmachines",
        "/api/v1/namespaces/demo/pods",
    ):
        api.put(path, {"metadata": {"name": "x"}})
        api.remove(path, "x")
    metadata = {"name": "web", "namespace": "demo", "finalizers": ["foregroundDeleteVirtualMachine"]}
    api.put(VMI.path("demo"), mark({"metadata": {**metadata, "deletionTimestamp": "2026-01-01T00:00:00Z"}}, "r1"))
    (line,) = await_no_guests(cluster, "demo", "r1", 0.1)
    assert line == (
        "VirtualMachineInstance demo/web is still there, deleted and held by finalizer foregroundDeleteVirtualMachine"
    )


def test_a_removal_that_goes_on_is_waited_for(api: FakeApi, cluster: Cluster) -> None:
    """Each change starts the time again, so that many guests may take longer than one that stands still."""
    steps = [condition("NamespaceContentRemaining", f"{left} left") for left in range(6, 0, -1)]
    api.put(NAMESPACE.path(), terminating())

    def go_on() -> None:
        for step in steps:
            time.sleep(0.15)  # the cluster's pace
            api.put(NAMESPACE.path(), terminating(step))
        api.remove(NAMESPACE.path(), "demo")

    going = threading.Thread(target=go_on)
    going.start()
    assert await_gone(cluster, ["demo"], 0.6) == []
    going.join()


def test_a_report_waits_no_longer_for_a_removal_that_goes_on(api: FakeApi, cluster: Cluster) -> None:
    stop = threading.Event()
    api.put(NAMESPACE.path(), terminating())

    def go_on() -> None:
        number = 0
        while not stop.wait(0.02):
            number += 1
            api.put(NAMESPACE.path(), terminating(condition("NamespaceContentRemaining", f"step {number}")))

    going = threading.Thread(target=go_on)
    going.start()
    try:
        (line,) = await_gone(cluster, ["demo"], 0.3, times=1)
    finally:
        stop.set()
        going.join()
    assert "blocked by: step " in line
