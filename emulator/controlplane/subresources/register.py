# SPDX-License-Identifier: Apache-2.0
"""Registers virt-api's handlers with the API server."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from aiohttp import web

from emulator.apiserver.http_call import HttpCall
from emulator.apiserver.responses import page_not_found as no_such_page
from emulator.apiserver.server import ANY
from emulator.controlplane.context import Shared
from emulator.controlplane.subresources import streams
from emulator.controlplane.subresources.evacuation import Evacuation
from emulator.controlplane.subresources.guestdata import GuestData
from emulator.controlplane.subresources.lifecycle import VmiLifecycle, VmLifecycle
from emulator.controlplane.subresources.memorydump import MemoryDump
from emulator.controlplane.subresources.podexec import refuse_commands
from emulator.controlplane.subresources.podlogs import PodLogs
from emulator.controlplane.subresources.responses import (
    Refusal,
    document,
    method_not_allowed,
    not_acceptable,
    page_not_found,
)
from emulator.controlplane.subresources.streams import Streams
from emulator.controlplane.subresources.targets import Targets
from emulator.controlplane.subresources.virthandler import VirtHandlers
from emulator.controlplane.subresources.volumes import Volumes

GROUP = "subresources.kubevirt.io"
VERSIONS = ("v1", "v1alpha3")
Handler = Callable[[HttpCall], Awaitable[web.StreamResponse]]


class Routes(Protocol):
    """The part of the API server that accepts handlers."""

    def handle(self, group: str, resource: str, subresource: str, handler: Handler) -> None: ...

    def aggregated(self, group: str, versions: tuple[str, ...], resources: Iterable[str]) -> None: ...


def register_subresources(routes: Routes, shared: Shared, tls: ssl.SSLContext | None) -> None:
    targets = Targets(shared)
    handlers = VirtHandlers(shared, tls)
    stream, data = Streams(targets, handlers, shared.fault_points), GuestData(targets, handlers)
    vm, vmi = VmLifecycle(targets), VmiLifecycle(targets, handlers)
    volumes, memory = Volumes(targets), MemoryDump(targets)
    gets: dict[str, dict[str, Handler]] = {
        "virtualmachineinstances": {
            "console": stream.console,
            "portforward": stream.port_forward,
            "guestosinfo": data.guestosinfo,
            "userlist": data.userlist,
            "filesystemlist": data.filesystemlist,
            "usbredir": streams.refuse_usbredir,
            "vsock": streams.refuse_vsock,
            "vnc": streams.refuse_vnc,
        },
        "virtualmachines": {"portforward": stream.vm_port_forward, "expand-spec": _expand(targets)},
    }
    puts: dict[str, dict[str, Handler]] = {
        "virtualmachines": {
            "start": vm.start,
            "stop": vm.stop,
            "restart": vm.restart,
            "migrate": vm.migrate,
            "addvolume": volumes.add_to_vm,
            "removevolume": volumes.remove_from_vm,
            "memorydump": memory.dump,
            "removememorydump": memory.remove,
        },
        "virtualmachineinstances": {
            "pause": vmi.pause,
            "unpause": vmi.unpause,
            "freeze": vmi.freeze,
            "unfreeze": vmi.unfreeze,
            "softreboot": vmi.softreboot,
            "reset": vmi.reset,
            "addvolume": volumes.add_to_vmi,
            "removevolume": volumes.remove_from_vmi,
            "evacuate": Evacuation(targets).cancel,
        },
    }
    for method, table in (("GET", gets), ("PUT", puts)):
        for resource, found in table.items():
            for subresource, handler in found.items():
                routes.handle(GROUP, resource, subresource, _guarded(method, handler))
    routes.handle(GROUP, "version", "", _guarded("GET", _version(shared)))
    routes.handle(GROUP, "healthz", "", _guarded("GET", _health(shared)))
    routes.handle(GROUP, ANY, ANY, _unknown)
    routes.handle("", "pods", "log", PodLogs(shared, handlers).answer)
    for subresource in ("exec", "attach"):
        routes.handle("", "pods", subresource, refuse_commands)
    listed = [f"{resource}/{sub}" for table in (gets, puts) for resource, found in table.items() for sub in found]
    routes.aggregated(GROUP, VERSIONS, sorted(listed))


def _guarded(method: str, handler: Handler) -> Handler:
    """Checks method and Accept header as go-restful does; refusals become Statuses."""

    async def answer(call: HttpCall) -> web.StreamResponse:
        if call.request.method != method:
            return method_not_allowed(method)
        accept = call.request.headers.get("Accept", "*/*")
        if method == "PUT" and "*/*" not in accept:
            return not_acceptable()
        try:
            return await handler(call)
        except Refusal as refusal:
            return refusal.response()

    async def handle(call: HttpCall) -> web.StreamResponse:
        if call.info.version not in VERSIONS:
            return no_such_page()
        return _not_sniffed(await answer(call))

    return handle


def _not_sniffed(response: web.StreamResponse) -> web.StreamResponse:
    """Adds virt-api's header to an answer, except to a stream that has already begun."""
    if not response.prepared:
        response.headers["X-Content-Type-Options"] = "nosniff"
    return response


async def _unknown(_call: HttpCall) -> web.StreamResponse:
    return _not_sniffed(page_not_found())


def _expand(targets: Targets) -> Handler:
    async def handle(call: HttpCall) -> web.StreamResponse:
        vm = await targets.vm(call)
        ordered = {"kind": vm["kind"], "apiVersion": vm["apiVersion"], **vm}
        return document(ordered)

    return handle


def _version(shared: Shared) -> Handler:
    async def handle(call: HttpCall) -> web.StreamResponse:
        body = {
            "gitVersion": shared.profile.version,
            "gitCommit": "",
            "gitTreeState": "embedded",
            "buildDate": "1970-01-01T00:00:00Z",
            "goVersion": "",
            "compiler": "",
            "platform": "linux/amd64",
        }
        return document(body)

    return handle


def _health(shared: Shared) -> Handler:
    async def handle(call: HttpCall) -> web.StreamResponse:
        kubevirt = shared.settings.kubevirt or {}
        seen = kubevirt.get("metadata", {}).get("resourceVersion", "")
        body = {"apiserver": {"connectivity": "ok"}, "config-resource-version": seen}
        return document(body)

    return handle
