# SPDX-License-Identifier: Apache-2.0
"""``pods/exec`` and ``pods/attach``: no container runs here, so there is nothing to run a command in."""

from __future__ import annotations

from aiohttp import web

from emulator.apiserver.http_call import HttpCall
from emulator.apiserver.status_errors import bad_request

NOTHING = "the embedded cluster runs no containers: use 'virtctl ssh' or 'virtctl console' for what runs in the VM"


async def refuse_commands(call: HttpCall) -> web.StreamResponse:
    raise bad_request(f"pods/{call.info.subresource} of {call.info.name}: {NOTHING}")
