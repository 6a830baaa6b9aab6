# SPDX-License-Identifier: Apache-2.0
"""A listener that writes down what of a run was the cluster's own time, and what the process took for it."""

from __future__ import annotations

import json
import resource
import threading
import time
from pathlib import Path
from typing import Any

from KubeVirtLibrary.base import SESSION
from livenad.api.history import History
from livenad.api.kinds import VM, VMI
from livenad.api.status import is_true
from livenad.changes import NetworkChange
from livenad.network_change.completion import completed_at, five_facts
from robot.libraries.BuiltIn import BuiltIn
from robot.utils import timestr_to_secs

FILE = "own-time.json"
WATCHING = "Nothing Else Should Have Changed"
_DURATION = "duration="


class own_time:  # noqa: N801 - Robot finds a listener by the name of its module
    """Looks at the end of each test, while everything is still recorded; writes beside the results."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        self._told: dict[str, Any] = {}
        self._folder = Path()
        self._settled = 0.0

    def start_keyword(self, data: Any, result: Any) -> None:
        """The rest of a window that begins as a swap is complete: what other tests had no use for is waited for."""
        if data.name != WATCHING or not (given := [arg for arg in data.args if str(arg).startswith(_DURATION)]):
            return
        window = timestr_to_secs(BuiltIn().replace_variables(given[0].removeprefix(_DURATION)))
        ends = [end for _, end in _swaps() if end is not None]
        if ends:
            self._settled += max(0.0, max(ends) + window - time.monotonic())

    def end_test(self, data: Any, result: Any) -> None:
        suite = SESSION.run.suite if SESSION.run else None
        if suite is None or not list(suite.vms):
            return
        history = suite.recorder.history
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self._told = {
            "boot": _boot(history),
            "swaps": [end - at for at, end in _swaps() if end is not None],
            "settled": self._settled,
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


def _swaps() -> list[tuple[float, float | None]]:
    """Of each VM's last swap, by the monotonic clock: when it was asked for, and when it was complete."""
    suite = SESSION.run.suite if SESSION.run else None
    if suite is None:
        return []
    swaps = [suite.changes.of(NetworkChange, record.name)[-1:] for record in suite.vms]
    history = suite.recorder.history
    return [(swap.at, completed_at(five_facts(history, swap))) for (swap,) in filter(None, swaps)]


def _boot(history: History) -> float:
    """Seconds from the first VM's creation until the last guest's agent is connected."""
    created = min(record.at for record in history.records(VM))
    connected = [record for record in history.records(VMI) if is_true(record.object, "AgentConnected")]
    return max({record.name: record.at for record in reversed(connected)}.values()) - created
