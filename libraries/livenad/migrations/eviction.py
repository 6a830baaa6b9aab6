# SPDX-License-Identifier: Apache-2.0
"""The eviction of a VM's launcher pod, as ``kubectl drain`` asks for it: KubeVirt migrates the VM instead.

KubeVirt's webhook answers 429 to each eviction of a running VM that it migrates, and says why: that answer is the
expected one. Texts and order are those of KubeVirt 1.9.0 and main.
"""

from __future__ import annotations

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import POD, VMI, Object, dig, meta
from livenad.api.recorder import Recorder
from livenad.api.status import condition_text, current_pod, is_true, migration_state, node_of
from livenad.changes import Change, before
from livenad.errors import LabError, ProductFault, TestError
from livenad.model import VmRecord
from livenad.text import human

EVACUATES = ("LiveMigrate", "LiveMigrateIfPossible")
"""The values of ``evictionStrategy`` with which an eviction becomes a live migration."""

_TRIGGERED = "Eviction triggered evacuation of VMI"
_IN_PROGRESS = "Evacuation in progress"
_NOT_ITS_POD = "Eviction request for target Pod"
"""Of a pod that is not on the VMI's node, which is said of a migration's source once the VMI has left it, too."""

_SECONDS_TO_MARK = 10.0


def evict(client: Cluster, recorder: Recorder, record: VmRecord, *, migrating: bool = False) -> Change:
    """Evict the launcher pod that carries a VM; returns the change when KubeVirt has marked the VMI for evacuation.

    ``migrating``: a migration of the VM has to be under way until then; LabError when it had ended. TestError for a VM
    whose eviction would not migrate it, ProductFault when the eviction is granted, which ends the guest.
    """
    recorder.catch_up()
    pod = _evictable(recorder.history, record)
    change = Change(**before(recorder.history, record, "evict", "its eviction"))
    path = f"{POD.path(record.namespace, str(meta(pod, 'name')))}/eviction"
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": meta(pod, "name"), "namespace": record.namespace},
    }
    recorder.history.expect_migration(record.name, evacuation=True)
    title = f"eviction of {POD.title(record.namespace, str(meta(pod, 'name')))}"
    try:
        answer = client.request("POST", path, title=title, body=body, carried_out=lambda: _marked(recorder, change))
    except ApiError as error:
        if error.status == 429 and _NOT_ITS_POD in str(error) and _has_left(recorder, change):
            raise _too_late(change, "had ended") from error
        if error.status != 429 or _TRIGGERED not in str(error) or _IN_PROGRESS in str(error):
            raise
    else:
        if answer.get("kind") == "Status":
            raise _granted(recorder, change, str(meta(pod, "name")))
    _require_marked(recorder, change, migrating=migrating)
    return change


def _granted(recorder: Recorder, change: Change, pod: str) -> Exception:
    """The pod is deleted: rightly so if its guest had left it before."""
    if _has_left(recorder, change):
        return _too_late(change, "had ended")
    return ProductFault(
        f"{change.subject}: expected the eviction of its launcher pod {pod} to be refused and to start a live "
        "migration, as its evictionStrategy says; it was granted, so the pod and its guest end"
    )


def _has_left(recorder: Recorder, change: Change) -> bool:
    """Whether the VMI is on another node than the one it was evicted from."""
    recorder.catch_up()
    return node_of(recorder.history.current(VMI, change.vm) or {}) not in ("", change.node)


def _too_late(change: Change, when: str) -> LabError:
    return LabError(
        f"{change.subject}: its migration {when} when its launcher pod was evicted, so an eviction during a migration "
        "cannot be judged; run again on a less busy machine"
    )


def _evictable(history: History, record: VmRecord) -> Object:
    """The launcher pod. TestError for a VM that is not running, or that an eviction would restart."""
    vmi = history.current(VMI, record.name) or {}
    pod = current_pod(history, vmi) if vmi else None
    if pod is None:
        raise TestError(f"{record.subject} is not running, so there is no launcher pod to evict; start it first")
    strategy = dig(vmi, "spec", "evictionStrategy") or "not set"
    if strategy not in EVACUATES:
        raise TestError(
            f"{record.subject} has evictionStrategy {strategy}, with which an eviction does not migrate it; expected "
            f"{' or '.join(EVACUATES)}: `Define VM` with eviction_strategy"
        )
    if not is_true(vmi, "LiveMigratable"):
        raise LabError(
            f"{record.subject} cannot be migrated, so an eviction would not move it: "
            f"{condition_text(vmi, 'LiveMigratable')}"
        )
    return pod


def _marked(recorder: Recorder, change: Change) -> Object | None:
    """The first state since the eviction in which KubeVirt has marked the VMI for evacuation from its node."""
    recorder.catch_up()
    return mark_of(recorder.history, change)


def mark_of(history: History, change: Change) -> Object | None:
    """The first state of the VMI since an eviction that names the evicted node in ``status.evacuationNodeName``."""
    for record in history.records(VMI, change.vm, change.index):
        if dig(record.object, "status", "evacuationNodeName") == change.node:
            return record.object
    return None


def _require_marked(recorder: Recorder, change: Change, *, migrating: bool) -> None:
    # The webhook marks before it answers; a watch may have stalled, and the mark goes with the migration.
    marked = _marked(recorder, change) or recorder.wait_for(
        lambda history: mark_of(history, change),
        _SECONDS_TO_MARK,
        f"{change.subject}: marked for evacuation",
        lambda: "not marked",
        vms={change.vm},
    )
    marked = marked or _marked(recorder, change)
    if marked is None and _has_left(recorder, change):
        raise LabError(
            f"{change.subject}: it has left {change.node}, and no watch has told since its eviction whether it was "
            "marked for evacuation, so that cannot be judged; check what cuts watches off, and run again"
        )
    if marked is None:
        now = recorder.history.current(VMI, change.vm) or {}
        raise ProductFault(
            f'{change.subject}: its eviction was answered with "{_TRIGGERED}"; expected status.evacuationNodeName '
            f"{change.node} on the VMI within {human(_SECONDS_TO_MARK)}, it is "
            f"{dig(now, 'status', 'evacuationNodeName') or 'not set'} and the VMI is on {node_of(now) or 'no node'}"
        )
    state = migration_state(marked)
    ended = state.get("completed") or node_of(marked) != change.node
    if migrating and (ended or not state.get("migrationUid")):
        raise _too_late(change, "had ended" if ended else "had not begun")
