# SPDX-License-Identifier: Apache-2.0
"""The verdict on the source pod of a network change: returns what it saw, or raises ProductFault."""

from __future__ import annotations

from livenad.api.history import DELETED, History, Record
from livenad.api.kinds import POD, VMI, meta
from livenad.api.status import node_of
from livenad.changes import NetworkChange
from livenad.errors import LabError, ProductFault
from livenad.text import human

NETWORKS = "k8s.v1.cni.cncf.io/networks"


def judge_annotation_kept(history: History, change: NetworkChange) -> str:
    """The networks annotation of the source pod is the same in every state since before the edit."""
    title = f"VM {change.namespace}/{change.vm}"
    source = _source(history, change)
    before = _annotation(source)
    if not before:
        raise LabError(f"{title}: source pod {source.name} has no annotation {NETWORKS}, so there is nothing to keep")
    states = [record for record in history.records(POD, source.name, change.index) if record.type != DELETED]
    for record in states:
        if _annotation(record) != before:
            raise ProductFault(
                f"{title}: expected its source pod {source.name} to keep the annotation {NETWORKS} during the swap; "
                f"{human(record.at - change.at)} after the edit it was {_annotation(record) or 'empty'}, before it "
                f"{before}"
            )
    if states:
        seen = f"in all of {len(states)} states since the edit"
    elif _was_left(history, change) and history.current(POD, source.name) is not None:
        seen = "and was not written between the edit and the moment at which the VM had left it"
    else:
        raise LabError(f"{title}: no state of source pod {source.name} was recorded since the edit: nothing is proven")
    return f"{title}: source pod {source.name} has networks annotation {before} {seen}"


def _was_left(history: History, change: NetworkChange) -> bool:
    """Whether the VM runs on another node than at the edit."""
    return node_of(history.current(VMI, change.vm) or {}) not in ("", change.node)


def _source(history: History, change: NetworkChange) -> Record:
    """The last state before the edit of the newest launcher pod of the VMI."""
    found = {
        record.name: record
        for record in history.records(POD, vm=change.vm)
        if record.index < change.index
        and record.type != DELETED
        and meta(record.object, "labels", {}).get("kubevirt.io/created-by") == change.vmi_uid
        and record.object.get("spec", {}).get("nodeName") == change.node
    }
    if not found:
        raise LabError(f"{change.title}: no launcher pod on {change.node} was recorded before the edit")
    return max(found.values(), key=lambda record: (str(meta(record.object, "creationTimestamp")), record.index))


def _annotation(record: Record) -> str:
    return str(meta(record.object, "annotations", {}).get(NETWORKS, ""))
