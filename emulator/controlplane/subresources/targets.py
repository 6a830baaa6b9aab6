# SPDX-License-Identifier: Apache-2.0
"""The VM or VMI of a request, and the state that it must be in."""

from __future__ import annotations

from emulator.apiserver.http_call import HttpCall
from emulator.controlplane import names
from emulator.controlplane.accessors import Obj, phase
from emulator.controlplane.context import Shared
from emulator.controlplane.subresources.responses import conflict, not_found
from emulator.kube import conditions
from emulator.kube.client import Client
from emulator.kube.errors import ApiError

VM = "virtualmachine"
VMI = "virtualmachineinstance"


class Targets:
    """Reads from the API, never from a cache: a request may follow a write within a millisecond."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.client: Client = shared.client_for(shared.platform.service_account(names.API_USER))

    async def vm(self, call: HttpCall) -> Obj:
        return await self._get(names.VM, VM, call)

    async def vmi(self, call: HttpCall) -> Obj:
        return await self._get(names.VMI, VMI, call)

    async def vmi_or_none(self, call: HttpCall) -> Obj | None:
        try:
            return await self.client.get(names.VMI, call.info.name, call.info.namespace)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    async def running_vmi(self, call: HttpCall) -> Obj:
        """Refusal 404 or 409 "VM is not running"."""
        vmi = await self.vmi(call)
        if phase(vmi) != "Running":
            raise conflict(VMI, call.info.name, "VM is not running")
        return vmi

    async def _get(self, resource: str, kind: str, call: HttpCall) -> Obj:
        try:
            return await self.client.get(resource, call.info.name, call.info.namespace)
        except ApiError as error:
            if error.code == 404:
                raise not_found(kind, call.info.name) from None
            raise


def is_paused(vmi: Obj) -> bool:
    return conditions.is_true(vmi, "Paused")
