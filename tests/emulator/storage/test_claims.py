# SPDX-License-Identifier: Apache-2.0
"""Claims and DataVolumes, and how a VM waits for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.kube.client import Obj
from emulator.kube.errors import ApiError
from tests.emulator.addons import Cluster, cluster_with, condition

CLAIMS = "persistentvolumeclaims"
DATA_VOLUMES = "datavolumes.cdi.kubevirt.io"
CLASSES = "storageclasses.storage.k8s.io"
VMS = "virtualmachines.kubevirt.io"
CLASS = "embedded-storage"


def storage(mode: str = "ReadWriteOnce", **more: Any) -> Obj:
    return {"accessModes": [mode], "resources": {"requests": {"storage": "64Mi"}}, **more}


def data_volume(name: str = "disk", **spec: Any) -> Obj:
    meta = {"name": name, "namespace": "demo"}
    whole = {"source": {"blank": {}}, **(spec or {"storage": storage()})}
    return {"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume", "metadata": meta, "spec": whole}


def claim(name: str = "disk", **spec: Any) -> Obj:
    meta = {"name": name, "namespace": "demo"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": storage(**spec)}


def vm(*, templates: tuple[Obj, ...] = (), strategy: str = "Always", volume: Obj | None = None) -> Obj:
    disk = {"name": "data", **(volume or {"dataVolume": {"name": "disk"}})}
    devices = {"disks": [{"name": "data", "disk": {"bus": "virtio"}}], "interfaces": []}
    template = {"spec": {"domain": {"devices": devices, "memory": {"guest": "1Gi"}}, "volumes": [disk]}}
    spec = {"runStrategy": strategy, "template": template, "dataVolumeTemplates": list(templates)}
    meta = {"name": "vm", "namespace": "demo"}
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": meta, "spec": spec}


def _shown(found: Obj) -> str:
    return str(found.get("status", {}).get("printableStatus", ""))


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with cluster_with(speed=20) as running:
        await running.namespace("demo")
        yield running


async def test_claim_is_bound_to_a_volume(cluster: Cluster) -> None:
    created = await cluster.client.create(CLAIMS, claim())
    assert (created["spec"]["storageClassName"], created["status"]) == (CLASS, {"phase": "Pending"})
    bound = await cluster.until(CLAIMS, "disk", lambda c: c["status"]["phase"] == "Bound", "demo")
    assert bound["status"]["accessModes"] == ["ReadWriteOnce"]
    volume = bound["spec"]["volumeName"]
    made = await cluster.client.get("persistentvolumes", volume)
    assert made["spec"]["claimRef"]["uid"] == bound["metadata"]["uid"]
    await cluster.client.delete(CLAIMS, "disk", "demo")
    await cluster.until("persistentvolumes", volume, lambda v: v is None)


@pytest.mark.parametrize("spec", [{"storageClassName": "nowhere"}, {"storageClassName": ""}])
async def test_claim_of_no_class_waits(cluster: Cluster, spec: Obj) -> None:
    await cluster.client.create(CLAIMS, claim("lost", **spec))
    await cluster.client.create(CLAIMS, claim("disk"))
    await cluster.until(CLAIMS, "disk", lambda c: c["status"]["phase"] == "Bound", "demo")
    assert (await cluster.client.get(CLAIMS, "lost", "demo"))["status"]["phase"] == "Pending"


async def test_files_cannot_be_shared(cluster: Cluster) -> None:
    await cluster.client.create(CLAIMS, claim(mode="ReadWriteMany", volumeMode="Filesystem"))

    async def told() -> list[str]:
        events, _ = await cluster.client.list("events", "demo")
        return [event["reason"] for event in events]

    await cluster.client.create(CLAIMS, claim("blocks", mode="ReadWriteMany", volumeMode="Block"))
    await cluster.until(CLAIMS, "blocks", lambda c: c["status"]["phase"] == "Bound", "demo")
    assert "ProvisioningFailed" in await told()
    assert (await cluster.client.get(CLAIMS, "disk", "demo"))["status"]["phase"] == "Pending"


async def test_data_volume_goes_through_its_phases(cluster: Cluster) -> None:
    await cluster.client.create(DATA_VOLUMES, data_volume())
    seen: list[str] = []

    def note(volume: Obj) -> bool:
        phase = volume.get("status", {}).get("phase", "")
        if not seen or seen[-1] != phase:
            seen.append(phase)
        return bool(phase == "Succeeded")

    done = await cluster.until(DATA_VOLUMES, "disk", note, "demo")
    assert [phase for phase in seen if phase] == ["Pending", "ImportScheduled", "ImportInProgress", "Succeeded"]
    assert done["status"]["progress"] == "100.0%"
    assert [condition(done, kind)["status"] for kind in ("Bound", "Ready", "Running")] == ["True", "True", "False"]
    made = await cluster.client.get(CLAIMS, "disk", "demo")
    assert made["spec"]["volumeMode"] == "Block"
    assert made["metadata"]["ownerReferences"][0]["uid"] == done["metadata"]["uid"]


async def test_profile_says_what_is_left_open(cluster: Cluster) -> None:
    await cluster.client.create(DATA_VOLUMES, data_volume(storage={"resources": {"requests": {"storage": "1Gi"}}}))
    made = await cluster.until(CLAIMS, "disk", bool, "demo")
    assert (made["spec"]["accessModes"], made["spec"]["volumeMode"]) == (["ReadWriteMany"], "Block")


async def test_without_a_class_nothing_can_be_claimed(cluster: Cluster) -> None:
    await cluster.client.delete(CLASSES, CLASS)
    await cluster.client.create(DATA_VOLUMES, data_volume(storage={"resources": {"requests": {"storage": "1Gi"}}}))
    await cluster.until(DATA_VOLUMES, "disk", lambda v: v.get("status", {}).get("phase") == "Pending", "demo")
    events, _ = await cluster.client.list("events", "demo")
    assert [event["message"] for event in events if event["reason"] == "ErrClaimNotValid"] == [
        "PVC spec is missing accessMode and no storageClass to choose profile"
    ]


async def test_vm_waits_for_its_disk(cluster: Cluster) -> None:
    template = data_volume()
    del template["metadata"]["namespace"]
    created = await cluster.client.create(VMS, vm(templates=(template,)))
    shown: list[str] = []

    def note(found: Obj) -> bool:
        status = _shown(found)
        if not shown or shown[-1] != status:
            shown.append(status)
        return bool(found.get("status", {}).get("created"))

    await cluster.until(VMS, "vm", note, "demo")
    volume = await cluster.client.get(DATA_VOLUMES, "disk", "demo")
    assert volume["status"]["phase"] == "Succeeded", "before that it must not start"
    assert volume["metadata"]["ownerReferences"][0]["uid"] == created["metadata"]["uid"]
    assert "Provisioning" in shown
    pods, _ = await cluster.client.list("pods", "demo")
    claims = [v["persistentVolumeClaim"]["claimName"] for v in pods[0]["spec"]["volumes"] if "emptyDir" not in v]
    assert claims == ["disk"]


async def test_vm_says_what_it_waits_for(cluster: Cluster) -> None:
    lost = data_volume(storage=storage(storageClassName="nowhere"))
    del lost["metadata"]["namespace"]
    await cluster.client.create(VMS, vm(templates=(lost,)))
    waiting = "WaitingForVolumeBinding"
    await cluster.until(VMS, "vm", lambda v: _shown(v) == waiting, "demo")
    assert await cluster.find("virtualmachineinstances.kubevirt.io", "vm", "demo") is None


async def test_vm_whose_claim_is_missing(cluster: Cluster) -> None:
    await cluster.client.create(VMS, vm(volume={"persistentVolumeClaim": {"claimName": "mine"}}))
    missing = "ErrorPvcNotFound"
    await cluster.until(VMS, "vm", lambda v: _shown(v) == missing, "demo")
    await cluster.client.create(CLAIMS, claim("mine"))
    await cluster.until(VMS, "vm", lambda v: _shown(v) != missing, "demo")


async def test_template_must_be_used(cluster: Cluster) -> None:
    template = data_volume("other")
    del template["metadata"]["namespace"]
    with pytest.raises(ApiError, match="must be referenced in the VMI template's 'volumes' list"):
        await cluster.client.create(VMS, vm(templates=(template,)))
