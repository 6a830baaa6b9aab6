# SPDX-License-Identifier: Apache-2.0
"""The charts of connectivity of a suite: one for each network change around which something was measured."""

from __future__ import annotations

import time
from collections.abc import Iterator

from livenad.changes import NetworkChange
from livenad.context import SuiteContext
from livenad.report.connectivity import Connectivity, connectivity_of
from livenad.report.timeline import timeline_of


def charts_of(suite: SuiteContext) -> Iterator[tuple[str, NetworkChange, Connectivity]]:
    """The changes that have a chart, each with a name that fits a file's: VM, NIC where several moved, number."""
    for name, change in _named(suite):
        timeline = timeline_of(suite.recorder.history, change, time.monotonic())
        chart = connectivity_of(change, list(suite.measurements.measured), timeline)
        if chart is not None:
            yield name, change, chart


def _named(suite: SuiteContext) -> Iterator[tuple[str, NetworkChange]]:
    for record in suite.vms:
        edits = [one for one in suite.changes.of(NetworkChange, record.name) if one.vm_state != "stopped"]
        number = 0
        for change in edits:
            if change.with_nics:
                yield f"{record.name}-{change.nic}", change
            else:
                number += 1
                yield record.name + (f"-{number}" if number > 1 else ""), change
