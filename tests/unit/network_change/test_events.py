# SPDX-License-Identifier: Apache-2.0
"""Moments in the life of a VM, on recordings of a real control plane: not seen before they come, and told by name."""

from __future__ import annotations

import pytest
from livenad.api.history import History
from livenad.changes import ChangeLog, NetworkChange
from livenad.errors import TestError
from livenad.network_change.events import VmEvent, event_of

from tests.unit.support.histories import replay


def seen(recording: str, event: VmEvent, until: float) -> str:
    """What is seen of an event at a moment of a recording."""
    history, change = replay(recording, until=until)
    return event_of(history, log_of(change), "vm1", event)()


def log_of(*changes: NetworkChange) -> ChangeLog:
    log = ChangeLog()
    for change in changes:
        log.add(change)
    return log


@pytest.mark.parametrize(
    ("recording", "event", "before", "after", "told"),
    [
        ("swap-main", "migration created", 9.0, 12.2, "a migration object"),
        ("swap-main", "migration running", 12.2, 16.5, "a running migration"),
        (
            "failed-migration-main",
            "warning reported",
            16.0,
            1e9,
            "FailedMigration: source node reported migration failed",
        ),
    ],
)
def test_each_event_is_seen_once_it_has_come(
    *, recording: str, event: VmEvent, before: float, after: float, told: str
) -> None:
    assert seen(recording, event, before) == ""
    assert seen(recording, event, after) == told


def test_a_migration_that_is_over_is_not_under_way() -> None:
    assert seen("swap-main", "migration running", 1e9) == ""
    assert seen("swap-main", "migration created", 1e9) == "a migration object"


def test_a_launcher_pod_is_seen_without_any_change() -> None:
    history, _ = replay("edit-of-starting-vm-main")
    assert event_of(history, ChangeLog(), "vm1", "launcher pod created")() == "a launcher pod"
    assert event_of(history, ChangeLog(), "other", "launcher pod created")() == ""
    assert event_of(History(), ChangeLog(), "vm1", "launcher pod created")() == ""


@pytest.mark.parametrize("event", ["migration created", "migration running", "warning reported"])
def test_what_follows_a_change_needs_one(event: VmEvent) -> None:
    history, _ = replay("swap-main")
    with pytest.raises(TestError, match='the network of VM "vm1" was not changed in this suite'):
        event_of(history, ChangeLog(), "vm1", event)
