# SPDX-License-Identifier: Apache-2.0
"""PersistentVolumeClaims: sets the default class, creates a volume and binds it."""

from __future__ import annotations

from ..apiserver.admission import AdmissionRequest
from ..apiserver.core import ApiCore
from ..controlplane import names
from ..kube.client import Obj
from ..kube.errors import ApiError
from ..kube.events import EventRecorder
from ..kube.informer import Key
from ..kube.workqueue import WorkQueue
from ..platforms.addon import AddonContext
from .kinds import CLAIMS, DEFAULT_CLASS, PROVISIONER, STORAGE_CLASSES

VOLUMES = "persistentvolumes"
PROVISIONED_BY = "volume.kubernetes.io/storage-provisioner"
BINDING = 1.0


def default_class(core: ApiCore) -> str:
    """The default StorageClass; "" if there is none."""
    for item in core.items(core.resource(STORAGE_CLASSES)):
        if (item.obj["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true":
            return str(item.obj["metadata"]["name"])
    return ""


class NewClaims:
    """The API server's admission of new claims."""

    def __init__(self, core: ApiCore) -> None:
        self._core = core

    async def complete(self, request: AdmissionRequest) -> None:
        claim = request.new
        if claim is None:
            return
        spec = claim.setdefault("spec", {})
        spec.setdefault("volumeMode", "Filesystem")
        if "storageClassName" not in spec and (name := default_class(self._core)):
            spec["storageClassName"] = name
        claim["status"] = {"phase": "Pending"}


class Binder:
    """Creates a volume for each claim of our class, and removes it with the claim."""

    def __init__(self, context: AddonContext) -> None:
        self._client = context.client("kube-system", "persistent-volume-binder")
        self._shared = context.shared
        self._core = context.core
        self._events = EventRecorder(self._client, f"{PROVISIONER}_provisioner")
        self._refused: set[str] = set()
        self.queue = WorkQueue("claims", self.sync)
        self._shared.caches[names.CLAIM].on_change(self._on_claim)

    def _on_claim(self, event: str, new: Obj, _old: Obj | None) -> None:
        delay = BINDING if event == "ADDED" else 0.0
        self.queue.add_after((new["metadata"]["namespace"], new["metadata"]["name"]), self._shared.pace.seconds(delay))
        if event == "DELETED" and new["spec"].get("volumeName"):
            self.queue.add(("", new["spec"]["volumeName"]))

    async def run(self) -> None:
        await self.queue.run()

    async def sync(self, key: Key) -> None:
        if not key[0]:
            await self._remove(key[1])
            return
        claim = self._shared.caches[names.CLAIM].get(*key)
        if claim is None or "deletionTimestamp" in claim["metadata"] or claim["status"].get("phase") == "Bound":
            return
        name = claim["spec"].get("storageClassName", "")
        if self._provisioner(name) != PROVISIONER:
            return
        if not _is_served(claim["spec"]):
            await self._refuse(claim, name)
            return
        await self._bind(claim)

    def _provisioner(self, class_name: str) -> str:
        found = self._core.find(self._core.resource(STORAGE_CLASSES), "", class_name)
        return str(found.obj.get("provisioner", "")) if found else ""

    async def _refuse(self, claim: Obj, class_name: str) -> None:
        modes, mode = claim["spec"].get("accessModes"), claim["spec"].get("volumeMode")
        why = f"{modes} is not available with volumeMode {mode}"
        message = f'failed to provision volume with StorageClass "{class_name}": {why}'
        if claim["metadata"]["uid"] not in self._refused:
            self._refused.add(claim["metadata"]["uid"])
            await self._events.warning(claim, "ProvisioningFailed", message)

    async def _bind(self, claim: Obj) -> None:
        meta, spec = claim["metadata"], claim["spec"]
        name = f"pvc-{meta['uid']}"
        capacity = {"storage": ((spec.get("resources") or {}).get("requests") or {}).get("storage", "1Gi")}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
            "spec": {
                "accessModes": spec["accessModes"],
                "capacity": capacity,
                "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "uid": meta["uid"]}
                | {"namespace": meta["namespace"], "name": meta["name"]},
                "persistentVolumeReclaimPolicy": "Delete",
                "storageClassName": spec["storageClassName"],
                "volumeMode": spec["volumeMode"],
            },
        }
        try:
            await self._client.create(VOLUMES, volume)
        except ApiError as error:
            if error.code != 409:
                raise
        await self._client.patch(VOLUMES, name, None, {"status": {"phase": "Bound"}}, subresource="status")
        notes = {"pv.kubernetes.io/bind-completed": "yes", PROVISIONED_BY: PROVISIONER}
        patch = {"metadata": {"annotations": notes}, "spec": {"volumeName": name}}
        where = meta["name"], meta["namespace"]
        await self._client.patch(names.CLAIM, *where, patch)
        status = {"status": {"phase": "Bound", "accessModes": spec["accessModes"], "capacity": capacity}}
        bound = await self._client.patch(names.CLAIM, *where, status, subresource="status")
        await self._shared.caches[names.CLAIM].catch_up(bound)
        message = f"Successfully provisioned volume {name}"
        await self._events.normal(claim, "ProvisioningSucceeded", message)

    async def _remove(self, volume: str) -> None:
        try:
            await self._client.delete(VOLUMES, volume)
        except ApiError as error:
            if error.code != 404:
                raise


def _is_served(spec: Obj) -> bool:
    return any(
        mode in way["accessModes"] and spec.get("volumeMode") == way["volumeMode"]
        for mode in spec.get("accessModes") or []
        for way in CLAIMS
    )
