# SPDX-License-Identifier: Apache-2.0
"""Guest agent data. Every failure is 500 in plain text: virt-api forwards virt-handler's error unchanged."""

from __future__ import annotations

from aiohttp import web

from emulator.apiserver.http_call import HttpCall
from emulator.controlplane.accessors import phase
from emulator.controlplane.subresources.responses import Refusal, conflict, text
from emulator.controlplane.subresources.targets import VMI, Targets
from emulator.controlplane.subresources.virthandler import Unreachable, VirtHandlers
from emulator.kube import conditions


class GuestData:
    def __init__(self, targets: Targets, handlers: VirtHandlers) -> None:
        self.targets = targets
        self.handlers = handlers

    async def guestosinfo(self, call: HttpCall) -> web.StreamResponse:
        return await self._answer(call, "guestosinfo")

    async def userlist(self, call: HttpCall) -> web.StreamResponse:
        return await self._answer(call, "userlist")

    async def filesystemlist(self, call: HttpCall) -> web.StreamResponse:
        return await self._answer(call, "filesystemlist")

    async def _answer(self, call: HttpCall, what: str) -> web.StreamResponse:
        try:
            vmi = await self.targets.vmi(call)
            if phase(vmi) != "Running":
                raise conflict(VMI, call.info.name, "VMI is not running")
            if not conditions.is_true(vmi, "AgentConnected"):
                raise conflict(VMI, call.info.name, "VMI does not have guest agent connected")
            status, body = await self.handlers.call("GET", vmi, what)
        except (Refusal, Unreachable) as error:
            return text(500, str(error))
        if status >= 300:
            return text(500, body.decode(errors="replace"))
        return web.Response(body=body, content_type="application/json")
