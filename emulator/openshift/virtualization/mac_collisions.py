# SPDX-License-Identifier: Apache-2.0
"""KubeMacPool's check of running VMs: two with the same MAC get an event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulator.controlplane.accessors import interfaces, is_final
from emulator.kube.client import Obj
from emulator.kube.events import EventRecorder
from emulator.kube.informer import Key, key_of
from emulator.kube.workqueue import WorkQueue
from emulator.platforms.addon import AddonContext

COMPONENT = "kubemacpool"


class Collisions:
    """Checks a VMI's MACs when it is created or its MACs change."""

    def __init__(self, context: AddonContext) -> None:
        self._vmis = context.shared.vmis
        client = context.client(context.platform.kubevirt_namespace, COMPONENT)
        self._recorder = EventRecorder(client, COMPONENT)
        self._queue = WorkQueue("mac collisions", self._sync)
        self._vmis.on_change(self._on_vmi)

    async def run(self) -> None:
        await self._queue.run()

    def _on_vmi(self, event: str, new: Obj, old: Obj | None) -> None:
        if event != "DELETED" and (old is None or set(macs(old)) != set(macs(new))):
            self._queue.add(key_of(new))

    async def _sync(self, key: Key) -> None:
        vmi = self._vmis.get(*key)
        if vmi is None:
            return
        for mac in sorted(set(macs(vmi))):
            sharers = [other for other in self._vmis.all() if mac in macs(other) and not is_final(other)]
            if len(sharers) < 2:
                continue
            shown = ", ".join("/".join(key_of(sharer)) for sharer in sharers)
            for sharer in sharers:
                await self._recorder.warning(sharer, "MACCollision", f"MAC {mac}: Collision between {shown}")


def macs(vmi: Obj) -> Iterator[str]:
    """The MACs that a VMI asks for, in lower case."""
    spec: Any = vmi["spec"]
    for nic in interfaces(spec):
        if nic.get("macAddress"):
            yield str(nic["macAddress"]).lower().replace("-", ":")
