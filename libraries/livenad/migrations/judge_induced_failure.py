# SPDX-License-Identifier: Apache-2.0
"""Verdicts on a VM after an induced migration failure: its state until the next attempt, and its recovery."""

from __future__ import annotations

from dataclasses import dataclass

from livenad.api.history import DELETED, History, Record
from livenad.api.kinds import MIGRATION, POD, VM, VMI, Object, dig, meta
from livenad.api.status import (
    FINAL_PHASES,
    condition_text,
    is_automatic,
    is_true,
    network_of,
    node_of,
    phase_of,
    pod_network,
    qualified,
)
from livenad.changes import NetworkChange
from livenad.errors import LabError, NotReached, ProductFault
from livenad.foreign_migrations import own_migrations
from livenad.text import human
from livenad.virtual_machines.judge_lifecycle import judge_not_restarted

CREATED_BY = "kubevirt.io/created-by"
"""Label of a launcher pod: the UID of its VMI."""

_COPYING = ("Running", "Succeeded")


@dataclass(frozen=True)
class InducedFailure:
    """An induced migration failure. ``at`` is the monotonic clock when the deletion of its pod was requested.

    ``failed`` is the index of the first state in which the migration is Failed.
    """

    change: NetworkChange
    migration: str
    uid: str
    pod: str
    at: float
    failed: int


def retry_left_queue(history: History, failure: InducedFailure) -> float | None:
    """When (monotonic clock) a later migration of the edit left Pending; None while none did.

    That is seconds before it copies the guest. The phase Running is reported too late, by the delay of the API, to know
    until when the guest was still on its source node.
    """
    for uid, item in own_migrations(history, failure.change).items():
        if uid != failure.uid and (at := first_beyond_pending(history, item)) is not None:
            return at
    return None


def retry_began(history: History, failure: InducedFailure) -> Record | None:
    """The first state in which a later migration of the edit was copying the guest; None while there is none."""
    for uid, item in own_migrations(history, failure.change).items():
        if uid == failure.uid:
            continue
        for record in history.records(MIGRATION, meta(item, "name")):
            if phase_of(record.object) in _COPYING:
                return record
    return None


def judge_kept_in_place(history: History, failure: InducedFailure) -> str:
    """From before the edit until a later migration copied the guest: same VMI, node and network, and MigrationRequired.

    Without a later migration that is until now.
    """
    change = failure.change
    title = f"VM {change.namespace}/{change.vm}"
    retry = retry_began(history, failure)
    end = retry.index if retry else len(history)
    judge_not_restarted(history, change)
    for record in history.records(VMI, change.vm, change.index):
        if record.index < end and node_of(record.object) != change.node:
            raise ProductFault(
                f"{title}: expected to stay on node {change.node}, as migration {failure.migration} Failed; it "
                f"was on {node_of(record.object) or 'none'} {human(record.at - change.at)} after the edit"
            )
    pod = _pod_then(history, failure, end)
    network = pod_network(pod, change.pod_interface) if pod else None
    wanted = qualified(change.old_network, change.namespace)
    if pod is None or network != wanted:
        raise ProductFault(
            f'{title}: expected NIC "{change.nic}" on {wanted} after its migration Failed; launcher pod '
            f"{meta(pod or {}, 'name') or 'none'} on {change.node} had {change.pod_interface} on "
            f"{network or 'no network'}"
        )
    _judge_still_required(history, failure, end, title)
    vmi = history.state_before(VMI, change.vm, end) or {}
    spec = network_of(vmi.get("spec", {}), change.nic)
    lasted = human((retry.at if retry else history.now) - failure.at)
    return (
        f"{title}: migration {failure.migration} Failed, for {lasted} the VM stayed on {change.node} in pod "
        f"{meta(pod, 'name')} on {wanted}; meanwhile the VMI's spec named {spec}, "
        f"{condition_text(vmi, 'MigrationRequired')}"
    )


def _pod_then(history: History, failure: InducedFailure, end: int) -> Object | None:
    """The launcher pod on the node of before the edit as it was just before ``end``, None when the pod had ended."""
    change = failure.change
    for name in dict.fromkeys(record.name for record in history.records(POD, vm=change.vm)):
        pod = history.state_before(POD, name, end)
        if pod is None or meta(pod, "labels", {}).get(CREATED_BY) != change.vmi_uid:
            continue
        if dig(pod, "spec", "nodeName") == change.node and phase_of(pod) not in FINAL_PHASES:
            return pod
    return None


def _judge_still_required(history: History, failure: InducedFailure, end: int, title: str) -> None:
    """MigrationRequired is True in every state of the VMI since the failure: otherwise the cluster would not retry."""
    last = history.state_before(VMI, failure.change.vm, failure.failed)
    states = [(failure.at, last)] if last else []
    for record in history.records(VMI, failure.change.vm, failure.failed):
        if record.type != DELETED and record.index < end:
            states.append((record.at, record.object))
    for at, item in states:
        if not is_true(item, "MigrationRequired"):
            raise ProductFault(
                f"{title}: expected MigrationRequired to stay True after migration {failure.migration} Failed, as the "
                f"edit is not in effect; {human(max(0.0, at - failure.at))} after its target pod was deleted it was: "
                f"{condition_text(item, 'MigrationRequired')}"
            )


def judge_recovered(history: History, failure: InducedFailure) -> str:
    """The cluster migrated the VM by itself after the failure; the spec was not edited again meanwhile."""
    change = failure.change
    title = f"VM {change.namespace}/{change.vm}"
    later = [item for uid, item in own_migrations(history, change).items() if uid != failure.uid]
    listed = ", ".join(f"{meta(item, 'name')} is {phase_of(item) or 'new'}" for item in later) or "there is none"
    good = [item for item in later if is_automatic(item) and phase_of(item) == "Succeeded"]
    if not good:
        raise NotReached(
            f"{title}: expected the cluster to migrate it by itself after {failure.migration} Failed, within "
            f"{human(history.now - failure.at)} no migration made by the cluster has Succeeded: {listed}"
        )
    generations = {
        meta(record.object, "generation")
        for record in history.records(VM, change.vm, change.index)
        if network_of(dig(record.object, "spec", "template", "spec", default={}), change.nic) == change.new_network
    }
    if len(generations) > 1:
        raise LabError(f"{title} was edited by another client during the test (generations {sorted(generations)})")
    begun = first_beyond_pending(history, good[0])
    waited = f", its next attempt left Pending {human(begun - failure.at)} after that" if begun else ""
    return f"{title}: {failure.migration} Failed when its target pod was deleted{waited}; {listed}"


def first_beyond_pending(history: History, migration: Object) -> float | None:
    """When (monotonic clock) a migration object left its queue; None when that was not seen."""
    for record in history.records(MIGRATION, meta(migration, "name")):
        if phase_of(record.object) not in ("", "Pending"):
            return record.at
    return None
