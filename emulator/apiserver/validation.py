# SPDX-License-Identifier: Apache-2.0
"""Validation of object metadata."""

from __future__ import annotations

import re

from .objects import Obj
from .registry import Resource
from .selectors import VALUE_RULE
from .status_errors import Cause, cause, invalid_value, required

LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
NAME_PART_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAME_PART = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_PATH_NAME_GROUPS = ("rbac.authorization.k8s.io",)
_LABEL_NAMES = ("namespaces", "services")
MAX_ANNOTATIONS = 256 * 1024


def name_causes(resource: Resource, name: str, field: str = "metadata.name") -> list[Cause]:
    """What is wrong with an object's name."""
    quoted = f'"{name}"'
    if resource.group in _PATH_NAME_GROUPS:
        if name in (".", "..") or "/" in name or "%" in name:
            return [invalid_value(field, quoted, "may not be '.' or '..' or contain '/' or '%'")]
        return []
    if resource.plural in _LABEL_NAMES and not resource.group:
        rule, pattern, limit = LABEL_RULE, LABEL, 63
    else:
        rule, pattern, limit = SUBDOMAIN_RULE, SUBDOMAIN, 253
    found = []
    if len(name) > limit:
        found.append(invalid_value(field, quoted, f"must be no more than {limit} characters"))
    if not pattern.fullmatch(name):
        found.append(invalid_value(field, quoted, rule))
    return found


def key_causes(key: str, field: str) -> list[Cause]:
    """What is wrong with a label's or an annotation's key."""
    prefix, slash, name = key.rpartition("/")
    found = []
    quoted = f'"{key}"'
    if slash and not prefix:
        found.append(invalid_value(field, quoted, "prefix part must be non-empty"))
    elif slash and not SUBDOMAIN.fullmatch(prefix):
        found.append(invalid_value(field, quoted, f"prefix part {SUBDOMAIN_RULE}"))
    if not name:
        found.append(invalid_value(field, quoted, "name part must be non-empty"))
    elif len(name) > 63:
        found.append(invalid_value(field, quoted, "name part must be no more than 63 bytes"))
    if not _NAME_PART.fullmatch(name):
        found.append(invalid_value(field, quoted, NAME_PART_RULE))
    return found


def label_causes(labels: dict[str, str]) -> list[Cause]:
    found = []
    for key, value in sorted(labels.items()):
        found += key_causes(key, "metadata.labels")
        if len(value) > 63:
            found.append(invalid_value("metadata.labels", f'"{value}"', "must be no more than 63 bytes"))
        if not _VALUE.fullmatch(value):
            found.append(invalid_value("metadata.labels", f'"{value}"', VALUE_RULE))
    return found


def annotation_causes(annotations: dict[str, str]) -> list[Cause]:
    found = []
    size = 0
    for key, value in sorted(annotations.items()):
        # Annotations may be written with capitals; their keys are compared in lower case.
        found += key_causes(key.lower(), "metadata.annotations")
        size += len(key) + len(value)
    if size > MAX_ANNOTATIONS:
        said = f"Too long: may not be more than {MAX_ANNOTATIONS} bytes"
        found.append(cause("metadata.annotations", "FieldValueTooLong", said))
    return found


def owner_causes(owners: list[Obj]) -> list[Cause]:
    found = []
    for index, owner in enumerate(owners):
        for field, why in (("apiVersion", "version must not be empty"), ("kind", "must not be empty")):
            if not owner.get(field):
                found.append(invalid_value(f"metadata.ownerReferences[{index}].{field}", '""', why))
        for field in ("name", "uid"):
            if not owner.get(field):
                found.append(invalid_value(f"metadata.ownerReferences[{index}].{field}", '""', "must not be empty"))
    return found


def finalizer_causes(finalizers: list[str]) -> list[Cause]:
    found = []
    for index, name in enumerate(finalizers):
        if "/" not in name and name not in ("orphan", "foregroundDeletion", "kubernetes"):
            why = "name is neither a standard finalizer name nor is it fully qualified"
            found.append(invalid_value(f"metadata.finalizers[{index}]", f'"{name}"', why))
        elif "/" in name:
            found += key_causes(name, "metadata.finalizers")
    return found


def metadata_causes(resource: Resource, meta: Obj, old: Obj | None) -> list[Cause]:
    """Everything that is wrong with the metadata of a new object, or of one that replaces ``old``."""
    if old is None and not meta.get("name"):
        return [required("metadata.name", "name or generateName is required")]
    found = [] if old is not None else name_causes(resource, meta["name"])
    # On an update of a custom resource the real server runs these three times and lists them three times.
    times = 3 if old is not None and resource.custom else 1
    if old is None or meta.get("labels") != old.get("labels"):
        found += label_causes(meta.get("labels") or {}) * times
    if old is None or meta.get("annotations") != old.get("annotations"):
        found += annotation_causes(meta.get("annotations") or {}) * times
    found += owner_causes(meta.get("ownerReferences") or [])
    found += finalizer_causes(meta.get("finalizers") or [])
    if old is not None:
        found += update_causes(meta, old)
    return found


def update_causes(meta: Obj, old: Obj) -> list[Cause]:
    """What an update may not change. The real server checks these twice and lists them twice."""
    found = []
    if old.get("deletionTimestamp"):
        before = old.get("finalizers") or []
        added = [name for name in meta.get("finalizers") or [] if name not in before]
        if added:
            said = "no new finalizers can be added if the object is being deleted, found new finalizers"
            names = ", ".join(f'"{name}"' for name in added)
            found.append(cause("metadata.finalizers", "FieldValueForbidden", f"Forbidden: {said} []string{{{names}}}"))
    for field in ("uid", "deletionTimestamp"):
        if meta.get(field) != old.get(field):
            shown = f'"{meta[field]}"' if meta.get(field) else "null"
            found.append(invalid_value(f"metadata.{field}", shown, "field is immutable"))
    return found + found
