# SPDX-License-Identifier: Apache-2.0
"""memorydump and removememorydump of a VM: what virt-api refuses. A dump that it would accept cannot be made here."""

from __future__ import annotations

from aiohttp import web

from emulator.apiserver.http_call import HttpCall
from emulator.controlplane import names
from emulator.controlplane.accessors import phase
from emulator.controlplane.subresources.lifecycle import body_of
from emulator.controlplane.subresources.responses import bad_request, conflict, internal, not_found
from emulator.controlplane.subresources.targets import VM, VMI, Targets
from emulator.controlplane.subresources.volumes import check_gates
from emulator.kube.errors import ApiError

NO_MEMORY = "the embedded cluster's guests have no memory image: nothing was dumped"


class MemoryDump:
    def __init__(self, targets: Targets) -> None:
        self.targets = targets

    async def dump(self, call: HttpCall) -> web.StreamResponse:
        check_gates(self.targets.shared.settings)
        claim = (await body_of(call)).get("claimName")
        await self.targets.vm(call)
        if not claim:
            raise bad_request("Memory dump requires claim name to be set")
        vmi = await self.targets.vmi(call)
        if phase(vmi) != "Running":
            raise conflict(VMI, call.info.name, "VM is not running")
        try:
            await self.targets.shared.client.get(names.CLAIM, str(claim), call.info.namespace)
        except ApiError as error:
            if error.code == 404:
                raise not_found("persistentvolumeclaim", str(claim)) from None
            raise
        raise internal(NO_MEMORY)

    async def remove(self, call: HttpCall) -> web.StreamResponse:
        await self.targets.vm(call)
        why = f"can't remove memory dump association for vm {call.info.name}, no association found"
        raise conflict(VM, call.info.name, why)
