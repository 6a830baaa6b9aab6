# SPDX-License-Identifier: Apache-2.0
"""start, stop, restart and migrate of a VM; pause, freeze, reboot and the like of a VMI."""

from __future__ import annotations

import json
from typing import Any

import yaml
from aiohttp import web

from emulator.apiserver.bodies import go_json_error
from emulator.apiserver.http_call import HttpCall
from emulator.controlplane import names
from emulator.controlplane.accessors import Obj, is_final, phase
from emulator.controlplane.subresources.responses import Refusal, bad_request, conflict, empty, internal
from emulator.controlplane.subresources.targets import VM, VMI, Targets, is_paused
from emulator.controlplane.subresources.virthandler import Unreachable, VirtHandlers
from emulator.controlplane.vm.runstrategy import requests, run_strategy
from emulator.controlplane.vmi.controller import current_pod, pods_of
from emulator.kube.errors import ApiError

BY_REQUEST = ("Manual", "RerunOnFailure")


class VmLifecycle:
    def __init__(self, targets: Targets) -> None:
        self.targets = targets

    async def start(self, call: HttpCall) -> web.StreamResponse:
        options = await body_of(call)
        vm = await self.targets.vm(call)
        vmi = await self.targets.vmi_or_none(call)
        strategy = run_strategy(vm)
        if vmi is not None and not is_final(vmi):
            raise conflict(VM, call.info.name, "VM is already running")
        if strategy == "Halted":
            await self._run(vm, options, "Always")
        elif strategy in BY_REQUEST:
            await self._request(vm, options, [{"action": "Start"}])
        else:
            raise conflict(VM, call.info.name, f"{strategy} does not support manual start requests")
        return empty(202)

    async def stop(self, call: HttpCall) -> web.StreamResponse:
        options = await body_of(call)
        vm = await self.targets.vm(call)
        vmi = await self.targets.vmi_or_none(call)
        strategy = run_strategy(vm)
        grace = options.get("gracePeriod")
        if vmi is None or is_final(vmi):
            raise conflict(VM, call.info.name, "VM is not running")
        old = int(vmi["spec"].get("terminationGracePeriodSeconds", 30))
        if strategy == "Halted" and (grace is None or grace >= old):
            why = "Halted only supports manual stop requests with a shorter graceperiod"
            raise conflict(VM, call.info.name, why)
        if grace is not None and grace < old and not options.get("dryRun"):
            patch = {"spec": {"terminationGracePeriodSeconds": grace}}
            await self._patch(names.VMI, vmi, patch)
        if strategy in BY_REQUEST:
            await self._request(vm, options, [{"action": "Stop", "uid": vmi["metadata"]["uid"]}])
        elif strategy != "Halted":
            await self._run(vm, options, "Halted")
        return empty(202)

    async def restart(self, call: HttpCall) -> web.StreamResponse:
        options = await body_of(call)
        grace = options.get("gracePeriodSeconds")
        if isinstance(grace, str):
            text = "json: cannot unmarshal string into Go struct field .gracePeriodSeconds of type int64"
            raise bad_request(f"Can not unmarshal Request body to struct, error: {text}")
        if grace:
            raise bad_request("For force restart, only gracePeriod=0 is supported for now")
        vm = await self.targets.vm(call)
        strategy = run_strategy(vm)
        if strategy in ("Halted", "Once"):
            raise conflict(VM, call.info.name, f"RunStategy {strategy} does not support manual restart requests")
        vmi = await self.targets.vmi_or_none(call)
        if vmi is None:
            raise conflict(VM, call.info.name, "VM is not running: Halted")
        wanted = [{"action": "Stop", "uid": vmi["metadata"]["uid"]}, {"action": "Start"}]
        await self._request(vm, options, wanted)
        if grace == 0 and not options.get("dryRun"):
            await self._kill(vmi)
        return empty(202)

    async def migrate(self, call: HttpCall) -> web.StreamResponse:
        options = await body_of(call)
        await self.targets.vm(call)
        vmi = await self.targets.vmi(call)
        if phase(vmi) != "Running":
            raise conflict(VM, call.info.name, "VM is not running")
        spec: Obj = {"vmiName": call.info.name}
        if options.get("addedNodeSelector"):
            spec["addedNodeSelector"] = options["addedNodeSelector"]
        migration = {
            "apiVersion": names.API_VERSION,
            "kind": "VirtualMachineInstanceMigration",
            "metadata": {"generateName": "kubevirt-migrate-vm-", "namespace": call.info.namespace},
            "spec": spec,
        }
        if not options.get("dryRun"):
            try:
                await self.targets.client.create(names.MIGRATION, migration)
            except ApiError as error:
                raise internal(error.message) from None
        return empty(202)

    async def _run(self, vm: Obj, options: Obj, strategy: str) -> None:
        if options.get("dryRun"):
            return
        if vm["spec"].get("running") is not None:
            spec: Obj = {"running": strategy == "Always"}
        else:
            spec = {"runStrategy": strategy}
        await self._patch(names.VM, vm, {"spec": spec, "metadata": _version(vm)})

    async def _request(self, vm: Obj, options: Obj, wanted: list[Obj]) -> None:
        if requests(vm):
            raise internal("unable to complete request: stop/start already underway")
        if not options.get("dryRun"):
            patch = {"status": {"stateChangeRequests": wanted}, "metadata": _version(vm)}
            await self._patch(names.VM, vm, patch, "status")

    async def _patch(self, resource: str, obj: Obj, patch: Obj, subresource: str = "") -> None:
        meta = obj["metadata"]
        try:
            await self.targets.client.patch(resource, meta["name"], meta["namespace"], patch, subresource=subresource)
        except ApiError as error:
            if error.code == 409:
                raise conflict(VM, meta["name"], error.message) from None
            raise internal(error.message) from None

    async def _kill(self, vmi: Obj) -> None:
        """A forced restart deletes the launcher pod at once."""
        pod = current_pod(vmi, pods_of(self.targets.shared, vmi))
        if pod is not None:
            meta = pod["metadata"]
            await self.targets.client.delete(names.PODS, meta["name"], meta["namespace"], grace=1)


class VmiLifecycle:
    """Requests that virt-api checks and forwards to virt-handler."""

    def __init__(self, targets: Targets, handlers: VirtHandlers) -> None:
        self.targets = targets
        self.handlers = handlers

    async def pause(self, call: HttpCall) -> web.StreamResponse:
        return await self._order(call, "pause", paused=False, otherwise="VMI is already paused")

    async def unpause(self, call: HttpCall) -> web.StreamResponse:
        return await self._order(call, "unpause", paused=True, otherwise="VMI is not paused")

    async def freeze(self, call: HttpCall) -> web.StreamResponse:
        return await self._order(call, "freeze")

    async def unfreeze(self, call: HttpCall) -> web.StreamResponse:
        return await self._order(call, "unfreeze")

    async def softreboot(self, call: HttpCall) -> web.StreamResponse:
        return await self._order(call, "softreboot")

    async def reset(self, call: HttpCall) -> web.StreamResponse:
        vmi = await self.targets.vmi(call)
        if phase(vmi) != "Running":
            text = (
                f"Failed to reset non-running VMI with phase {phase(vmi)}: Unable to connect to "
                f"VirtualMachineInstance because phase is {phase(vmi)} instead of Running or Scheduled"
            )
            raise bad_request(text)
        return await self._order(call, "reset")

    async def _order(
        self, call: HttpCall, verb: str, *, paused: bool | None = None, otherwise: str = ""
    ) -> web.StreamResponse:
        options = await body_of(call)
        vmi = await self.targets.running_vmi(call)
        if paused is not None and is_paused(vmi) is not paused:
            raise conflict(VMI, call.info.name, otherwise)
        if options.get("dryRun"):
            return empty(200)
        try:
            status, said = await self.handlers.call("PUT", vmi, verb, json.dumps(options).encode())
        except Unreachable as error:
            raise internal(str(error)) from None
        if status >= 300:
            text = f"unexpected return code {status} ({status} {_phrase(status)}), message: {said.decode().strip()}"
            raise internal(text)
        return empty(200)


async def body_of(call: HttpCall) -> Obj:
    """The optional body, JSON or YAML; Refusal 400 if it is neither."""
    raw = (await call.request.read()).decode(errors="replace").strip()
    if not raw:
        return {}
    try:
        found: Any = json.loads(raw) if raw.startswith("{") else yaml.safe_load(raw)
    except json.JSONDecodeError as error:
        raise _unreadable(f"json: offset {error.pos + 1}: {go_json_error(raw.encode())}") from None
    except (ValueError, yaml.YAMLError) as error:
        raise _unreadable(str(error)) from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise _unreadable(f"json: cannot unmarshal {type(found).__name__} into Go value")
    return found


def _unreadable(why: str) -> Refusal:
    return bad_request(f"Can not unmarshal Request body to struct, error: {why}")


def _version(obj: Obj) -> Obj:
    return {"resourceVersion": obj["metadata"]["resourceVersion"]}


def _phrase(status: int) -> str:
    return {400: "Bad Request", 404: "Not Found", 500: "Internal Server Error"}.get(status, "")
