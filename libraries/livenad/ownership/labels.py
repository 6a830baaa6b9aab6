# SPDX-License-Identifier: Apache-2.0
"""Labels and annotations of the objects of a run."""

from __future__ import annotations

import re
from typing import Any

from livenad.api.kinds import CREATED_BY_RUN, VM_LABELS

RUN_LABEL = CREATED_BY_RUN
"""Label of every object that a run creates; its value is the run's id."""

VM_LABEL = VM_LABELS[0]
"""Label of a VM's template, hence of its VMI and launcher pods; its value is the VM's name."""

PLACE_NOTE = "kubevirt-nad-tests/created-as"
"""Annotation of every object that a run creates: its place as ``namespace/name``. It differs for a copy by others."""

LIFE_NOTE = "kubevirt-nad-tests/lease-namespace"
"""Annotation of objects that a run creates outside its namespaces: the namespace of the run's lease."""

_RUN_ID = re.compile(r"[a-z][a-z0-9]{0,15}")


def mark(body: dict[str, Any], run_id: str, lease_namespace: str = "") -> dict[str, Any]:
    """Add the label and annotations of a run to ``body`` and return it."""
    metadata = body.setdefault("metadata", {})
    metadata["labels"] = {**metadata.get("labels", {}), RUN_LABEL: run_id}
    metadata["annotations"] = {**metadata.get("annotations", {}), PLACE_NOTE: _place(metadata)}
    if lease_namespace:
        metadata["annotations"][LIFE_NOTE] = lease_namespace
    return body


def run_of(item: dict[str, Any]) -> str:
    """Id of the run that created an object; "" for an object of no run, even if it has the label."""
    metadata = item.get("metadata", {})
    run_id = str((metadata.get("labels") or {}).get(RUN_LABEL, ""))
    place = (metadata.get("annotations") or {}).get(PLACE_NOTE)
    return run_id if _RUN_ID.fullmatch(run_id) and place == _place(metadata) else ""


def _place(metadata: dict[str, Any]) -> str:
    return "/".join(part for part in (metadata.get("namespace"), metadata.get("name")) if part)
