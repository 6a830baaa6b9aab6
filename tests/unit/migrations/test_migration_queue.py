# SPDX-License-Identifier: Apache-2.0
"""The queue of many migrations: what is read out of recorded swaps, its spread, and its lanes."""

from __future__ import annotations

import pytest
from livenad.cluster.facts import kubevirt_facts
from livenad.migrations.migration_queue import QueuedMigration, limits_text, most_at_once, queued_migrations, spread
from livenad.report.migration_queue_chart import queue_timeline
from livenad.report.timeline import text_of

from tests.unit.support.histories import replay


def swap(vm: str, *times: float | None) -> QueuedMigration:
    return QueuedMigration(vm, *times)  # type: ignore[arg-type]


def test_recorded_swap_has_all_its_times_in_order() -> None:
    history, one = replay("swap-main")
    (queued,) = queued_migrations(history, [one])
    times = [queued.edited, queued.made, queued.begun, queued.ended, queued.complete]
    assert all(at is not None for at in times)
    assert times == sorted(times, key=lambda at: at or 0.0)
    assert queued.edited == 0
    assert queued.seconds is not None and 5 < queued.seconds < 60


def test_recorded_failure_is_never_complete() -> None:
    history, one = replay("failed-migration-main")
    (queued,) = queued_migrations(history, [one])
    assert queued.made is not None
    assert queued.complete is None
    assert spread([queued]) is None


def test_most_at_once_counts_from_the_queue_to_the_end() -> None:
    queue = [
        swap("a", 0, 1, 2, 5, 5),
        swap("b", 0, 1, 3, 6, 6),
        swap("c", 0, 1, 5, 9, 9),
        swap("d", 0, 1, None, None, None),
        swap("e", 0, 1, 8, None, None),
    ]
    assert most_at_once(queue) == 2
    assert most_at_once([swap("a", 0, None, None, None, None)]) == 0


def test_spread_is_of_each_vm_from_its_own_edit() -> None:
    seen = spread([swap(str(i), i, i, i, i, i + i) for i in range(1, 11)])
    assert seen is not None
    assert (seen.fewest, seen.middle, seen.ninth, seen.most) == (1, 5.5, 9, 10)


@pytest.mark.parametrize(
    ("configuration", "text"),
    [
        ({}, "at most 5 by default in the cluster and 2 by default away from a node"),
        (
            {"migrations": {"parallelMigrationsPerCluster": 7}},
            "at most 7 in the cluster and 2 by default away from a node",
        ),
    ],
)
def test_limits_are_the_resource_s_or_its_defaults(configuration: dict[str, object], text: str) -> None:
    resource = {"metadata": {"name": "kubevirt", "namespace": "kubevirt"}, "spec": {"configuration": configuration}}
    assert limits_text(kubevirt_facts(resource)) == text


def test_limits_that_may_not_be_read_are_unknown() -> None:
    assert limits_text(None).startswith("limits unknown")


def test_chart_has_a_lane_for_each_vm_up_to_where_it_is() -> None:
    drawn = queue_timeline("queue", [swap("a", 0, 1, 2, 5, 6), swap("b", 0.5, 1, None, None, None)], 10)
    first, second = drawn.lanes
    assert [(span.label, span.start, span.end) for span in first.spans] == [
        ("edited", 0, 1),
        ("waits", 1, 2),
        ("migrates", 2, 5),
        ("settles", 5, 6),
    ]
    assert [(span.label, span.end, span.open) for span in second.spans] == [("edited", 1, False), ("waits", 10, True)]
    assert drawn.complete is None
    assert any("b: waits (until now)" in line for line in text_of(drawn))


def test_of_hundreds_of_vms_sixty_are_drawn_the_one_that_did_not_arrive_last() -> None:
    queue = [swap(f"vm-{number}", 0, 1, 2, 5 + number, 6 + number) for number in range(499, 0, -1)]
    drawn = queue_timeline("queue", [swap("lost", 0, 1, None, None, None), *queue], 600)
    names = [lane.name for lane in drawn.lanes]
    assert (len(names), names[0], names[-1]) == (60, "vm-1", "lost")
    assert names[:-1] == sorted(names[:-1], key=lambda name: int(name.removeprefix("vm-")))
    assert drawn.title == "queue; 60 of them drawn, in the order of their arrival"
