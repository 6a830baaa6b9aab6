# SPDX-License-Identifier: Apache-2.0
"""Waits until deleted namespaces or guests are gone, as finalizers delay their removal."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection

from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import NAMESPACE, POD, VM, VMI, Object, dig, meta
from livenad.api.progress import ticking
from livenad.api.recorder import Heartbeat, silent
from livenad.api.watch import WatchStream
from livenad.errors import LabError
from livenad.ownership.labels import RUN_LABEL, VM_LABEL

_FIRST_LIST_SECONDS = 10.0
_FIRST_LIST_SHARE = 12
"""A server that is busy with a large removal takes longer for a list: so much of the whole time."""
LONGEST = 10
"""A removal that goes on is waited for at most this many times as long as one that stands still."""


def await_gone(
    cluster: Cluster, namespaces: Collection[str], within: float, heartbeat: Heartbeat = silent, *, times: int = LONGEST
) -> list[str]:
    """Wait until none of these namespaces of runs exists; returns a line for each that remains.

    ``within``: seconds for which nothing is seen to change; ``times`` as many are the limit for all.
    """
    if not namespaces:
        return []
    history = History()
    stream = WatchStream(cluster, history, NAMESPACE, None, labels=RUN_LABEL)

    def remaining() -> list[str]:
        return [
            f"namespace {meta(item, 'name')} is {dig(item, 'status', 'phase', default='still there')}{_blocked(item)}"
            for item in history.all(NAMESPACE)
            if meta(item, "name") in namespaces
        ]

    stream.start()
    try:
        stream.wait_synced(max(_FIRST_LIST_SECONDS, within / _FIRST_LIST_SHARE))
        with ticking(heartbeat, "removal of what this run created", within, lambda: "; ".join(remaining())):
            _await_none(history, remaining, within, times)
    except LabError as error:
        return [f"cannot see whether {', '.join(sorted(namespaces))} are gone: {error}"]
    finally:
        stream.stop()
    return remaining()


def _await_none(history: History, remaining: Callable[[], list[str]], within: float, times: int) -> None:
    """Wait until nothing remains, or what remains has been the same for ``within`` s."""
    last = time.monotonic() + times * within
    while seen := remaining():
        deadline = min(time.monotonic() + within, last)
        if not history.wait(lambda seen=seen: remaining() != seen, deadline):  # type: ignore[misc]
            return


def _blocked(namespace: Object) -> str:
    """What the namespace controller says is in the way of a removal, "" when it says nothing."""
    conditions = dig(namespace, "status", "conditions", default=[]) or []
    said = [str(entry.get("message")) for entry in conditions if entry.get("status") == "True" and entry.get("message")]
    said += [f"finalizer {name} of the namespace" for name in meta(namespace, "finalizers", None) or []]
    return f", blocked by: {'; '.join(said)}" if said else ""


def _held(item: Object) -> str:
    """By which finalizers an object is held that was deleted."""
    names = ", ".join(meta(item, "finalizers", None) or [])
    return f", deleted and held by finalizer {names}" if names and meta(item, "deletionTimestamp", None) else ""


def await_no_guests(
    cluster: Cluster,
    namespace: str,
    run_id: str,
    within: float,
    heartbeat: Heartbeat = silent,
    *,
    but: str = "",
    times: int = LONGEST,
) -> list[str]:
    """Wait until a namespace has no VM or launcher pod of a run; a line for each that remains.

    ``within``: seconds for which nothing is seen to change; ``times`` as many are the limit for all. ``but`` is the
    scope of a suite that continues, see `SuiteNamespace.scope`.
    """
    history = History()
    streams = [
        WatchStream(cluster, history, kind, namespace, labels=f"{RUN_LABEL}={run_id}") for kind in (VM, VMI, POD)
    ]

    def remaining() -> list[str]:
        return [
            f"{kind.title(namespace, str(meta(item, 'name')))} is still there{_held(item)}"
            for kind in (VM, VMI, POD)
            for item in history.all(kind)
            if not but or scope_of(namespace, run_id, item) != but
        ]

    for stream in streams:
        stream.start()
    try:
        for stream in streams:
            stream.wait_synced(max(_FIRST_LIST_SECONDS, within / _FIRST_LIST_SHARE))
        with ticking(heartbeat, f"guests of this run in {namespace} gone", within, lambda: "; ".join(remaining())):
            _await_none(history, remaining, within, times)
    except LabError as error:
        return [f"cannot see whether the guests in {namespace} are gone: {error}"]
    finally:
        for stream in streams:
            stream.stop()
    return remaining()


def scopes_with_guests(cluster: Cluster, namespace: str, run_id: str) -> set[str]:
    """The suites of a run that have a VM or a launcher pod in a namespace that suites share."""
    return {
        scope_of(namespace, run_id, item)
        for kind in (VM, VMI, POD)
        for item in cluster.list(kind, namespace, f"{RUN_LABEL}={run_id}").items
    }


def scope_of(namespace: str, run_id: str, item: Object) -> str:
    """The suite that a VM, its VMI or its launcher pod belongs to, as `SuiteNamespace.scope` names it."""
    vm = str(meta(item, "labels", {}).get(VM_LABEL) or meta(item, "name"))
    found = re.search(rf"-{run_id}-\d+$", vm)
    return namespace + (found[0] if found else "")
