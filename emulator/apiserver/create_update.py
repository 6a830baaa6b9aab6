# SPDX-License-Identifier: Apache-2.0
"""Creating and updating objects: what happens between the request's body and the commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from emulator.kube.errors import ApiError
from emulator.kube.timestamps import timestamp

from . import status_errors as fail
from .admission import AdmissionRequest
from .core import ApiCore
from .managers import record_update
from .objects import Obj, clone, generated_name, new_uid, ordered_metadata, same_content
from .patches import json_patch, merge_patch
from .registry import Resource
from .request_context import Call, Target
from .schema import check_schema, schema_causes
from .store import Item, Stale
from .validation import metadata_causes

MAX_RETRIES = 8
MAX_STORED = 1536 * 1024
MAX_NAME_ATTEMPTS = 8
Change = Callable[[Obj], Obj]


def take_body(resource: Resource, obj: Obj) -> Obj:
    """The request's object in the shape of the store, with the storage version's kind and apiVersion."""
    body = resource.to_stored(obj) if resource.to_stored is not None else obj
    conversion = resource.conversions.get(str(obj.get("apiVersion", "")).rpartition("/")[2])
    if conversion is not None:
        body = conversion.to_stored(obj)
    shaped: Obj = {"kind": resource.kind, "apiVersion": resource.api_version(), "metadata": body.get("metadata") or {}}
    shaped.update((key, value) for key, value in body.items() if key not in shaped and value is not None)
    return shaped


def check_namespace(core: ApiCore, resource: Resource, namespace: str, name: str) -> None:
    """ApiError when new content cannot be made in the namespace."""
    if not resource.namespaced:
        return
    home = core.store.get("namespaces", ("", namespace))
    if home is None:
        raise fail.not_found(core.registry.get("namespaces"), namespace)
    if home.obj["metadata"].get("deletionTimestamp"):
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        told = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
        raise fail.forbidden(resource, name, why, causes=[told])


async def create(core: ApiCore, call: Call, target: Target, body: Obj) -> Item:
    """Creates an object; answers it as stored (or as it would be, in a dry run)."""
    resource, namespace = target.resource, target.namespace
    obj = take_body(resource, body)
    meta = obj["metadata"]
    if meta.get("resourceVersion"):
        raise fail.internal("resourceVersion should not be set on objects to be created")
    if meta.get("namespace", "") not in ("", namespace):
        raise fail.bad_request("the namespace of the provided object does not match the namespace sent on the request")
    prefix = "" if meta.get("name") else meta.get("generateName", "")
    check_namespace(core, resource, namespace, meta.get("name") or "")
    _stamp_new(resource, namespace, meta)
    for attempt in range(MAX_NAME_ATTEMPTS):
        if prefix:
            meta["name"] = generated_name(prefix)
        try:
            return await _create(core, call, target, clone(obj))
        except ApiError as error:
            if not prefix or error.reason != "AlreadyExists" or attempt == MAX_NAME_ATTEMPTS - 1:
                raise
    raise fail.generated_exists(resource, meta["name"])


def _stamp_new(resource: Resource, namespace: str, meta: Obj) -> None:
    for key in ("selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"):
        meta.pop(key, None)
    meta["uid"] = new_uid()
    meta["creationTimestamp"] = timestamp()
    if resource.namespaced:
        meta["namespace"] = namespace
    else:
        meta.pop("namespace", None)
    if resource.generation:
        meta["generation"] = 1


async def _create(core: ApiCore, call: Call, target: Target, obj: Obj) -> Item:
    resource, hooks = target.resource, target.resource.hooks
    if resource.status and not resource.status_on_create:
        obj.pop("status", None)
    check_schema(resource, obj, call)
    if hooks.defaults:
        hooks.defaults(obj)
    name = obj["metadata"].get("name", "")
    request = _admission(call, "CREATE", target, obj, None)
    await core.admission.mutate(request)
    if hooks.prepare_create:
        hooks.prepare_create(obj)
    causes = metadata_causes(resource, obj["metadata"], None)
    if hooks.validate:
        causes += hooks.validate(obj, None)
    causes += _schema_causes(resource, obj)
    if causes:
        raise fail.invalid_object(resource, name, causes)
    await core.admission.validate(request)
    call.warnings.extend(w for w in request.warnings if w not in call.warnings)
    # Admission may have waited: the namespace may be terminating by now.
    check_namespace(core, resource, obj["metadata"].get("namespace", ""), name)
    record_update(resource, call, None, obj, "")
    # The key's position in the order is taken here; the value comes with the commit.
    obj["metadata"] = ordered_metadata({**obj["metadata"], "resourceVersion": "0"})
    key = (obj["metadata"].get("namespace", ""), name)
    existing = core.store.get(resource.store_key, key)
    if existing is not None:
        error = fail.already_exists(resource, name)
        if existing.obj["metadata"].get("deletionTimestamp"):
            error.message = f"object is being deleted: {error.message}"
        raise error
    if call.dry_run:
        del obj["metadata"]["resourceVersion"]
        return Item(obj, 0)
    _check_size(call)
    return core.store.commit(resource.store_key, key, obj, None)


def _schema_causes(resource: Resource, obj: Obj) -> list[fail.Cause]:
    return schema_causes(resource.schema, obj) if resource.custom and resource.schema else []


def _admission(call: Call, operation: str, target: Target, new: Obj, old: Obj | None) -> AdmissionRequest:
    return AdmissionRequest(
        operation=operation,
        resource=target.resource.key,
        subresource=target.subresource,
        namespace=new["metadata"].get("namespace", ""),
        name=new["metadata"].get("name", ""),
        user=call.user,
        old=old,
        new=new,
        dry_run=call.dry_run,
        options=dict(call.options),
    )


async def replace(core: ApiCore, call: Call, target: Target, body: Obj) -> Item:
    """PUT: the body replaces the object."""
    resource, name = target.resource, target.name
    obj = take_body(resource, body)
    meta = obj["metadata"]
    if not meta.get("name"):
        raise fail.bad_request(
            f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )
    given = str(meta.get("resourceVersion") or "")
    if given and not given.isdigit():
        raise fail.internal(f'strconv.ParseUint: parsing "{given}": invalid syntax')
    check_place(target, meta)
    item = core.get(resource, target.namespace, name)
    _check_uid(target, meta, item)
    if resource.custom and not given:
        told = fail.invalid_value("metadata.resourceVersion", "0", "must be specified for an update")
        # The one validation error that the real server words with the resource's name instead of the kind's.
        raise fail.invalid(resource.plural, resource.group, name, [told])
    return await update(core, call, target, lambda _: clone(obj), replacing=True)


async def patch(core: ApiCore, call: Call, target: Target, body: Sequence[Obj] | Obj) -> Item:
    """A list is a JSON patch, an object a merge patch."""
    if isinstance(body, dict):
        return await update(core, call, target, partial(merge_patch, patch=body))
    return await update(core, call, target, partial(json_patch, operations=body))


async def update(core: ApiCore, call: Call, target: Target, change: Change, *, replacing: bool = False) -> Item:
    """Applies ``change`` to the current object, again if another client wrote in between.

    A resourceVersion in the changed object is a precondition: ApiError 409 if it is not the current one.
    """
    resource = target.resource
    for _ in range(MAX_RETRIES):
        item = core.get(resource, target.namespace, target.name)
        changed = change(clone(core.shown(resource, item.obj, call.version)))
        body = take_changed(resource, changed, call.version)
        meta = body["metadata"]
        check_place(target, meta)
        if meta.get("resourceVersion", str(item.rv)) not in ("", str(item.rv)):
            raise fail.modified(resource, target.name)
        if replacing:
            _check_uid(target, meta, item)
        try:
            return await _update(core, call, target, item, body, replacing=replacing)
        except Stale:
            continue
    raise fail.modified(resource, target.name)


def take_changed(resource: Resource, changed: Obj, version: str) -> Obj:
    """A patched object back in the shape of the store; ApiError 422 when the patch changed kind or apiVersion."""
    kind, api_version = changed.get("kind"), changed.get("apiVersion")
    if resource.custom and kind not in (None, resource.kind):
        told = fail.invalid_value("kind", f'"{kind}"', f"must be {resource.kind}")
        raise fail.invalid(str(kind), resource.group, changed.get("metadata", {}).get("name", ""), [told])
    if api_version not in (None, resource.api_version(version or None), resource.api_version()):
        raise fail.bad_request(f"invalid object type: {api_version}, Kind={kind}")
    return take_body(resource, changed)


def check_place(target: Target, meta: Obj) -> None:
    """ApiError 400 when name or namespace of an object are not those of the URL."""
    if meta.get("name", target.name) != target.name:
        raise fail.bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({target.name})"
        )
    if target.resource.namespaced and meta.get("namespace", "") not in ("", target.namespace):
        raise fail.bad_request("the namespace of the provided object does not match the namespace sent on the request")


def _check_uid(target: Target, meta: Obj, item: Item) -> None:
    wanted, found = meta.get("uid"), item.obj["metadata"]["uid"]
    if wanted and wanted != found:
        raise fail.uid_differs(target.resource, target.key, wanted, found)


async def _update(core: ApiCore, call: Call, target: Target, item: Item, new: Obj, *, replacing: bool) -> Item:
    resource, subresource = target.resource, target.subresource
    old, hooks = item.obj, resource.hooks
    _keep_server_fields(new, old, replacing)
    if subresource == "status":
        new = _status_only(resource, new, old)
    elif resource.status:
        new.pop("status", None)
        if "status" in old:
            new["status"] = clone(old["status"])
    check_schema(resource, new, call)
    if hooks.defaults:
        hooks.defaults(new)
    request = _admission(call, "UPDATE", target, new, old)
    await core.admission.mutate(request)
    if hooks.prepare_update:
        hooks.prepare_update(new, old)
    causes = metadata_causes(resource, new["metadata"], old["metadata"])
    if hooks.validate:
        causes += hooks.validate(new, old)
    causes += _schema_causes(resource, new)
    if causes:
        raise fail.invalid_object(resource, new["metadata"]["name"], causes)
    if resource.generation and _spec_changed(resource, new, old):
        new["metadata"]["generation"] = int(old["metadata"].get("generation", 0)) + 1
    new["metadata"] = ordered_metadata(new["metadata"])
    await core.admission.validate(request)
    call.warnings.extend(w for w in request.warnings if w not in call.warnings)
    if core.store.get(resource.store_key, _key(old)) is not item:
        raise Stale
    return _commit_update(core, call, target, item, new)


def _commit_update(core: ApiCore, call: Call, target: Target, item: Item, new: Obj) -> Item:
    resource, old = target.resource, item.obj
    if same_content(new, old) and _same_managers(new, old):
        return item
    record_update(resource, call, old, new, target.subresource)
    new["metadata"] = ordered_metadata(new["metadata"])
    if call.dry_run:
        new["metadata"]["resourceVersion"] = str(item.rv)
        return Item(new, item.rv)
    meta = new["metadata"]
    # A graceful delete of a pod ends only when the node deletes it with a grace period of zero.
    waiting = resource.graceful and meta.get("deletionGracePeriodSeconds", 0) != 0
    held = bool(meta.get("finalizers")) or bool((new.get("spec") or {}).get("finalizers")) or waiting
    if meta.get("deletionTimestamp") and not held and _was_held(old):
        core.store.remove(resource.store_key, _key(old), item)
        meta["resourceVersion"] = str(item.rv)
        return Item(new, item.rv)
    _check_size(call)
    return core.store.commit(resource.store_key, _key(old), new, item)


def _check_size(call: Call) -> None:
    """ApiError 500 where etcd would refuse the request."""
    if call.size > MAX_STORED:
        raise fail.internal("etcdserver: request is too large")


def _was_held(old: Obj) -> bool:
    return bool(old["metadata"].get("finalizers")) or bool((old.get("spec") or {}).get("finalizers"))


def _same_managers(new: Obj, old: Obj) -> bool:
    return bool(new["metadata"].get("managedFields") == old["metadata"].get("managedFields"))


def _key(obj: Obj) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), str(obj["metadata"]["name"])


def _keep_server_fields(new: Obj, old: Obj, replacing: bool) -> None:
    """Puts back what only the server may write."""
    meta, before = new["metadata"], old["metadata"]
    kept = ["creationTimestamp", "generation", "deletionGracePeriodSeconds", "generateName", "name", "namespace"]
    if replacing or not meta.get("uid"):
        kept.append("uid")
    if replacing and not meta.get("deletionTimestamp"):
        kept.append("deletionTimestamp")
    if "managedFields" not in meta:
        kept.append("managedFields")
    for key in kept:
        if key in before:
            meta[key] = before[key]
        else:
            meta.pop(key, None)
    meta.pop("selfLink", None)


def _status_only(resource: Resource, new: Obj, old: Obj) -> Obj:
    merged: Obj = clone(old)
    if "status" in new:
        merged["status"] = new["status"]
    else:
        merged.pop("status", None)
    merged["metadata"]["resourceVersion"] = new["metadata"].get("resourceVersion", "")
    if not resource.custom:
        for key in ("labels", "annotations", "finalizers", "ownerReferences"):
            merged["metadata"].pop(key, None)
            if key in new["metadata"]:
                merged["metadata"][key] = new["metadata"][key]
    return merged


def _spec_changed(resource: Resource, new: Obj, old: Obj) -> bool:
    ignored = {"metadata", "kind", "apiVersion"}
    if resource.status:
        ignored.add("status")
    for field in resource.uncounted:
        new, old = _without(new, field), _without(old, field)
    return any(new.get(key) != old.get(key) for key in (new.keys() | old.keys()) - ignored)


def _without(obj: Obj, field: str) -> Obj:
    """The object without a field of its spec."""
    return {**obj, "spec": {key: value for key, value in (obj.get("spec") or {}).items() if key != field}}
