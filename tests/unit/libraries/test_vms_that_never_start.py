# SPDX-License-Identifier: Apache-2.0
"""What keeps launcher pods from starting on real clusters: told by the cluster's own words, with what helps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from livenad.api.kinds import EVENT, POD, VMI
from livenad.errors import LabError
from livenad.ownership.labels import VM_LABEL

from tests.unit.libraries.conftest import NAME, Call, open_suite
from tests.unit.support.fake_api import FakeApi, Object

FORBIDDEN = 'Error creating pod: pods "virt-launcher-web-x7k2p" is forbidden: '


def put_vmi(api: FakeApi, phase: str, *conditions: Object) -> None:
    status = {"phase": phase, "conditions": list(conditions)}
    api.put(VMI.path(NAME), {"metadata": {"name": "web", "namespace": NAME, "uid": "u1"}, "status": status})


def put_warning(api: FakeApi, kind: str, name: str, reason: str, message: str) -> None:
    about = {"kind": kind, "name": name, "namespace": NAME}
    event = {"metadata": {"name": f"{name}.1", "namespace": NAME}, "involvedObject": about}
    api.put(EVENT.path(NAME), {**event, "type": "Warning", "reason": reason, "message": message})


def put_pod(api: FakeApi, **status: object) -> None:
    labels = {VM_LABEL: "web", "kubevirt.io/created-by": "u1", "kubevirt-nad-tests/run": "r1"}
    api.put(POD.path(NAME), {"metadata": {"name": "launcher", "namespace": NAME, "labels": labels}, "status": status})


def refusal(started: Call) -> LabError:
    open_suite().recorder.catch_up()
    with pytest.raises(LabError, match=r"^LAB ERROR: expected all VMs to be ready") as caught:
        started("Wait Until VMs Are Ready", within=timedelta(seconds=0.3))
    return caught.value


@pytest.mark.parametrize(
    "why",
    [
        pytest.param(
            'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "compute" must set',
            marks=pytest.mark.circumstance(
                "a namespace enforces Pod Security level restricted",
                topic="rules",
                sees='violates PodSecurity "restricted:latest" ... pod-security.kubernetes.io/enforce=privileged',
                verdict="LAB ERROR",
                source="https://github.com/kubevirt/kubevirt/issues/14090",
            ),
        ),
        pytest.param(
            'unable to validate against any security context constraint: [provider "restricted-v2": Forbidden]',
            marks=pytest.mark.circumstance(
                "no SecurityContextConstraint but a restricted one is left for launcher pods",
                topic="rules",
                sees="unable to validate against any security context constraint ... which ones virt-controller may",
                verdict="LAB ERROR",
                source="https://github.com/kubevirt/kubevirt/issues/1019",
            ),
        ),
        pytest.param(
            "maximum memory usage per Container is 512Mi, but limit is 1Gi",
            marks=pytest.mark.circumstance(
                "a project template gives each new namespace a LimitRange",
                topic="rules",
                sees="maximum memory usage per Container is 512Mi ... a LimitRange of the namespace forbids it",
                verdict="LAB ERROR",
                source="https://github.com/kubevirt/kubevirt/issues/970",
            ),
        ),
        pytest.param(
            "failed quota: compute: must specify limits.memory for: compute",
            marks=pytest.mark.circumstance(
                "a project template gives each new namespace a quota on limits",
                topic="rules",
                sees="must specify limits.memory ... a ResourceQuota forbids it",
                verdict="LAB ERROR",
                source="https://github.com/kubevirt/kubevirt/pull/10447",
            ),
        ),
    ],
)
def test_launcher_pod_that_is_refused(api: FakeApi, started: Call, sees: Callable[[object], None], why: str) -> None:
    """KubeVirt tells it by a condition of the VMI, and by an event."""
    failed = {"type": "Synchronized", "status": "False", "reason": "FailedCreate", "message": FORBIDDEN + why}
    put_vmi(api, "Pending", failed)
    sees(refusal(started))


def test_launcher_pod_that_is_refused_by_an_event_alone(api: FakeApi, started: Call) -> None:
    put_vmi(api, "Pending")
    open_suite().recorder.catch_up()
    put_warning(api, "VirtualMachineInstance", "web", "FailedCreate", FORBIDDEN + "exceeded quota: small")
    assert open_suite().recorder.wait_for(lambda history: history.records(EVENT), 5, "an event", str)
    assert "FailedCreate: Error creating pod: " in str(refusal(started))


@pytest.mark.parametrize(
    "scheduler",
    [
        pytest.param(
            "0/3 nodes are available: 3 Insufficient devices.kubevirt.io/kvm.",
            marks=pytest.mark.circumstance(
                "the nodes have no hardware virtualization",
                topic="nodes",
                sees="Insufficient devices.kubevirt.io/kvm ... useEmulation",
                verdict="LAB ERROR",
                source="https://github.com/kubevirt/kubevirt/issues/7779",
            ),
        ),
        pytest.param(
            "0/3 nodes are available: 1 node(s) had untolerated taint {dedicated: db}, 2 Insufficient memory.",
            marks=pytest.mark.circumstance(
                "the nodes have no memory left for a VM",
                topic="nodes",
                sees="2 Insufficient memory ... free or add nodes, or lower VM_MEMORY",
                verdict="LAB ERROR",
                source="https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
            ),
        ),
    ],
)
def test_launcher_pod_that_no_node_takes(
    api: FakeApi, started: Call, sees: Callable[[object], None], scheduler: str
) -> None:
    put_vmi(api, "Scheduling")
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": scheduler}
    put_pod(api, phase="Pending", conditions=[unscheduled])
    sees(refusal(started))


@pytest.mark.circumstance(
    "the registry limits pulls of the guest image",
    topic="guest",
    sees="ErrImagePull: ... toomanyrequests ... name a mirror by variable VM_IMAGE",
    verdict="LAB ERROR",
    source="https://github.com/red-hat-storage/ocs-ci/issues/3368",
)
def test_image_that_the_registry_does_not_give(api: FakeApi, started: Call, sees: Callable[[object], None]) -> None:
    put_vmi(api, "Scheduling")
    message = 'failed to pull image "lab/disk:1": toomanyrequests: You have reached your pull rate limit'
    waiting = {"waiting": {"reason": "ErrImagePull", "message": message}}
    put_pod(api, phase="Pending", containerStatuses=[{"name": "volumerootdisk", "state": waiting}])
    sees(refusal(started))


@pytest.mark.parametrize(
    "why",
    [
        pytest.param(
            'failed (add): failed to find plugin "cnv-bridge" in path [/opt/cni/bin]',
            marks=pytest.mark.circumstance(
                "a CNI plugin is not installed on the nodes",
                topic="nodes",
                sees="FailedCreatePodSandBox ... failed to find plugin ... install the CNI plugin on every node",
                verdict="LAB ERROR",
                source="https://github.com/ryan4yin/k8s-gitops/issues/10",
            ),
        ),
        pytest.param(
            'error adding container to network "old": failed to lookup device "bond1": Link not found',
            marks=pytest.mark.circumstance(
                "the interface that a network needs is not on one of the nodes",
                topic="nodes",
                sees="Link not found ... the node lacks the interface that the network needs",
                verdict="LAB ERROR",
                source="https://github.com/k8snetworkplumbingwg/multus-cni/issues/1052",
            ),
        ),
    ],
)
def test_launcher_pod_whose_networks_cannot_be_made(
    api: FakeApi, started: Call, sees: Callable[[object], None], why: str
) -> None:
    put_vmi(api, "Scheduling")
    waiting = {"waiting": {"reason": "ContainerCreating"}}
    put_pod(api, phase="Pending", containerStatuses=[{"name": "compute", "state": waiting}])
    open_suite().recorder.catch_up()
    message = f'Failed to create pod sandbox: rpc error: plugin type="multus-shim" name="multus-cni-network" {why}'
    put_warning(api, "Pod", "launcher", "FailedCreatePodSandBox", message)
    assert open_suite().recorder.wait_for(lambda history: history.records(EVENT), 5, "an event", str)
    sees(refusal(started))
