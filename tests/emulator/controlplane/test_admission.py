# SPDX-License-Identifier: Apache-2.0
"""The webhooks on migrations, VMIs and settings that change: what is refused, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.users import service_account
from emulator.controlplane import names
from emulator.controlplane.accessors import phase
from emulator.kube import conditions
from emulator.kube.errors import ApiError

from .lab import NAMESPACE, Lab, running_lab, vm

Obj = dict[str, Any]


async def refused(lab: Lab, action: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await action
    return caught.value


async def migrate(lab: Lab, client: LocalClient | None = None, **spec: Any) -> Obj:
    meta = {"generateName": "mig-", "namespace": NAMESPACE}
    kind = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration"}
    return await (client or lab.client).create(names.MIGRATION, {**kind, "metadata": meta, "spec": spec})


async def test_migrations_are_refused_in_the_recorded_words() -> None:
    prefix = 'admission webhook "migration-create-validator.kubevirt.io" denied the request: '
    async with running_lab("1.9") as lab:
        error = await refused(lab, migrate(lab, vmiName="nope"))
        assert (error.code, error.reason, error.message) == (400, "", prefix + 'the VMI "lab/nope" does not exist')
        error = await refused(lab, migrate(lab))
        assert (error.code, error.message) == (422, prefix + "vmiName is missing")
        await lab.running_vm()
        error = await refused(lab, migrate(lab, vmiName="vm1", priority="user-triggered"))
        only = "Migration priority queue, only virt-controller is allowed to set priority field"
        assert (error.code, error.message) == (422, prefix + only)
        error = await refused(lab, migrate(lab, vmiName="vm1", sendTo={"migrationID": "x"}))
        assert "DecentralizedLiveMigration feature gate is not enabled in kubevirt resource" in error.message
        lab.agent.may_finish.clear()
        first = await migrate(lab, vmiName="vm1")
        assert first["metadata"]["labels"] == {"kubevirt.io/vmi-name": "vm1"}
        assert first["metadata"]["finalizers"] == ["kubevirt.io/migrationJobFinalize"]
        error = await refused(lab, migrate(lab, vmiName="vm1"))
        uid = first["metadata"]["uid"]
        busy = (
            f"in-flight migration detected. Active migration job ({uid}) is currently already in progress for VMI vm1."
        )
        assert (error.code, error.message) == (400, prefix + busy)
        name = first["metadata"]["name"]
        change = lab.client.patch(names.MIGRATION, name, NAMESPACE, {"spec": {"vmiName": "other"}})
        assert "update of Migration object's spec is restricted" in (await refused(lab, change)).message
        label = {"metadata": {"labels": {"kubevirt.io/vmi-name": None}}}
        error = await refused(lab, lab.client.patch(names.MIGRATION, name, NAMESPACE, label))
        assert "selector label can't be modified on an in-flight migration" in error.message


async def test_a_vmi_that_cannot_migrate_says_why() -> None:
    why = conditions.new("LiveMigratable", "False", reason="DisksNotLiveMigratable", message="no")
    async with running_lab("1.9", migratable=why) as lab:
        await lab.running_vm()
        error = await refused(lab, migrate(lab, vmiName="vm1"))
    assert error.code == 400
    assert error.message.endswith("Cannot migrate VMI, Reason: DisksNotLiveMigratable, Message: no")


async def test_only_kubevirt_changes_a_vmi() -> None:
    async with running_lab("1.9") as lab:
        await lab.running_vm()
        nad = [{"op": "replace", "path": "/spec/networks/1/multus/networkName", "value": "nad-b"}]
        error = await refused(lab, lab.client.patch(names.VMI, "vm1", NAMESPACE, nad))
        assert (error.code, error.message.split(": ")[1]) == (422, "update of VMI object is restricted")
        label = {"metadata": {"labels": {"kubevirt.io/nodeName": "node9"}}}
        error = await refused(lab, lab.client.patch(names.VMI, "vm1", NAMESPACE, label))
        assert "modification of the following reserved kubevirt.io/ labels" in error.message
        before = await lab.client.get(names.VMI, "vm1", NAMESPACE)
        after = await lab.client.patch(names.VMI, "vm1", NAMESPACE, {"status": {"phase": "Failed"}})
        assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
        handler = LocalClient(
            lab.core, service_account("kubevirt", "kubevirt-handler", node=after["status"]["nodeName"])
        )
        changed = await handler.patch(names.VMI, "vm1", NAMESPACE, {"status": {"selinuxContext": "none"}})
        assert changed["status"]["selinuxContext"] == "none"


async def test_cluster_configuration_is_checked() -> None:
    async with running_lab("1.9") as lab:
        error = await refused(lab, lab.configure({"configuration": {"vmRolloutStrategy": "Bogus"}}))
        assert error.code == 422
        assert 'Unsupported value: "Bogus": supported values: "Stage", "LiveUpdate"' in error.message
        gates = {"featureGates": ["Some"], "disabledFeatureGates": ["Some"]}
        error = await refused(lab, lab.configure({"configuration": {"developerConfiguration": gates}}))
        assert 'feature gate "Some" exists on both "FeatureGates" and "DisabledFeatureGates"' in error.message


async def test_running_vm_gets_the_nic_and_the_disk_that_it_does_not_name() -> None:
    async with running_lab("1.9") as lab:
        bare = vm("vm1", nads=(), pod_network="")
        devices = bare["spec"]["template"]["spec"]["domain"]["devices"]
        del devices["disks"]
        created = await lab.client.create(names.VM, bare)
        assert "interfaces" not in created["spec"]["template"]["spec"]["domain"]["devices"], "the VM itself stays"
        await lab.until("it runs", lambda: phase(lab.last("VirtualMachineInstance") or {}) == "Running")
        spec = (lab.last("VirtualMachineInstance") or {})["spec"]
        assert spec["networks"] == [{"name": "default", "pod": {}}]
        assert spec["domain"]["devices"]["interfaces"] == [{"name": "default", "bridge": {}}]
        assert spec["domain"]["devices"]["disks"] == [{"name": "rootdisk", "disk": {"bus": "sata"}}]
        await lab.quiet(5)
        assert not conditions.find(lab.last("VirtualMachine") or {}, "RestartRequired"), "nobody has changed the VM"


async def test_default_nic_follows_the_cluster_and_the_vm() -> None:
    async with running_lab("1.9") as lab:
        await lab.configure({"configuration": {"network": {"defaultNetworkInterface": "masquerade"}}})
        assert (await _vmi_of(lab, vm("a", nads=(), pod_network="")))["interfaces"] == [
            {"name": "default", "masquerade": {}}
        ]
        alone = vm("b", nads=(), pod_network="")
        alone["spec"]["template"]["spec"]["domain"]["devices"]["autoattachPodInterface"] = False
        assert "interfaces" not in await _vmi_of(lab, alone)


async def _vmi_of(lab: Lab, wanted: Obj) -> Obj:
    """The devices of the VMI that a VM gets."""
    await lab.client.create(names.VM, wanted)
    name = wanted["metadata"]["name"]
    await lab.until("there is a VMI", lambda: lab.last("VirtualMachineInstance", name) is not None)
    vmi = lab.last("VirtualMachineInstance", name)
    assert vmi is not None
    devices: Obj = vmi["spec"]["domain"]["devices"]
    return devices
