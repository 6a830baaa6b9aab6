# SPDX-License-Identifier: Apache-2.0
"""The recordings' VMs for streams and lifecycle, and the stand-ins for virt-handler behind them."""

from __future__ import annotations

from typing import Any

from emulator.controlplane import names
from emulator.kube import conditions

from .admission import cannot_migrate
from .stage import PATHS, VMS, Act, Scene, Stage, stopped_vm
from .standin import SPACE, RecordedHandler

OTHER = "wire-stream5"
STARTED = ("vm1", "vm-paused", "vm-nomig", "vm-herr", "vm-chatty", "vm-nosock", "vm-nonode")


def vm(name: str, strategy: str = "Always", namespace: str = SPACE) -> dict[str, Any]:
    made = stopped_vm(name, namespace)
    made["spec"]["runStrategy"] = strategy
    return made


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


async def _pauses(stage: Stage) -> None:
    """vm-paused is paused by hand."""
    vmi = await stage.lab.agent.client.get(names.VMI, "vm-paused", SPACE)
    conditions.put(vmi, conditions.new("Paused", "True", reason="PausedByUser"))
    await stage.lab.agent.client.replace(names.VMI, vmi)


async def _account(stage: Stage) -> None:
    """The account whose token may open consoles and forward ports."""
    group = "rbac.authorization.k8s.io"
    resources = [f"virtualmachineinstances/{name}" for name in ("console", "portforward")]
    rule = {"apiGroups": ["subresources.kubevirt.io"], "resources": resources, "verbs": ["get"]}
    meta = {"name": "streams", "namespace": SPACE}
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": SPACE}
    await stage.make(
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": [rule]},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "subjects": [subject],
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "streams"},
        },
    )
    url = f"{PATHS['ServiceAccount'].format(SPACE)}/default/token"
    made = await stage.player.make(url, {"spec": {"expirationSeconds": 600}})
    may = "bearer token of a service account that may get virtualmachineinstances/console and /portforward"
    stage.player.tokens[may] = made["status"]["token"]


async def _listening(stage: Stage) -> None:
    await _begin(stage)
    await _account(stage)


def _without(name: str, **devices: Any) -> dict[str, Any]:
    made = vm(name)
    spec = made["spec"]["template"]["spec"]
    spec["domain"]["devices"] |= devices
    if "interfaces" in devices:
        spec["networks"] = []
    return made


STREAMS = Scene(
    guess=False,
    there=(
        *LIFECYCLE.there,
        _without("vm-noserial", autoattachSerialConsole=False),
        _without("vm-noif", interfaces=[], autoattachPodInterface=False),
    ),
    before={"01": _listening, "73": _pauses, "76": _nowhere, "78": _deaf},
)
