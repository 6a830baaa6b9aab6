# SPDX-License-Identifier: Apache-2.0
"""Eviction as an update method: the launcher pod is evicted, and the VM's run strategy starts the VM again."""

from __future__ import annotations

from emulator.controlplane import names
from emulator.controlplane.accessors import Obj, is_deleting, pod_is_going
from emulator.controlplane.context import Shared
from emulator.controlplane.vmi.controller import current_pod, pods_of
from emulator.kube.errors import ApiError
from emulator.pace import clock

BATCH_SECONDS = 60.0


class Evictions:
    """At most a batch of VMIs every minute of the real control plane."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self._last: float | None = None

    async def evict(self, vmis: list[Obj]) -> None:
        if not vmis or not self._due():
            return
        self._last = clock()
        for vmi in vmis[: self.shared.settings.eviction_batch]:
            pod = current_pod(vmi, pods_of(self.shared, vmi))
            if pod is not None and not pod_is_going(pod) and not is_deleting(vmi):
                await self._evict(vmi, pod)

    def _due(self) -> bool:
        return self._last is None or clock() - self._last >= self.shared.pace.seconds(BATCH_SECONDS)

    async def _evict(self, vmi: Obj, pod: Obj) -> None:
        meta = pod["metadata"]
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {}}
        eviction["metadata"] = {"name": meta["name"], "namespace": meta["namespace"]}
        try:
            await self.shared.client.create(names.PODS, eviction, subresource="eviction")
        except ApiError as error:
            message = f"Failed to evict VMI pod as part of automated workload update: {error.message}"
            await self.shared.update_recorder.warning(vmi, "FailedEvict", message)
            return
        message = "Initiated eviction of VMI as part of automated workload update: <nil>"
        await self.shared.update_recorder.normal(vmi, "SuccessfulEvict", message)
