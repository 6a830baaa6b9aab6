# SPDX-License-Identifier: Apache-2.0
"""A listener that writes down what of a run was the cluster's own time, and what the process took for it."""

from __future__ import annotations

import json
import resource
import threading
from pathlib import Path
from typing import Any

from KubeVirtLibrary.base import SESSION
from livenad.api.history import History
from livenad.api.kinds import VM, VMI
from livenad.api.status import is_true
from livenad.changes import NetworkChange
from livenad.network_change.completion import completed_at, five_facts

FILE = "own-time.json"


class own_time:  # noqa: N801 - Robot finds a listener by the name of its module
    """Looks at the end of each test, while everything is still recorded; writes beside the results."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        self._told: dict[str, Any] = {}
        self._folder = Path()

    def end_test(self, data: Any, result: Any) -> None:
        suite = SESSION.run.suite if SESSION.run else None
        if suite is None or not list(suite.vms):
            return
        history = suite.recorder.history
        swaps = [suite.changes.of(NetworkChange, record.name)[-1:] for record in suite.vms]
        ends = [(swap.at, completed_at(five_facts(history, swap))) for (swap,) in filter(None, swaps)]
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self._told = {
            "boot": _boot(history),
            "swaps": [end - at for at, end in ends if end is not None],
            "records": len(history),
            "watches": sum(thread.name.startswith("watch-") for thread in threading.enumerate()),
            "threads": threading.active_count(),
            "peak_mib": usage.ru_maxrss / 1024,
            "cpu": usage.ru_utime + usage.ru_stime,
        }

    def output_file(self, path: Path) -> None:
        self._folder = path.parent

    def close(self) -> None:
        (self._folder / FILE).write_text(json.dumps(self._told), encoding="utf-8")


def _boot(history: History) -> float:
    """Seconds from the first VM's creation until the last guest's agent is connected."""
    created = min(record.at for record in history.records(VM))
    connected = [record for record in history.records(VMI) if is_true(record.object, "AgentConnected")]
    return max({record.name: record.at for record in reversed(connected)}.values()) - created
