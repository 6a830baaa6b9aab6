# SPDX-License-Identifier: Apache-2.0
"""virt-api's lifecycle and guest data, as recorded: codes, empty bodies, words of refusal, and what is written."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from emulator.controlplane import names
from emulator.kube import conditions

from .lab import NAMESPACE, vm
from .test_streams import BASE, VMI, Answer, Wire, edit, wired

VM = f"{BASE}/virtualmachines/vm1"
ACCEPT = {"Accept": "application/json, */*"}


async def put(wire: Wire, path: str, body: Any = None, user: str = "admin") -> Answer:
    return await wire.ask("PUT", path, json.dumps(body) if body is not None else "", user, **ACCEPT)


def message(answer: Answer) -> str:
    return str(json.loads(answer.body)["message"])


def conflict(kind: str, why: str, name: str = "vm1") -> str:
    return f'Operation cannot be fulfilled on {kind}.kubevirt.io "{name}": {why}'


async def test_start_and_stop() -> None:
    async with wired() as wire:
        answer = await put(wire, f"{VM}/start")
        assert (answer.status, message(answer)) == (409, conflict("virtualmachine", "VM is already running"))
        answer = await put(wire, f"{VM}/stop")
        assert (answer.status, answer.body) == (202, "")
        lab = wire.lab
        await lab.until("it is stopped", lambda: not (lab.last("VirtualMachine") or {})["status"].get("created"))
        assert (await lab.client.get(names.VM, "vm1", NAMESPACE))["spec"]["runStrategy"] == "Halted"
        answer = await put(wire, f"{VM}/stop")
        assert message(answer) == conflict("virtualmachine", "VM is not running")
        answer = await put(wire, f"{VM}/restart")
        halted = "RunStategy Halted does not support manual restart requests"
        assert message(answer) == conflict("virtualmachine", halted)
        answer = await put(wire, f"{VM}/start", {"dryRun": ["All"]})
        assert answer.status == 202
        assert (await lab.client.get(names.VM, "vm1", NAMESPACE))["spec"]["runStrategy"] == "Halted"
        assert (await put(wire, f"{VM}/start")).status == 202
        await lab.until("it runs", lambda: bool((lab.last("VirtualMachine") or {})["status"].get("ready")))


async def test_manual_vms_are_started_and_stopped_by_request() -> None:
    async with wired() as wire:
        lab = wire.lab
        await lab.client.create(names.VM, vm("manual", run_strategy="Manual"))
        path = f"{BASE}/virtualmachines/manual"
        await lab.until(
            "it is known",
            lambda: "finalizers" in (lab.last("VirtualMachine", "manual") or {"metadata": {}})["metadata"],
        )
        assert (await put(wire, f"{path}/start")).status == 202
        await lab.until("it runs", lambda: bool((lab.last("VirtualMachine", "manual") or {})["status"].get("ready")))
        assert "stateChangeRequests" not in (lab.last("VirtualMachine", "manual") or {})["status"]
        assert (await put(wire, f"{path}/stop", {"gracePeriod": 0})).status == 202
        gone = "the VMI is gone"
        await lab.until(gone, lambda: not (lab.last("VirtualMachine", "manual") or {})["status"].get("created"))
        assert (lab.last("VirtualMachine", "manual") or {})["spec"]["runStrategy"] == "Manual"


async def test_restart() -> None:
    async with wired() as wire:
        lab = wire.lab
        old = (await lab.client.get(names.VMI, "vm1", NAMESPACE))["metadata"]["uid"]
        answer = await put(wire, f"{VM}/restart", {"gracePeriodSeconds": 5})
        assert (answer.status, message(answer)) == (400, "For force restart, only gracePeriod=0 is supported for now")
        first, second = await asyncio.gather(put(wire, f"{VM}/restart"), put(wire, f"{VM}/restart"))
        assert sorted((first.status, second.status)) == [202, 500]
        refused = second if second.status == 500 else first
        underway = "Internal error occurred: unable to complete request: stop/start already underway"
        assert message(refused) == underway

        def again() -> bool:
            vmi = lab.last("VirtualMachineInstance")
            return vmi is not None and vmi["metadata"]["uid"] != old and vmi["status"]["phase"] == "Running"

        await lab.until("it runs again", again)


async def test_migrate() -> None:
    async with wired() as wire:
        wire.lab.agent.may_finish.clear()
        assert (await put(wire, f"{VM}/migrate", {"dryRun": ["All"]})).status == 202
        assert (await put(wire, f"{VM}/migrate")).status == 202
        migrations, _ = await wire.lab.client.list(names.MIGRATION, NAMESPACE)
        assert len(migrations) == 1
        assert migrations[0]["metadata"]["generateName"] == "kubevirt-migrate-vm-"
        answer = await put(wire, f"{VM}/migrate")
        assert answer.status == 500
        begin = (
            'Internal error occurred: admission webhook "migration-create-validator.kubevirt.io" denied the request: '
        )
        assert message(answer).startswith(begin + "in-flight migration detected.")


async def test_pause() -> None:
    async with wired() as wire:
        answer = await put(wire, f"{VMI}/unpause")
        assert message(answer) == conflict("virtualmachineinstance", "VMI is not paused")
        assert (await put(wire, f"{VMI}/pause")).status == 200
        assert wire.handler.asked == ["pause"]
        await edit(wire.lab, conditions=[conditions.new("Paused", "True", reason="PausedByUser")])
        answer = await put(wire, f"{VMI}/pause")
        assert message(answer) == conflict("virtualmachineinstance", "VMI is already paused")
        wire.handler.order_status = 500
        answer = await put(wire, f"{VMI}/unpause")
        said = "unexpected return code 500 (500 Internal Server Error), message: server error"
        assert (answer.status, message(answer)) == (500, f"Internal error occurred: {said}")


@pytest.mark.parametrize("what", ["guestosinfo", "userlist", "filesystemlist"])
async def test_guest_data(what: str) -> None:
    async with wired() as wire:
        answer = await wire.ask("GET", f"{VMI}/{what}")
        assert (answer.status, json.loads(answer.body)) == (200, {"hostname": "vm1"})
        answer = await wire.ask("GET", f"{BASE}/virtualmachineinstances/nope/{what}")
        gone = 'virtualmachineinstance.kubevirt.io "nope" not found'
        assert (answer.status, answer.headers["content-type"], answer.body) == (500, "text/plain; charset=utf-8", gone)
        await edit(wire.lab, conditions=[conditions.new("LiveMigratable", "True")])
        answer = await wire.ask("GET", f"{VMI}/{what}")
        wanted = conflict("virtualmachineinstance", "VMI does not have guest agent connected")
        assert (answer.status, answer.body) == (500, wanted)


async def test_methods_and_representations() -> None:
    async with wired() as wire:
        answer = await wire.ask("PUT", f"{VM}/start", Accept="application/json")
        assert (answer.status, answer.body) == (406, "406: Not Acceptable\n\nAvailable representations: ")
        answer = await wire.ask("GET", f"{VM}/stop")
        assert (answer.status, answer.body) == (405, "405: Method Not Allowed")
        version = await wire.ask("GET", "/apis/subresources.kubevirt.io/v1/version")
        assert json.loads(version.body)["gitVersion"] == "v1.9.0+embedded"
        answer = await put(wire, f"{VM}/start", user="alice")
        assert answer.status == 403


async def test_metrics_name_the_network_of_the_spec() -> None:
    async with wired() as wire:
        path = "/api/v1/namespaces/kubevirt/services/https:kubevirt-prometheus-metrics:443/proxy/metrics"
        text = (await wire.ask("GET", path)).body
    labels = 'binding_name="bridge",binding_type="core",model="<none>",name="vm1",namespace="lab",network="nad-a"'
    assert f'kubevirt_vmi_vnic_info{{{labels},vnic_name="net1"}} 1' in text
    assert f'kubevirt_vm_vnic_info{{{labels},vnic_name="net1"}} 1' in text
    assert "kubevirt_vmi_migrations_in_pending_phase 0" in text
