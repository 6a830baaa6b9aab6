# SPDX-License-Identifier: Apache-2.0
"""What of the lab keeps a migration for a change from its target pod: no room, no right, no image.

Pure functions of the history. Only what is in the way now counts, and only in the words of the cluster that
`livenad.api.refusals` knows: anything else is for the verdicts to judge.
"""

from __future__ import annotations

from collections.abc import Iterator

from livenad.api.history import History
from livenad.api.kinds import EVENT, POD, Object, dig, meta
from livenad.api.refusals import remedy_of
from livenad.api.status import FINAL_PHASES, phase_of, pod_trouble, warning_text
from livenad.changes import Change, NetworkChange, edits_of, migrations_since


def obstacle(history: History, change: Change) -> str:
    """What the cluster says is in the way of the migration for a change, with what helps; "" for nothing.

    For a network change: of the migrations since the first edit of its VM.
    """
    since = edits_of(change)[0] if isinstance(change, NetworkChange) else change
    for migration in reversed(list(migrations_since(history, since).values())):
        if phase_of(migration) == "Succeeded":
            return ""
        targets = [pod for pod in history.all(POD, vm=change.vm) if _is_target(pod, migration)]
        if any(phase_of(pod) == "Running" for pod in targets):
            return ""
        for said in _said(history, since, migration, targets):
            if remedy := remedy_of(said):
                title = f"migration {change.namespace}/{meta(migration, 'name')}"
                return f"{title} has no running target pod: {said}; {remedy}"
    return ""


def _is_target(pod: Object, migration: Object) -> bool:
    labels = meta(pod, "labels", {})
    return labels.get("kubevirt.io/migrationJobUID") == meta(migration, "uid") and phase_of(pod) not in FINAL_PHASES


def _said(history: History, change: Change, migration: Object, targets: list[Object]) -> Iterator[str]:
    """What the target pods say of themselves; where there are none, what is said of their creation, the last first."""
    for pod in targets:
        if why := pod_trouble(pod):
            yield f"pod {meta(pod, 'name')}: {why}"
    if targets:
        yield from _warnings(history, change, {str(meta(pod, "name")) for pod in targets})
        return
    reported = list(_warnings(history, change, {str(meta(migration, "name")), change.vm}))
    for entry in dig(migration, "status", "conditions", default=[]) or []:
        if entry.get("status") == "True" and "Rejected" in str(entry.get("type")):
            yield ", ".join([f"{entry['type']}=True", *reported[:1]])
    yield from reported


def _warnings(history: History, change: Change, names: set[str]) -> Iterator[str]:
    for record in reversed(history.records(EVENT, since=change.index)):
        if record.object.get("type") == "Warning" and dig(record.object, "involvedObject", "name") in names:
            yield warning_text(record.object)
