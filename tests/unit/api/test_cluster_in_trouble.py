# SPDX-License-Identifier: Apache-2.0
"""An API server that is in trouble for a while, or parts of it: what is asked again, and what is told in the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import NAD, VM, Object
from livenad.ownership.labels import mark

from tests.unit.support.fake_api import FakeApi, Fault

VMS = VM.path("demo")
LEADER = "etcdserver: leader changed"
WEBHOOK = (
    'Internal error occurred: failed calling webhook "virtualmachine-validator.kubevirt.io": failed to call webhook: '
    'Post "https://virt-api.kubevirt.svc:443/virtualmachines-validate?timeout=10s": dial tcp 10.96.0.9:443: connect: '
    "connection refused"
)
POOL = (
    'admission webhook "mutatevirtualmachines.kubemacpool.io" denied the request: Failed to create virtual machine '
    "allocation error: Failed to allocate mac to the vm object: failed to allocate requested mac address"
)


def web() -> Object:
    return mark({"metadata": {"name": "web", "namespace": "demo"}}, "r1")


@pytest.mark.circumstance(
    "etcd elects a new leader during a request",
    topic="control plane",
    sees="",
    verdict="PASS",
    source="https://github.com/carvel-dev/kapp/issues/106",
)
def test_request_that_meets_an_election_is_sent_again(api: FakeApi, cluster: Cluster) -> None:
    api.faults += [Fault("GET", NAD.path("demo"), 500, message=LEADER), Fault("POST", VMS, 500, message=LEADER)]
    assert cluster.list(NAD, "demo").items == []
    assert cluster.create(VM, web())["metadata"]["name"] == "web"
    assert len(api.requests("POST")) == 2


@pytest.mark.circumstance(
    "etcd elects a new leader after it has stored an object, and the answer is an error",
    topic="control plane",
    sees="",
    verdict="PASS",
    source="https://github.com/openshift/compliance-operator/pull/28",
)
def test_object_that_was_stored_before_the_election_is_not_made_again(api: FakeApi, cluster: Cluster) -> None:
    api.faults.append(Fault("POST", VMS, 500, after=True, message=LEADER))
    assert cluster.create(VM, web())["metadata"]["uid"]
    assert len(api.requests("POST")) == 1


@pytest.mark.circumstance(
    "virt-api restarts while a VM is created",
    topic="control plane",
    sees="",
    verdict="PASS",
    source="https://github.com/kubevirt/kubevirt/issues/14287",
)
def test_webhook_that_comes_back_is_waited_for(api: FakeApi, cluster: Cluster) -> None:
    api.faults += [Fault("POST", VMS, 500, message=WEBHOOK)] * 2
    assert cluster.create(VM, web())["metadata"]["uid"]
    assert len(api.requests("POST")) == 3


@pytest.mark.circumstance(
    "virt-api is down, and each VM is refused",
    topic="control plane",
    sees="failed calling webhook ... connection refused; a webhook of the cluster does not answer",
    verdict="LAB ERROR",
    source="https://github.com/kubevirt/kubevirt/issues/1714",
)
def test_webhook_that_stays_away_is_named(api: FakeApi, cluster: Cluster, sees: Callable[[object], None]) -> None:
    cluster.patience = 1.0
    api.faults += [Fault("POST", VMS, 500, message=WEBHOOK)] * 9
    with pytest.raises(ApiError) as caught:
        cluster.create(VM, web())
    sees(caught.value)


@pytest.mark.circumstance(
    "KubeMacPool knows a MAC of the run already",
    topic="rules",
    sees="failed to allocate requested mac address; another VM has the MAC, or a former VM of that name",
    verdict="LAB ERROR",
    source="https://github.com/kubevirt/cluster-network-addons-operator/issues/782",
)
@pytest.mark.parametrize("status", [400, 403, 500])
def test_mac_that_the_pool_has_given_away(
    api: FakeApi, cluster: Cluster, sees: Callable[[object], None], status: int
) -> None:
    cluster.patience = 1.0
    api.faults += [Fault("POST", VMS, status, message=POOL)] * 9
    with pytest.raises(ApiError) as caught:
        cluster.create(VM, web())
    sees(caught.value)
