# SPDX-License-Identifier: Apache-2.0
"""The HyperConverged operator: reconciles KubeVirt's CR, and writes the conditions of the HyperConverged."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from emulator.controlplane import names
from emulator.controlplane.accessors import annotations_of
from emulator.controlplane.cluster.bootstrap import deploy
from emulator.kube import conditions
from emulator.kube.client import Obj
from emulator.kube.errors import ApiError
from emulator.kube.events import EventRecorder
from emulator.kube.informer import Informer, Key, key_of
from emulator.kube.workqueue import WorkQueue
from emulator.openshift.identity import shown_release
from emulator.openshift.objects import condition
from emulator.platforms.addon import AddonContext

from .kubevirt_cr import JSONPATCH, PatchRefused, wanted_kubevirt
from .resource import HCO, HCO_NAME

OPERATOR = "hyperconverged-cluster-operator"
REACTION_SECONDS = 1.0
HEALTHY = (
    ("ReconcileComplete", True),
    ("Available", True),
    ("Progressing", False),
    ("Degraded", False),
    ("Upgradeable", True),
)


class Operator:
    """Reconciles a second after each change of a HyperConverged, of the KubeVirt CR and of the nodes."""

    def __init__(self, context: AddonContext) -> None:
        self._context = context
        self._client = context.client(context.platform.kubevirt_namespace, OPERATOR)
        self._recorder = EventRecorder(self._client, OPERATOR)
        self._informer = Informer(self._client, HCO)
        self._queue = WorkQueue("hyperconverged", self.sync)
        self._home = (context.platform.kubevirt_namespace, HCO_NAME)
        # The HyperConverged of the last sync. If it is unchanged and the KubeVirt CR differs, another user edited the
        # CR.
        self._seen: Obj | None = None
        self._informer.on_change(lambda _event, new, _old: self._later(key_of(new)))
        for resource in (names.KUBEVIRT, names.NODES):
            context.shared.caches[resource].on_change(self._around)

    def controllers(self) -> tuple[Coroutine[Any, Any, None], ...]:
        return self._informer.run(), self._queue.run()

    def _around(self, event: str, new: Obj, old: Obj | None) -> None:
        if old is None or event == "DELETED" or old.get("spec") != new.get("spec"):
            self._later(self._home)

    def _later(self, key: Key) -> None:
        self._queue.add_after(key, self._context.shared.pace.seconds(REACTION_SECONDS))

    async def sync(self, key: Key) -> None:
        """Reconciles one HyperConverged."""
        try:
            hco = await self._client.get(HCO, key[1], key[0])
        except ApiError as error:
            if error.code == 404:
                return
            raise
        if key != self._home:
            await self._refuse(hco)
            return
        try:
            wanted = wanted_kubevirt(hco, self._context.profile, self._context.platform)
        except PatchRefused as refused:
            failed = [condition("ReconcileComplete", False, "ReconcileFailed", str(refused))]
            await self._write_status(hco, failed)
            return
        asked = {"spec": hco["spec"], "annotations": annotations_of(hco)}
        await self._reconcile(hco, wanted, by_others=asked == self._seen)
        self._seen = asked
        await self._write_status(hco, self._conditions(hco))

    async def _reconcile(self, hco: Obj, wanted: Obj, *, by_others: bool) -> None:
        meta = wanted["metadata"]
        try:
            found = await self._client.get(names.KUBEVIRT, meta["name"], meta["namespace"])
        except ApiError as error:
            if error.code != 404:
                raise
            await self._client.create(names.KUBEVIRT, wanted)
            await deploy(self._client, self._context.profile, self._context.platform, self._context.shared.fault_points)
            return
        if found["spec"] == wanted["spec"]:
            return
        replace = {"op": "replace", "path": "/spec", "value": wanted["spec"]}
        await self._client.patch(names.KUBEVIRT, meta["name"], meta["namespace"], [replace])
        kind, word = ("Warning", "Overwritten") if by_others else ("Normal", "Updated")
        await self._recorder.record(hco, kind, word, f"{word} KubeVirt {meta['name']}")

    def _conditions(self, hco: Obj) -> list[Obj]:
        said = "Reconcile completed successfully"
        found = [condition(kind, value, "ReconcileCompleted", said) for kind, value in HEALTHY]
        if JSONPATCH in annotations_of(hco):
            text = "Unsupported feature was activated via an HCO annotation"
            found.append(condition("TaintedConfiguration", True, "UnsupportedFeatureAnnotation", text))
        return found

    async def _refuse(self, hco: Obj) -> None:
        namespace, name = self._home
        text = f"Request does not match expected name ({name}) and namespace ({namespace})"
        await self._write_status(hco, [condition("ReconcileComplete", False, "InvalidRequest", text)])

    async def _write_status(self, hco: Obj, wanted: list[Obj]) -> None:
        meta, old = hco["metadata"], hco.get("status") or {}
        generation = meta["generation"]
        workers = sum(1 for _ in self._context.shared.nodes.all())
        told = [entry | {"observedGeneration": generation} for entry in wanted]
        failed = any(entry["reason"] not in ("ReconcileCompleted", "UnsupportedFeatureAnnotation") for entry in told)
        status = {
            "conditions": conditions.keep_transition_times(old.get("conditions") or [], told),
            "infrastructureHighlyAvailable": workers > 1,
            "observedGeneration": generation,
            "systemHealthStatus": "error" if failed else "healthy",
            "versions": [{"name": "operator", "version": shown_release(self._context)}],
        }
        if status != old:
            operation = {"op": "add", "path": "/status", "value": status}
            await self._client.patch(HCO, meta["name"], meta["namespace"], [operation], subresource="status")
