# SPDX-License-Identifier: Apache-2.0
"""CDI: a claim for each DataVolume, and its phases until it is filled."""

from __future__ import annotations

from ..apiserver.objects import clone
from ..controlplane import names
from ..controlplane.accessors import is_controlled_by, is_deleting, owner_reference
from ..controlplane.optimistic_patch import changes
from ..kube.client import Obj
from ..kube.errors import ApiError
from ..kube.events import EventRecorder
from ..kube.informer import Key
from ..kube.timestamps import timestamp
from ..kube.workqueue import WorkQueue
from ..platforms.addon import AddonContext
from .claims import default_class
from .kinds import STORAGE_PROFILES

# Seconds that each phase lasts; a blank disk is only formatted.
NEXT = {"ImportScheduled": ("ImportInProgress", 2.0), "ImportInProgress": ("Succeeded", 3.0)}
FIRST_WITH_CLAIM = "ImportScheduled"


class ClaimNotValid(Exception):
    """No claim can be made of a DataVolume; the message is the event's."""


class DataVolumes:
    """The controller: Pending until the claim is bound, then scheduled, in progress, succeeded."""

    def __init__(self, context: AddonContext) -> None:
        self._client = context.client("cdi", "cdi-sa")
        self._shared = context.shared
        self._core = context.core
        self._events = EventRecorder(self._client, "datavolume-import-controller")
        self.queue = WorkQueue("datavolumes", self.sync)
        # A DataVolume and its claim have the same name.
        for resource in (names.DATA_VOLUME, names.CLAIM):
            self._shared.caches[resource].on_change(self._on_change)

    def _on_change(self, _event: str, new: Obj, _old: Obj | None) -> None:
        self.queue.add((new["metadata"]["namespace"], new["metadata"]["name"]))

    async def run(self) -> None:
        await self.queue.run()

    async def sync(self, key: Key) -> None:
        volume = self._shared.caches[names.DATA_VOLUME].get(*key)
        if volume is None or is_deleting(volume):
            return
        claim = self._shared.caches[names.CLAIM].get(*key)
        if claim is None:
            claim = await self._claim(volume)
        elif not is_controlled_by(claim, volume):
            message = f"Resource {claim['metadata']['name']} already exists and is not managed by DataVolume"
            await self._events.warning(volume, "ErrResourceExists", message)
            return
        bound = claim is not None and claim["status"].get("phase") == "Bound"
        phase = volume.get("status", {}).get("phase", "")
        if not bound:
            await self._write(volume, "Pending", claim)
        elif phase in ("", "Pending"):
            await self._write(volume, FIRST_WITH_CLAIM, claim)
        elif phase in NEXT:
            following, seconds = NEXT[phase]
            mark = f"{volume['metadata']['uid']} {phase}"
            left = seconds - self._shared.elapsed_times.since(mark, timestamp())
            if left > 0:
                self.queue.add_after(key, self._shared.pace.seconds(left))
            else:
                await self._write(volume, following, claim)

    async def _claim(self, volume: Obj) -> Obj | None:
        """The new claim; None if it cannot be created yet."""
        meta = volume["metadata"]
        try:
            spec = self._claim_spec(volume["spec"])
        except ClaimNotValid as error:
            await self._events.warning(volume, "ErrClaimNotValid", str(error))
            return None
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": meta["name"],
                "namespace": meta["namespace"],
                "labels": {"app": "containerized-data-importer", "app.kubernetes.io/managed-by": "cdi-controller"},
                "annotations": {"cdi.kubevirt.io/storage.contentType": "kubevirt"},
                "ownerReferences": [owner_reference(volume)],
            },
            "spec": spec,
        }
        try:
            created = await self._client.create(names.CLAIM, claim)
        except ApiError as error:
            if error.code == 409:
                return None
            raise
        await self._shared.caches[names.CLAIM].catch_up(created)
        return created

    def _claim_spec(self, spec: Obj) -> Obj:
        """``storage`` takes missing fields from the class's profile; ``pvc`` is used as it is."""
        if "pvc" in spec:
            return dict(clone(spec["pvc"]))
        wished: Obj = clone(spec.get("storage") or {})
        name = wished.get("storageClassName") or default_class(self._core)
        profile = self._core.find(STORAGE_PROFILES, "", name) if name else None
        ways = (profile.obj.get("status") or {}).get("claimPropertySets") or [] if profile else []
        if "accessModes" not in wished:
            if not name:
                raise ClaimNotValid("PVC spec is missing accessMode and no storageClass to choose profile")
            if not ways:
                raise ClaimNotValid(f"no accessMode specified in StorageProfile {name}")
            wished["accessModes"] = list(ways[0]["accessModes"])
        fitting = [way for way in ways if set(wished["accessModes"]) <= set(way["accessModes"])]
        if fitting:
            wished.setdefault("volumeMode", fitting[0]["volumeMode"])
        if name:
            wished["storageClassName"] = name
        return wished

    async def _write(self, volume: Obj, phase: str, claim: Obj | None) -> None:
        meta = volume["metadata"]
        if volume.get("status", {}).get("phase") != phase:
            self._shared.elapsed_times.start(f"{meta['uid']} {phase}")
        new = clone(volume)
        status = new.setdefault("status", {})
        status["phase"] = phase
        status["progress"] = "100.0%" if phase == "Succeeded" else "N/A"
        if claim is not None:
            status["claimName"] = claim["metadata"]["name"]
        bound = claim is not None and claim["status"].get("phase") == "Bound"
        told = {
            "Bound": (bound, "Bound" if bound else "Pending"),
            "Ready": (phase == "Succeeded", ""),
            "Running": (phase == "ImportInProgress", "Completed" if phase == "Succeeded" else ""),
        }
        status["conditions"] = [
            _condition(kind, *value, status.get("conditions") or []) for kind, value in told.items()
        ]
        patch = changes(volume, new, (("status",),))
        if patch:
            where = meta["name"], meta["namespace"]
            written = await self._client.patch(names.DATA_VOLUME, *where, patch, subresource="status")
            await self._shared.caches[names.DATA_VOLUME].catch_up(written)
            if phase != volume.get("status", {}).get("phase"):
                await self._events.normal(volume, phase, f"DataVolume {meta['name']} is {phase}")


def _condition(kind: str, value: bool, reason: str, old: list[Obj]) -> Obj:
    known = next((condition for condition in old if condition["type"] == kind), None)
    if known and (known["status"], known.get("reason", "")) == (str(value), reason):
        return known
    stamp = timestamp()
    found: Obj = {"type": kind, "status": str(value), "lastHeartbeatTime": stamp, "lastTransitionTime": stamp}
    return found | ({"reason": reason} if reason else {})
