# SPDX-License-Identifier: Apache-2.0
"""ResourceQuotas: what a namespace may have of objects and of its pods' resources, and the controller that counts.

Scopes are not read: a quota with one counts nothing.
"""

from __future__ import annotations

import asyncio
import logging
from fractions import Fraction

from emulator.kube.errors import ApiError
from emulator.kube.quantities import is_binary, parse, show

from . import create_update, pod_resources
from . import status_errors as fail
from .admission import AdmissionRequest
from .core import ApiCore
from .objects import Obj
from .request_context import Call, Target
from .store import Event
from .users import service_account

log = logging.getLogger(__name__)
QUOTAS = "resourcequotas"
COUNT = "count/"
COMPUTE = ("cpu", "memory", "ephemeral-storage")
# Quota names of objects that need no ``count/`` before them.
PLAIN = (
    *("configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas"),
    *("secrets", "services"),
)
# Too many and too short-lived to look again for each of them.
UNCOUNTED = ("events", "leases.coordination.k8s.io")
ENDED = ("Succeeded", "Failed")
Amounts = dict[str, Fraction]


def usage(resource: str, obj: Obj) -> Amounts:
    """What one object uses, by the names that a quota may limit."""
    found: Amounts = {f"{COUNT}{resource}": Fraction(1)}
    if resource != "pods":
        return found | ({resource: Fraction(1)} if resource in PLAIN else {})
    if (obj.get("status") or {}).get("phase") in ENDED:
        return found
    found["pods"] = Fraction(1)
    for kind in ("requests", "limits"):
        for name, value in pod_resources.total(obj, kind).items():
            found[f"{kind}.{name}"] = value
            if kind == "requests" and name in COMPUTE:
                found[name] = value
    return found


class Quotas:
    """Refuses what a quota does not allow, and keeps the quotas' status. ``start`` must come before ``run``."""

    def __init__(self, core: ApiCore) -> None:
        self._core = core
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._queued: set[str] = set()
        user = service_account("kube-system", "resourcequota-controller")
        self._call = Call(user=user, manager="kube-controller-manager")

    def start(self) -> None:
        self._core.admission.last(("CREATE",), self._check)
        self._core.store.listeners.append(self._seen)

    def _all(self, namespace: str) -> list[Obj]:
        found = self._core.items(self._core.resource(QUOTAS), namespace) if namespace else []
        return [item.obj for item in found if not {"scopes", "scopeSelector"} & (item.obj.get("spec") or {}).keys()]

    async def _check(self, request: AdmissionRequest) -> None:
        quotas = self._all(request.namespace) if request.new is not None and not request.subresource else []
        if not quotas or request.new is None:
            return
        asked = usage(request.resource, request.new)
        resource = self._core.resource(request.resource)
        for quota in sorted(quotas, key=lambda one: str(one["metadata"]["name"])):
            hard = (quota.get("spec") or {}).get("hard") or {}
            name = quota["metadata"]["name"]
            if request.resource == "pods" and (lacking := _lacking(hard, request.new)):
                raise fail.forbidden(resource, request.name, f"failed quota: {name}: must specify {lacking}")
            touched = sorted(key for key in hard if asked.get(key))
            used = self._used(request.namespace, touched)
            over = [key for key in touched if used[key] + asked[key] > parse(hard[key])]
            if over:
                words = (("requested", asked), ("used", used), ("limited", {key: parse(hard[key]) for key in over}))
                said = ", ".join(f"{word}: {_shown(over, amounts, hard)}" for word, amounts in words)
                raise fail.forbidden(resource, request.name, f"exceeded quota: {name}, {said}")

    def _used(self, namespace: str, keys: list[str]) -> Amounts:
        """What the namespace has of these now."""
        found = dict.fromkeys(keys, Fraction(0))
        for resource in {resource_of(key) for key in keys}:
            try:
                kind = self._core.resource(resource)
            except KeyError:
                continue
            for item in self._core.items(kind, namespace):
                for key, value in usage(resource, item.obj).items():
                    if key in found and resource_of(key) == resource:
                        found[key] += value
        return found

    def _seen(self, event: Event) -> None:
        namespace = event.key[0]
        if event.bucket in UNCOUNTED or namespace in self._queued or not self._all(namespace):
            return
        self._queued.add(namespace)
        self._queue.put_nowait(namespace)

    async def run(self) -> None:
        while True:
            namespace = await self._queue.get()
            self._queued.discard(namespace)
            for quota in self._all(namespace):
                try:
                    await self._write(quota)
                except ApiError as error:
                    # Another client changed the quota meanwhile; that commit has queued its new state.
                    log.debug("quota controller: %s", error)

    async def _write(self, quota: Obj) -> None:
        meta, hard = quota["metadata"], (quota.get("spec") or {}).get("hard") or {}
        used = self._used(meta["namespace"], list(hard))
        status = {"hard": hard, "used": {key: show(used[key], binary=is_binary(hard[key])) for key in hard}}
        target = Target(self._core.resource(QUOTAS), meta["namespace"], meta["name"], "status")
        await create_update.update(self._core, self._call, target, lambda now: {**now, "status": status})


def resource_of(key: str) -> str:
    """The resource whose objects a quota's name counts."""
    if key.startswith(COUNT):
        return key.removeprefix(COUNT)
    return key if key in PLAIN else "pods"


def _lacking(hard: Obj, pod: Obj) -> str:
    """The compute resources that a quota limits and a container does not name: ``limits.cpu for: compute``."""
    found = []
    for key in sorted(hard):
        kind, _, name = key.rpartition(".")
        if name not in COMPUTE[:2] or kind not in ("", "requests", "limits"):
            continue
        without = [
            container["name"]
            for container in pod_resources.all_containers(pod)
            if name not in pod_resources.amounts(container, kind or "requests")
        ]
        if without:
            found.append(f"{key} for: {','.join(sorted(without))}")
    return "; ".join(found)


def _shown(keys: list[str], amounts: Amounts, hard: Obj) -> str:
    return ",".join(f"{key}={show(amounts[key], binary=is_binary(hard[key]))}" for key in keys)
