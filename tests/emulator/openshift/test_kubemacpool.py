# SPDX-License-Identifier: Apache-2.0
"""MACs of VMs: filled in, kept, and given twice."""

from __future__ import annotations

import re

import pytest

from ..apiserver.harness import LiveApi, Obj, virtual_machine
from .conftest import VMS, patch, refused, until

MAC = "02:aa:bb:cc:dd:01"
DENIED = 'admission webhook "mutatevirtualmachines.kubemacpool.io" denied the request: '


def interfaces(vm: Obj) -> list[Obj]:
    found: list[Obj] = vm["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"]
    return found


def macs(vm: Obj) -> list[str]:
    return [interface.get("macAddress", "") for interface in interfaces(vm)]


def made(live: LiveApi, name: str, *given: str, namespace: str = "demo", dry_run: bool = False, **spec: str) -> Obj:
    """A VM with these MACs, the first NIC's first, as the API answers it."""
    vm = virtual_machine(name, namespace)
    vm["spec"].update(spec)
    for interface, mac in zip(interfaces(vm), given, strict=False):
        if mac:
            interface["macAddress"] = mac
    path = f"/apis/kubevirt.io/v1/namespaces/{namespace}/virtualmachines" + ("?dryRun=All" if dry_run else "")
    if not dry_run:
        return dict(live.run(live.api.admin.create(VMS, vm)))
    status, _, body = live.run(live.api.raw("POST", path, json=vm))
    assert status == 201, body
    return dict(body)


def test_every_nic_gets_a_mac_of_its_own(new: LiveApi) -> None:
    found = [*macs(made(new, "first")), *macs(made(new, "second"))]
    assert all(re.fullmatch(r"02(:[0-9a-f]{2}){5}", mac) for mac in found)
    assert len(set(found)) == 4


def test_dry_run_tells_whether_the_pool_works(new: LiveApi, plain: LiveApi) -> None:
    assert all(macs(made(new, "dry", dry_run=True)))
    assert not any(macs(made(plain, "dry", dry_run=True)))


def test_given_mac_stays(new: LiveApi) -> None:
    assert macs(made(new, "given", "", MAC))[1] == MAC


def test_patch_that_forgets_the_mac_keeps_it(new: LiveApi) -> None:
    before = made(new, "kept")
    nics = [{key: value for key, value in nic.items() if key != "macAddress"} for nic in interfaces(before)]
    change = [{"op": "replace", "path": "/spec/template/spec/domain/devices/interfaces", "value": nics}]
    assert macs(patch(new, VMS, "kept", change, "demo")) == macs(before)


def test_bridge_on_the_pod_network_is_left_alone(new: LiveApi) -> None:
    vm = virtual_machine("bridged")
    interfaces(vm)[0].pop("masquerade")
    interfaces(vm)[0]["bridge"] = {}
    first, second = macs(dict(new.run(new.api.admin.create(VMS, vm))))
    assert not first
    assert second


def test_namespace_may_opt_out(new: LiveApi) -> None:
    labels = {"mutatevirtualmachines.kubemacpool.io": "ignore"}
    new.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "own", "labels": labels}})
    assert not any(macs(made(new, "alone", namespace="own")))


def test_mac_of_another_vm_is_refused_by_old_releases(old: LiveApi) -> None:
    made(old, "one", "", MAC)
    said = "virtual machine allocation error: failed to allocate requested mac address"
    with refused(500, f"{DENIED}Failed to create {said}"):
        made(old, "two", "", MAC.upper().replace(":", "-"))
    made(old, "three")
    path = "/spec/template/spec/domain/devices/interfaces/1/macAddress"
    with refused(500, f"{DENIED}Failed to update {said}"):
        patch(old, VMS, "three", [{"op": "replace", "path": path, "value": MAC}], "demo")
    old.run(old.api.admin.delete(VMS, "one", "demo"))
    old.kubectl("wait", "vm/one", "--for=delete", "--timeout=60s")
    assert macs(made(old, "two", "", MAC))[1] == MAC


def test_mac_of_another_vm_is_reported_by_new_releases(gate_on: LiveApi) -> None:
    for name in ("one", "two"):
        made(gate_on, name, "", MAC, runStrategy="Always")
        until(gate_on, "virtualmachineinstances.kubevirt.io", f"metadata.name={name}", "demo", lambda _: True)
    for name in ("one", "two"):
        fields = f"involvedObject.name={name},reason=MACCollision"
        event = until(gate_on, "events", fields, "demo", lambda _: True)
        assert event["message"] == f"MAC {MAC}: Collision between demo/one, demo/two"
        assert event["type"] == "Warning"


@pytest.mark.parametrize("cluster", ["gate_on", "new"])
def test_mac_twice_in_one_vm_is_refused(request: pytest.FixtureRequest, cluster: str) -> None:
    said = f"duplicate MAC address {MAC} found on interfaces: default and net1"
    with refused(500, f"{DENIED}Failed to create virtual machine allocation error: {said}"):
        made(request.getfixturevalue(cluster), "twice", MAC, MAC)
