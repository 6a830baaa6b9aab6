# SPDX-License-Identifier: Apache-2.0
"""evacuate/cancel of a VMI: takes the mark of an eviction away; a migration that has begun goes on."""

from __future__ import annotations

from aiohttp import web

from emulator.apiserver.http_call import HttpCall
from emulator.controlplane import names
from emulator.controlplane.subresources.lifecycle import body_of
from emulator.controlplane.subresources.responses import empty, internal, page_not_found
from emulator.controlplane.subresources.targets import Targets
from emulator.kube.errors import ApiError


class Evacuation:
    def __init__(self, targets: Targets) -> None:
        self.targets = targets

    async def cancel(self, call: HttpCall) -> web.StreamResponse:
        if call.info.parts != ("cancel",):
            return page_not_found()
        node = (await body_of(call)).get("evacuationNodeName", "")
        vmi = await self.targets.vmi(call)
        if not vmi["status"].get("evacuationNodeName"):
            return empty(200)
        path = "/status/evacuationNodeName"
        patch = [{"op": "test", "path": path, "value": node}, {"op": "remove", "path": path}]
        try:
            await self.targets.client.patch(names.VMI, call.info.name, call.info.namespace, patch)
        except ApiError as error:
            raise internal(error.message) from None
        return empty(200)
