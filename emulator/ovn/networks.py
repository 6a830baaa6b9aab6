# SPDX-License-Identifier: Apache-2.0
"""The ClusterUserDefinedNetwork controller: a NetworkAttachmentDefinition in each namespace that one selects."""

from __future__ import annotations

import json

from ..apiserver.objects import clone
from ..apiserver.selectors import matches_selector
from ..controlplane import names
from ..controlplane.accessors import annotations_of, is_controlled_by, is_deleting, labels_of, owner_reference
from ..controlplane.cache import Cache
from ..controlplane.optimistic_patch import changes
from ..kube import conditions
from ..kube.client import Obj
from ..kube.errors import ApiError
from ..kube.informer import Key
from ..kube.timestamps import timestamp
from ..kube.workqueue import WorkQueue
from ..platforms.addon import AddonContext
from .cudn import CUDN, plugin_config

FINALIZER = "k8s.ovn.org/user-defined-network-protection"
LABEL = "k8s.ovn.org/user-defined-network"
POD_NETWORKS = "k8s.ovn.org/pod-networks"
CONDITION = "NetworkCreated"
CREATED, DELETED = "NetworkAttachmentDefinitionCreated", "NetworkAttachmentDefinitionDeleted"
FAILED = "NetworkAttachmentDefinitionSyncError"
REACTION = 0.5


class SyncError(Exception):
    """A NAD that cannot be created or removed now; the message is the condition's."""


class ClusterNetworks:
    """The controller. A network stays as long as a pod in any phase uses it."""

    def __init__(self, context: AddonContext, cudns: Cache) -> None:
        self._client = context.client("ovn-kubernetes", "ovnkube-cluster-manager")
        self._cudns = cudns
        self._shared = context.shared
        self.queue = WorkQueue("cudn", self.sync)
        cudns.on_change(lambda _event, new, _old: self._mark(new["metadata"]["name"]))
        self._shared.nads.on_change(lambda _event, new, _old: self._mark(new["metadata"]["name"]))
        self._shared.caches[names.NAMESPACES].on_change(self._on_namespace)
        self._shared.pods.on_change(self._on_pod)

    def _mark(self, name: str) -> None:
        # The real controller reacts a moment later.
        self.queue.add_after(("", name), self._shared.pace.seconds(REACTION))

    def _on_namespace(self, _event: str, new: Obj, old: Obj | None) -> None:
        if old is None or labels_of(new) != labels_of(old) or is_deleting(new) != is_deleting(old):
            for cudn in self._cudns.all():
                self._mark(cudn["metadata"]["name"])

    def _on_pod(self, event: str, new: Obj, _old: Obj | None) -> None:
        if event == "DELETED":
            for network in _networks_of(new):
                self._mark(network.partition("/")[2])

    async def run(self) -> None:
        await self.queue.run()

    async def sync(self, key: Key) -> None:
        cudn = self._cudns.get(*key)
        if cudn is None:
            return
        if not is_deleting(cudn) and FINALIZER not in cudn["metadata"].get("finalizers", []):
            await self._set_finalizer(cudn, True)
            return
        name = cudn["metadata"]["name"]
        wanted = [] if is_deleting(cudn) else self._selected(cudn)
        errors: list[str] = []
        for nad in [n for n in self._nads(cudn) if n["metadata"]["namespace"] not in wanted or is_deleting(n)]:
            await self._attempt(self._remove(nad), errors)
        for namespace in wanted:
            await self._attempt(self._ensure(cudn, namespace), errors)
        left = [f"{n['metadata']['namespace']}/{name}" for n in self._nads(cudn)]
        if is_deleting(cudn) and not left:
            await self._set_finalizer(cudn, False)
            return
        await self._tell(cudn, errors, wanted, left)
        if errors:
            # The condition is written; the queue retries with back-off.
            raise ApiError(409, "Conflict", "; ".join(errors))

    @staticmethod
    async def _attempt(work: object, errors: list[str]) -> None:
        try:
            await work  # type: ignore[misc]
        except SyncError as error:
            errors.append(str(error))

    def _selected(self, cudn: Obj) -> list[str]:
        """Sorted names of the namespaces."""
        selector = cudn["spec"]["namespaceSelector"]
        spaces = self._shared.caches[names.NAMESPACES].all(
            where=lambda space: matches_selector(selector, labels_of(space)) and not is_deleting(space)
        )
        return [space["metadata"]["name"] for space in spaces]

    def _nads(self, cudn: Obj) -> list[Obj]:
        name = cudn["metadata"]["name"]
        return list(
            self._shared.nads.all(where=lambda nad: nad["metadata"]["name"] == name and is_controlled_by(nad, cudn))
        )

    async def _ensure(self, cudn: Obj, namespace: str) -> None:
        name = cudn["metadata"]["name"]
        nad = self._shared.nads.get(namespace, name)
        wished = nad_of(cudn, namespace)
        if nad is None:
            try:
                written = await self._client.create(names.NAD, wished)
            except ApiError as error:
                raise SyncError(f"failed to create NetworkAttachmentDefinition: {error.message}") from error
            await self._shared.nads.catch_up(written)
        elif not is_controlled_by(nad, cudn):
            what = "foreign NetworkAttachmentDefinition with the desired name already exist"
            raise SyncError(f"{what} [{namespace}/{name}]")
        elif nad["spec"] != wished["spec"] and not is_deleting(nad):
            new = clone(nad) | {"spec": wished["spec"]}
            written = await self._client.replace(names.NAD, new)
            await self._shared.nads.catch_up(written)

    async def _remove(self, nad: Obj) -> None:
        meta = nad["metadata"]
        where = f"{meta['namespace']}/{meta['name']}"
        users = [
            f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            for pod in self._shared.pods.all(meta["namespace"], where=lambda pod: where in _networks_of(pod))
        ]
        if users:
            why = f"network in use by the following pods: [{', '.join(users)}]"
            raise SyncError(f"failed to delete NetworkAttachmentDefinition [{where}]: {why}")
        if not is_deleting(nad):
            await self._client.delete(names.NAD, meta["name"], meta["namespace"], uid=meta["uid"])
        patch = {"metadata": {"finalizers": None}}
        written = await self._client.patch(names.NAD, meta["name"], meta["namespace"], patch)
        await self._shared.nads.catch_up(written)

    async def _set_finalizer(self, cudn: Obj, present: bool) -> None:
        meta = cudn["metadata"]
        kept = [name for name in meta.get("finalizers", []) if name != FINALIZER]
        finalizers = [*kept, FINALIZER] if present else kept
        patch = {"metadata": {"finalizers": finalizers or None, "resourceVersion": meta["resourceVersion"]}}
        await self._client.patch(CUDN.key, meta["name"], None, patch)

    async def _tell(self, cudn: Obj, errors: list[str], wanted: list[str], left: list[str]) -> None:
        if errors:
            status, reason, message = "False", FAILED, "\n".join(errors)
        elif is_deleting(cudn):
            message = f"NetworkAttachmentDefinition are being deleted: [{', '.join(left)}]"
            status, reason = "False", DELETED
        else:
            spaces = ", ".join(wanted)
            message = f"NetworkAttachmentDefinition has been created in following namespaces: [{spaces}]"
            status, reason = "True", CREATED
        new = clone(cudn)
        found = new.setdefault("status", {}).setdefault("conditions", [])
        known = next((c for c in found if c["type"] == CONDITION), None)
        told = {"type": CONDITION, "status": status, "reason": reason, "message": message}
        if known and all(known[key] == value for key, value in told.items()):
            return
        others = [c for c in found if c["type"] != CONDITION]
        stamped = conditions.keep_transition_times(found, [told | {"lastTransitionTime": timestamp()}])
        new["status"]["conditions"] = [*others, *stamped]
        patch = changes(cudn, new, (("status",),))
        written = await self._client.patch(CUDN.key, cudn["metadata"]["name"], None, patch, subresource="status")
        await self._cudns.catch_up(written)


def nad_of(cudn: Obj, namespace: str) -> Obj:
    """The NAD of a namespace."""
    own = "k8s.ovn.org/"
    annotations = {key: value for key, value in annotations_of(cudn).items() if not key.startswith(own)}
    meta = {
        "name": cudn["metadata"]["name"],
        "namespace": namespace,
        "labels": {**labels_of(cudn), LABEL: ""},
        "finalizers": [FINALIZER],
        "ownerReferences": [owner_reference(cudn)],
    }
    config = json.dumps(plugin_config(cudn, namespace), separators=(",", ":"), sort_keys=True)
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": meta | ({"annotations": annotations} if annotations else {}),
        "spec": {"config": config},
    }


def _networks_of(pod: Obj) -> list[str]:
    """``namespace/name`` of the NADs that OVN-Kubernetes has attached a pod to."""
    try:
        found = json.loads(annotations_of(pod).get(POD_NETWORKS, "{}"))
    except ValueError:
        return []
    return list(found) if isinstance(found, dict) else []
