# SPDX-License-Identifier: Apache-2.0
"""PodDisruptionBudgets: which pods one protects, and the controller that counts them."""

from __future__ import annotations

import asyncio
import logging

from emulator.kube import conditions
from emulator.kube.errors import ApiError
from emulator.kube.timestamps import timestamp

from . import create_update
from .core import ApiCore
from .objects import Obj, clone
from .request_context import Call, Target
from .selectors import matches_selector
from .store import Event
from .users import service_account

log = logging.getLogger(__name__)
BUDGETS = "poddisruptionbudgets.policy"
ALLOWED = "DisruptionAllowed"
SYNC_FAILED = "SyncFailed"
Key = tuple[str, str]


def budgets_of(core: ApiCore, pod: Obj) -> list[Obj]:
    """The budgets that protect a pod."""
    items = core.items(core.resource(BUDGETS), pod["metadata"]["namespace"])
    return [item.obj for item in items if _protects(item.obj, pod)]


def _protects(budget: Obj, pod: Obj) -> bool:
    selector = (budget.get("spec") or {}).get("selector")
    return selector is not None and matches_selector(selector, pod["metadata"].get("labels") or {})


def spares(budget: Obj, pod: Obj) -> bool:
    """Whether a pod that is not ready may go without the budget being asked."""
    if conditions.is_true(pod, "Ready"):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    wanted = status.get("desiredHealthy", 0)
    return bool(0 < wanted <= status.get("currentHealthy", 0))


def spent(budget: Obj, pod: str) -> Obj:
    """The budget after one of its pods was evicted: until that one is gone it does not count as healthy."""
    status = budget["status"]
    status["disruptionsAllowed"] -= 1
    status["disruptedPods"] = {**(status.get("disruptedPods") or {}), pod: timestamp()}
    return budget


def counted(budget: Obj, pods: list[Obj]) -> Obj:
    """The status of a budget. ``pods`` are those that it protects."""
    old = budget.get("status") or {}
    living = {pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}
    disrupted = {name: when for name, when in (old.get("disruptedPods") or {}).items() if name in living}
    healthy = sum(
        conditions.is_true(pod, "Ready")
        and "deletionTimestamp" not in pod["metadata"]
        and pod["metadata"]["name"] not in disrupted
        for pod in pods
    )
    new: Obj = {"conditions": clone(old.get("conditions") or []), "currentHealthy": healthy}
    wanted = budget["spec"].get("minAvailable")
    if isinstance(wanted, int):
        new |= {"desiredHealthy": wanted, "expectedPods": len(pods), "disruptionsAllowed": max(0, healthy - wanted)}
        reason, message = ("SufficientPods" if healthy > wanted else "InsufficientPods"), ""
    else:
        # How many pods there should be is asked of their owner, which only owners with a scale can tell.
        new |= {"desiredHealthy": 0, "expectedPods": 0, "disruptionsAllowed": 0, "currentHealthy": 0}
        reason, message = SYNC_FAILED, _without_scale(pods)
    if disrupted:
        new["disruptedPods"] = disrupted
    new["observedGeneration"] = budget["metadata"]["generation"]
    allowed = "True" if new["disruptionsAllowed"] else "False"
    condition = {"type": ALLOWED, "status": allowed, "reason": reason, "message": message}
    condition |= {"observedGeneration": new["observedGeneration"], "lastTransitionTime": timestamp()}
    conditions.put({"status": new}, condition)
    return new


def _without_scale(pods: list[Obj]) -> str:
    for pod in pods:
        for owner in pod["metadata"].get("ownerReferences") or []:
            if owner.get("controller"):
                group = owner["apiVersion"].rpartition("/")[0]
                return f"{owner['kind'].lower()}s.{group} does not implement the scale subresource"
        return f'found no controllers for pod "{pod["metadata"]["name"]}"'
    return ""


class DisruptionController:
    """Keeps the status of every budget. ``run`` works until it is cancelled; ``start`` must come before it."""

    def __init__(self, core: ApiCore) -> None:
        self._core = core
        self._queue: asyncio.Queue[Key] = asyncio.Queue()
        self._queued: set[Key] = set()
        user = service_account("kube-system", "disruption-controller")
        self._call = Call(user=user, manager="kube-controller-manager")

    def start(self) -> None:
        self._core.store.listeners.append(self._seen)

    def _seen(self, event: Event) -> None:
        if event.bucket == BUDGETS and event.type != "DELETED":
            self._add(event.key)
        elif event.bucket == "pods":
            for item in self._core.items(self._core.resource(BUDGETS), event.key[0]):
                self._add((event.key[0], item.obj["metadata"]["name"]))

    def _add(self, key: Key) -> None:
        if key not in self._queued:
            self._queued.add(key)
            self._queue.put_nowait(key)

    async def run(self) -> None:
        while True:
            key = await self._queue.get()
            self._queued.discard(key)
            try:
                await self._sync(*key)
            except ApiError as error:
                # Another client changed the budget meanwhile; that commit has queued its new state.
                log.debug("disruption controller: %s", error)

    async def _sync(self, namespace: str, name: str) -> None:
        resource = self._core.resource(BUDGETS)
        item = self._core.find(resource, namespace, name)
        if item is None:
            return

        def change(budget: Obj) -> Obj:
            pods = self._core.items(self._core.resource("pods"), namespace, lambda pod: _protects(budget, pod))
            return {**budget, "status": counted(budget, [pod.obj for pod in pods])}

        await create_update.update(self._core, self._call, Target(resource, namespace, name, "status"), change)
