# SPDX-License-Identifier: Apache-2.0
"""The creation of a VM that a suite defined, on a scripted API server."""

from __future__ import annotations

from livenad.api.client import Cluster
from livenad.api.kinds import SECRET, VM
from livenad.ownership.created_resources import CreatedResources
from livenad.ownership.labels import RUN_LABEL
from livenad.ownership.naming import SuiteNamespace
from livenad.settings import Settings
from livenad.virtual_machines.creation import create_vm
from livenad.virtual_machines.registry import VirtualMachines

from tests.unit.support.fake_api import FakeApi


def test_vm_and_its_secret_are_the_runs_own_and_the_vm_counts_as_started(api: FakeApi, cluster: Cluster) -> None:
    vms, created = VirtualMachines(SuiteNamespace("demo"), "r1", "tester"), CreatedResources(cluster, "r1")
    record, affinity = vms.define("web"), {"nodeAffinity": {"x": 1}}
    create_vm(created, vms, record, Settings(), affinity)
    secret, made = api.objects[SECRET.path("demo"), "web-cloud-init"], api.objects[VM.path("demo"), "web"]
    assert [entry.kind for entry in created.entries] == [SECRET, VM]
    assert all(item["metadata"]["labels"][RUN_LABEL] == "r1" for item in (secret, made))
    assert vms.user_key.public.split()[1] in secret["stringData"]["userdata"]
    assert made["spec"]["template"]["spec"]["affinity"] == affinity
    assert vms.started == [record]


def test_without_affinity_none_is_asked_for(api: FakeApi, cluster: Cluster) -> None:
    vms = VirtualMachines(SuiteNamespace("demo"), "r1", "tester")
    create_vm(CreatedResources(cluster, "r1"), vms, vms.define("web"), Settings(), None)
    assert "affinity" not in api.objects[VM.path("demo"), "web"]["spec"]["template"]["spec"]
