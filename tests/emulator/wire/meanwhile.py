# SPDX-License-Identifier: Apache-2.0
"""What the recordings' driver did while a watch was open, by its own words."""

from __future__ import annotations

from typing import Any

from emulator.controlplane import names
from tests.emulator.apiserver.harness import config_map, nad

from .stage import NADS, Stage, stopped_vm

SPACE = "wire-watch"
FINALIZER = {"finalizers": ["example.com/h"]}


async def act(stage: Stage, exchange: str, did: str) -> None:
    """KeyError for words that no recording has."""
    if (exchange, did) == ("22-finalizer-delete-sequence", "delete"):
        await stage.lab.client.delete("configmaps", "fin", SPACE)
        return
    if did.startswith("patch w1"):
        await stage.lab.client.patch("configmaps", "w1", SPACE, PATCHES[did])
        return
    await OTHERS[did](stage)


PATCHES: dict[str, dict[str, Any]] = {
    "patch w1 data": {"data": {"k": "2"}},
    "patch w1 with no change (no event comes)": {"data": {"k": "2"}},
    "patch w1 label app x -> z": {"metadata": {"labels": {"app": "z"}}},
    "patch w1 data while the label is z": {"data": {"k": "3"}},
    "patch w1 label app z -> x": {"metadata": {"labels": {"app": "x"}}},
}


async def _vm_created(stage: Stage) -> None:
    await stage.make(stopped_vm("vmw", SPACE))
    await stage.settled(names.VM, SPACE, lambda found: "conditions" in found["vmw"].get("status", {}))


async def _vm_patched(stage: Stage) -> None:
    path = "/spec/template/spec/networks/1/multus/networkName"
    await stage.lab.client.patch(names.VM, "vmw", SPACE, [{"op": "replace", "path": path, "value": "nad-b"}])


OTHERS: dict[str, Any] = {
    "create w1": lambda stage: stage.make(config_map("w1", SPACE, labels={"app": "x"})),
    "delete w1": lambda stage: stage.lab.client.delete("configmaps", "w1", SPACE),
    "create": lambda stage: stage.make(nad("nad-w", SPACE)),
    "patch": lambda stage: stage.lab.client.patch(NADS, "nad-w", SPACE, {"spec": {"config": "{}"}}),
    "delete": lambda stage: stage.lab.client.delete(NADS, "nad-w", SPACE),
    "create with finalizer": lambda stage: stage.make(config_map("fin", SPACE, **FINALIZER)),
    "remove finalizer": lambda stage: stage.lab.client.patch(
        "configmaps", "fin", SPACE, {"metadata": {"finalizers": None}}
    ),
    "create VM": _vm_created,
    "patch networkName": _vm_patched,
    "delete VM": lambda stage: stage.lab.client.delete(names.VM, "vmw", SPACE),
    "something else changed in another namespace": lambda stage: stage.make(config_map("other", "lab")),
}
