# SPDX-License-Identifier: Apache-2.0
"""Deleting objects: grace, finalizers, propagation, preconditions."""

from __future__ import annotations

from dataclasses import replace as replaced
from datetime import timedelta

from emulator.kube.errors import ApiError
from emulator.kube.timestamps import now, timestamp

from . import status_errors as fail
from .admission import AdmissionRequest
from .core import ApiCore
from .objects import Obj, clone, ordered_metadata
from .registry import Resource
from .request_context import Call, DeleteOptions, Target
from .selectors import Predicate
from .store import Item, Stale

MAX_RETRIES = 8
PROPAGATION_FINALIZERS = {"Orphan": "orphan", "Foreground": "foregroundDeletion"}


async def delete(core: ApiCore, call: Call, target: Target, options: DeleteOptions) -> tuple[Item, bool]:
    """Deletes one object; answers it and whether the answer is a Status (True) or the object itself."""
    resource, namespace, name = target.resource, target.namespace, target.name
    for _ in range(MAX_RETRIES):
        item = core.get(resource, namespace, name)
        _check_preconditions(resource, item, options)
        request = AdmissionRequest(
            "DELETE", resource.key, "", namespace, name, call.user, item.obj, None, call.dry_run, dict(call.options)
        )
        await core.admission.mutate(request)
        await core.admission.validate(request)
        call.warnings.extend(w for w in request.warnings if w not in call.warnings)
        try:
            return _delete(core, call, resource, item, options)
        except Stale:
            continue
    raise fail.modified(resource, name)


def _check_preconditions(resource: Resource, item: Item, options: DeleteOptions) -> None:
    meta = item.obj["metadata"]
    for what, wanted, found, end in (
        ("UID", options.uid, meta["uid"], "deleted and then recreated"),
        ("ResourceVersion", options.resource_version, str(item.rv), "modified"),
    ):
        if wanted and wanted != found:
            why = f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). "
            title = resource.kind if not resource.custom else resource.key
            raise ApiError(
                409,
                "Conflict",
                f'Operation cannot be fulfilled on {title} "{meta["name"]}": {why}The object might have been {end}',
                fail.details(resource, meta["name"]) | ({} if resource.custom else {"kind": resource.kind}),
            )


def _delete(core: ApiCore, call: Call, resource: Resource, item: Item, options: DeleteOptions) -> tuple[Item, bool]:
    if core.find(resource, *_key(item.obj)) is not item:
        raise Stale
    obj = clone(item.obj)
    meta = obj["metadata"]
    finalizers = _finalizers_for(meta.get("finalizers") or [], options.propagation)
    grace = _grace(resource, obj, options.grace)
    terminating = bool(meta.get("deletionTimestamp"))
    namespace_like = bool((obj.get("spec") or {}).get("finalizers")) and resource.plural == "namespaces"
    shorter = resource.graceful and grace < meta.get("deletionGracePeriodSeconds", grace + 1)
    if not finalizers and not namespace_like and (not resource.graceful or grace == 0):
        if resource.graceful:
            _mark(resource, obj, 0, again=terminating)
        if call.dry_run:
            return Item(obj, item.rv), not resource.graceful
        if resource.graceful:
            # Watchers see the grace end before they see the object go.
            item = core.store.commit(resource.store_key, _key(obj), clone(obj), item)
        last = core.store.remove(resource.store_key, _key(item.obj), item)
        if not resource.graceful:
            return last, True
        obj["metadata"] = ordered_metadata({**obj["metadata"], "resourceVersion": str(last.rv)})
        return Item(obj, last.rv), False
    if terminating and not shorter and finalizers == (meta.get("finalizers") or []):
        return item, False
    if not terminating or shorter:
        _mark(resource, obj, grace, again=terminating)
    if namespace_like:
        obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
        obj["metadata"].pop("deletionGracePeriodSeconds", None)
    obj["metadata"]["finalizers"] = finalizers
    obj["metadata"] = ordered_metadata(obj["metadata"])
    if call.dry_run:
        return Item(obj, item.rv), False
    return core.store.commit(resource.store_key, _key(obj), obj, item), False


def _mark(resource: Resource, obj: Obj, grace: int, *, again: bool) -> None:
    meta = obj["metadata"]
    meta["deletionTimestamp"] = timestamp(now() + timedelta(seconds=grace if resource.graceful else 0))
    meta["deletionGracePeriodSeconds"] = grace if resource.graceful else 0
    if meta.get("generation") and not again:
        meta["generation"] += 1
    obj["metadata"] = ordered_metadata(meta) | {"deletionGracePeriodSeconds": meta["deletionGracePeriodSeconds"]}


def _finalizers_for(finalizers: list[str], propagation: str) -> list[str]:
    if not propagation:
        return finalizers
    wanted = PROPAGATION_FINALIZERS.get(propagation, "")
    kept = [name for name in finalizers if name not in PROPAGATION_FINALIZERS.values()]
    return [*kept, wanted] if wanted else kept


def _grace(resource: Resource, obj: Obj, asked: int | None) -> int:
    """Seconds that a graceful object keeps; one that no node runs has none."""
    if not resource.graceful:
        return 0
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
        return 0
    if asked is None:
        return int(spec.get("terminationGracePeriodSeconds", 30))
    return max(asked, 0) if asked >= 0 else 1


def _key(obj: Obj) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


async def delete_collection(
    core: ApiCore, call: Call, target: Target, matches: Predicate | None, options: DeleteOptions
) -> list[Item]:
    """Deletes what matches; answers the objects as they were."""
    found = core.items(target.resource, target.namespace, matches)
    for item in found:
        home, name = _key(item.obj)
        one = replaced(target, namespace=home, name=name)
        try:
            await delete(core, call, one, replaced(options, uid=item.obj["metadata"]["uid"]))
        except ApiError as error:
            if error.code not in (404, 409):
                raise
    return found
