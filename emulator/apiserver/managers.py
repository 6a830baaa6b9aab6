# SPDX-License-Identifier: Apache-2.0
"""metadata.managedFields: which manager last wrote which field."""

from __future__ import annotations

from emulator.kube.timestamps import timestamp

from .fieldsets import FieldSet, changed_fields, in_order, subtract, union
from .objects import Obj
from .registry import Resource
from .request_context import Call


def record_update(resource: Resource, call: Call, old: Obj | None, new: Obj, subresource: str) -> None:
    """Gives the fields that this write changed to its manager, and takes the removed fields from every manager."""
    if call.applying:
        return
    written, removed = changed_fields(resource, old, new)
    api_version = resource.api_version(call.version or None)
    entries: list[Obj] = []
    mine: Obj | None = None
    for entry in new["metadata"].get("managedFields") or []:
        fields: FieldSet = subtract(entry.get("fieldsV1", {}), removed)
        is_mine = (
            entry.get("manager") == call.manager
            and entry.get("operation") == "Update"
            and entry.get("apiVersion") == api_version
            and entry.get("subresource", "") == subresource
        )
        if is_mine:
            mine = {**entry, "fieldsV1": fields}
            continue
        # A field that another manager changes by an update belongs to that manager alone.
        fields = subtract(fields, written)
        if fields:
            entries.append({**entry, "fieldsV1": fields} if fields != entry.get("fieldsV1") else entry)
    if written or mine:
        fields = in_order(union(mine["fieldsV1"], written)) if mine else written
        if fields:
            when = timestamp() if written or mine is None else mine["time"]
            entry = {
                "manager": call.manager,
                "operation": "Update",
                "apiVersion": api_version,
                "time": when,
                "fieldsType": "FieldsV1",
                "fieldsV1": fields,
            }
            if subresource:
                entry["subresource"] = subresource
            entries.append(entry)
    if entries:
        new["metadata"]["managedFields"] = entries
    else:
        new["metadata"].pop("managedFields", None)
