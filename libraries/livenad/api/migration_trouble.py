# SPDX-License-Identifier: Apache-2.0
"""Why a migration does not go on, from its target pod and from events. Pure functions of the history."""

from __future__ import annotations

from collections.abc import Iterator

from livenad.api.history import History
from livenad.api.kinds import POD, Object, dig, meta
from livenad.api.status import FINAL_PHASES, NO_TROUBLE_YET, phase_of, pod_trouble, warning_text


def phase_text(history: History, migration: Object) -> str:
    """``Succeeded``, or ``Scheduling (target pod virt-launcher-web-x: Unschedulable: no node fits)``."""
    phase = phase_of(migration) or "new"
    return phase if phase in FINAL_PHASES else phase + migration_trouble(history, migration)


def migration_trouble(history: History, migration: Object) -> str:
    """Why a migration does not proceed: the state or first warning of its target pod, else its newest warning."""
    uid = meta(migration, "uid")
    vm = str(dig(migration, "spec", "vmiName"))
    pods = history.all(POD, vm=vm)
    targets = [pod for pod in pods if meta(pod, "labels", {}).get("kubevirt.io/migrationJobUID") == uid]
    troubles = {meta(pod, "name"): why for pod in targets if (why := pod_trouble(pod))}
    for name, why in troubles.items():
        if why not in NO_TROUBLE_YET:
            return f" (target pod {name}: {why})"
    for pod in targets:
        if reported := next(warnings_about(history, meta(pod, "name")), ""):
            return f" (target pod {meta(pod, 'name')}: {reported})"
    reported = "".join(list(warnings_about(history, meta(migration, "name"), vm))[-1:])
    waiting = "".join(f" (target pod {name}: {why})" for name, why in troubles.items())
    return f" (event {reported})" if reported else waiting


def warnings_about(history: History, *names: str, since: int = 0) -> Iterator[str]:
    """``reason: message`` of the warnings about objects, oldest first, cut to a readable length."""
    for record in history.events_about(names, since):
        event = record.object
        if event.get("type") == "Warning":
            yield warning_text(event)
