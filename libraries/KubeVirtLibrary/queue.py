# SPDX-License-Identifier: Apache-2.0
"""The verdict on network changes of many VMs, and the chart of the queue of their migrations."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from livenad.changes import NetworkChange
from livenad.context import Run
from livenad.foreign_migrations import reached
from livenad.migrations.migration_queue import QueuedMigration, limits_text, most_at_once, queued_migrations, spread
from livenad.network_change.completion import five_facts, is_complete
from livenad.network_change.judge_network_change import judge_all_complete
from livenad.report.chart_html import chart_html
from livenad.report.migration_queue_chart import queue_timeline
from livenad.report.timeline import text_of
from livenad.report.timeline_svg import timeline_svg
from livenad.text import human

from KubeVirtLibrary.log import chart, output_folder, step, table

_FILE = "migration-queue-{}.json"


def judge_queue(run: Run, changes: Sequence[NetworkChange], limit: float) -> None:
    """Wait for all changes, show how the cluster processed them, and fail if one is missing in the end."""
    recorder = run.require_suite().recorder
    history, first = recorder.history, min(change.at for change in changes)
    by_vm = {change.vm: change for change in changes}
    left = recorder.wait_for_each(
        list(by_vm),
        lambda vm: reached(history, by_vm[vm], lambda known: is_complete(known, by_vm[vm])),
        max(0.0, first + limit - time.monotonic()),
        f"swaps of {len(changes)} VMs",
        lambda vm: next((fact.seen for fact in five_facts(history, by_vm[vm]) if not fact.holds), "complete"),
    )
    _show(run, queued_migrations(history, changes), time.monotonic() - first)
    step(run.require_suite().verdicts.of_history(judge_all_complete, [by_vm[vm] for vm in left], len(changes), limit))


def _show(run: Run, queue: list[QueuedMigration], end: float) -> None:
    limits, seen = limits_text(run.facts.kubevirt), spread(queue)
    namespace = run.require_suite().namespace.name
    if seen is not None:
        heads = ("VMs", "quickest", "median", "nine in ten within", "slowest", "most migrations at once", "limits")
        times = [human(seconds) for seconds in (seen.fewest, seen.middle, seen.ninth, seen.most)]
        table(heads, [[str(len(queue)), *times, str(most_at_once(queue)), limits]])
    name = _FILE.format(namespace)
    data = {"limits": limits, "most_at_once": most_at_once(queue), "vms": [one.as_data() for one in queue]}
    (output_folder() / name).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    drawn = queue_timeline(f"Migrations of {len(queue)} VMs in {namespace}; {limits}", queue, end)
    chart(chart_html(timeline_svg(drawn), "The queue in words", text_of(drawn), name))
