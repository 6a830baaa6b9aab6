"""Waiting until namespaces that were deleted are gone: their finalizers take their time."""

from __future__ import annotations

import time
from collections.abc import Collection

from testbed.cluster.client import Cluster
from testbed.errors import LabError
from testbed.objects.kinds import NAMESPACE, dig, meta
from testbed.objects.labels import RUN_LABEL
from testbed.recording.history import History
from testbed.recording.recorder import Heartbeat, silent
from testbed.recording.ticking import ticking
from testbed.recording.watch import WatchStream

_FIRST_LIST_SECONDS = 10.0


def await_gone(
    cluster: Cluster, namespaces: Collection[str], within: float, heartbeat: Heartbeat = silent
) -> list[str]:
    """Wait until none of these namespaces of runs exists; gives a line for each that still does after ``within`` s."""
    if not namespaces:
        return []
    history = History()
    stream = WatchStream(cluster, history, NAMESPACE, None, labels=RUN_LABEL)

    def staying() -> list[str]:
        return [
            f"namespace {meta(item, 'name')} is {dig(item, 'status', 'phase', default='still there')}"
            for item in history.all(NAMESPACE)
            if meta(item, "name") in namespaces
        ]

    stream.start()
    try:
        stream.wait_synced(_FIRST_LIST_SECONDS)
        with ticking(heartbeat, "removal of what this run created", within, lambda: "; ".join(staying())):
            history.wait(lambda: not staying(), time.monotonic() + within)
    except LabError as error:
        return [f"cannot see whether {', '.join(sorted(namespaces))} went: {error}"]
    finally:
        stream.stop()
    return staying()
