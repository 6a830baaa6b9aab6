# SPDX-License-Identifier: Apache-2.0
"""The webhook in the way of every eviction of a launcher pod: it marks the VMI instead, if that shall migrate."""

from __future__ import annotations

from emulator.apiserver.admission import AdmissionRequest
from emulator.controlplane import names
from emulator.controlplane.accessors import Obj, annotations_of, is_migratable, labels_of, phase
from emulator.controlplane.context import Shared
from emulator.kube.errors import ApiError

INTERCEPTOR = "virt-launcher-eviction-interceptor.kubevirt.io"
REQUESTED_BY = "requested-by"
DESCHEDULER = "sigs.k8s.io/descheduler"


class EvictionInterceptor:
    """Every refusal is 429 without a reason: the evicting client is to ask again, until the pod has ended."""

    def __init__(self, shared: Shared) -> None:
        self.client = shared.client_for(shared.platform.service_account(names.API_USER))

    async def check(self, request: AdmissionRequest) -> None:
        pod = await self._find(names.PODS, request.name, request.namespace)
        if pod is None or labels_of(pod).get("kubevirt.io") != "virt-launcher" or phase(pod) in ("Succeeded", "Failed"):
            return
        name = annotations_of(pod).get("kubevirt.io/domain")
        if not name:
            return
        vmi = await self._find(names.VMI, name, request.namespace)
        if vmi is None:
            raise _denied(f'kubevirt failed getting the vmi: virtualmachineinstances.kubevirt.io "{name}" not found')
        if not _migrates(vmi):
            return
        said = f'Eviction triggered evacuation of VMI "{request.namespace}/{name}"'
        status = vmi["status"]
        if status.get("evacuationNodeName"):
            raise _denied(f"Evacuation in progress: {said}")
        if status.get("nodeName") != pod["spec"].get("nodeName"):
            raise _denied("Eviction request for target Pod")
        if not request.dry_run:
            await self._mark(vmi, annotations_of(request.new or {"metadata": {}}))
        raise _denied(said)

    async def _find(self, resource: str, name: str, namespace: str) -> Obj | None:
        try:
            return await self.client.get(resource, name, namespace)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    async def _mark(self, vmi: Obj, notes: dict[str, str]) -> None:
        patch: Obj = {"status": {"evacuationNodeName": vmi["status"]["nodeName"]}}
        if notes.get(REQUESTED_BY) == DESCHEDULER:
            patch["metadata"] = {"annotations": {names.EVICTION_SOURCE: "descheduler"}}
        meta = vmi["metadata"]
        try:
            await self.client.patch(names.VMI, meta["name"], meta["namespace"], patch)
        except ApiError as error:
            raise _denied(f"kubevirt failed marking the vmi for eviction: {error.message}") from None


def _migrates(vmi: Obj) -> bool:
    """Whether an eviction becomes an evacuation; ApiError 429 where it can become neither that nor a deletion."""
    strategy = vmi["spec"].get("evictionStrategy")
    if strategy == "LiveMigrate" and not is_migratable(vmi):
        name = vmi["metadata"]["name"]
        raise _denied(f"VMI {name} is configured with an eviction strategy but is not live-migratable")
    return strategy in ("LiveMigrate", "External") or (strategy == "LiveMigrateIfPossible" and is_migratable(vmi))


def _denied(message: str) -> ApiError:
    return ApiError(429, "", f'admission webhook "{INTERCEPTOR}" denied the request: {message}')
