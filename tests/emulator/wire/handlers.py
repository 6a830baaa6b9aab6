"""The recordings' VMs for streams and lifecycle, and the stand-ins for virt-handler behind them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from emulator.controlplane import conditions, names
from tests.emulator.controlplane.handler import Handler
from tests.emulator.controlplane.lab import Lab

from .recordings import recorded
from .scenes import VMS, Act, Scene, Stage, cannot_migrate, stopped_vm

SPACE, OTHER = "wire-stream", "wire-stream5"
STARTED = ("vm1", "vm-paused", "vm-nomig", "vm-herr", "vm-chatty", "vm-nosock", "vm-nonode")
FAILED = 'server error. command Pause failed: "LibvirtError(...)"'
GUEST = ("guestosinfo", "userlist", "filesystemlist")


def vm(name: str, strategy: str = "Always", namespace: str = SPACE) -> dict[str, Any]:
    made = stopped_vm(name, namespace)
    made["spec"]["runStrategy"] = strategy
    return made


class RecordedHandler(Handler):
    """Answers as the stand-in of the recordings, and writes the condition that virt-handler writes."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab
        exchanges = {exchange["name"]: exchange for exchange in recorded("stream-lifecycle")}
        numbers = ("01", "05", "09")
        self._guest = {
            what: exchanges[f"{number}-{what}-ok"]["answer"]["body"]
            for what, number in zip(GUEST, numbers, strict=True)
        }

    async def _data(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._guest[request.match_info["what"]])

    async def _order(self, request: web.Request) -> web.StreamResponse:
        name, order = request.match_info["name"], request.match_info["what"]
        if name == "vm-herr":
            return web.Response(status=500, text=FAILED)
        if order in ("pause", "unpause"):
            client = self._lab.agent.client
            vmi = await client.get(names.VMI, name, SPACE)
            conditions.remove(vmi, "Paused")
            if order == "pause":
                message = "VMI was paused by user"
                conditions.put(vmi, conditions.new("Paused", "True", reason="PausedByUser", message=message))
            await client.replace(names.VMI, vmi)
        return web.Response(status=202)


async def _begin(stage: Stage) -> None:
    """The VMs run, one without a guest agent, and nothing that is started from now on gets up."""

    def are_ready(found: dict[str, Any]) -> bool:
        return all(found[name].get("status", {}).get("ready") for name in STARTED if name in found)

    for space in (SPACE, OTHER):
        await stage.settled(VMS, space, are_ready)
    await cannot_migrate(stage, "vm-nomig", SPACE)
    vmi = await stage.lab.agent.client.get(names.VMI, "vm-nomig", SPACE)
    conditions.remove(vmi, "AgentConnected")
    await stage.lab.agent.client.replace(names.VMI, vmi)
    stage.lab.agent.may_start_pods.clear()
    await stage.make(vm("vm-pending"))
    await stage.settled(names.VMI, SPACE, lambda found: _phase(found, "vm-pending") == "Scheduling")
    for node in ("node1", "node2", "node3"):
        handler = RecordedHandler(stage.lab)
        await handler.start(stage.lab, node)
        stage.handlers.append(handler)


def _phase(found: dict[str, Any], name: str) -> str:
    return str(found.get(name, {}).get("status", {}).get("phase", ""))


def _shown(name: str, **status: str) -> Act:
    """Waits until the VM controller has looked again."""

    def same(found: dict[str, Any]) -> bool:
        return all(found[name]["status"].get(key) == value for key, value in status.items())

    return lambda stage: stage.settled(VMS, SPACE, same)


async def _hold_the_old(stage: Stage) -> None:
    """A restart that is not over in a moment, as on a real cluster."""
    stage.lab.agent.may_end_pods.clear()


async def _nowhere(stage: Stage) -> None:
    for handler in stage.handlers:
        await handler.leave(stage.lab)


async def _deaf(stage: Stage) -> None:
    for handler in stage.handlers:
        await handler.stop()
        await handler.leave(stage.lab, back=True)


LIFECYCLE = Scene(
    guess=False,
    there=(
        *(vm(name) for name in STARTED),
        vm("vm-halted", "Halted"),
        vm("vm-manual", "Manual"),
        vm("vm1", namespace=OTHER),
    ),
    before={
        "01": _begin,
        "17": _shown("vm-paused", printableStatus="Paused"),
        "36": _shown("vm-halted", printableStatus="Starting"),
        "39": _shown("vm-halted", runStrategy="Halted"),
        "45": _shown("vm-manual", printableStatus="Starting"),
        "50": _hold_the_old,
        "51": _shown("vm-chatty", printableStatus="Stopping"),
        "79": _nowhere,
        "81": _deaf,
    },
)
