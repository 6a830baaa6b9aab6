"""Verdicts on a VM that cannot be migrated, on recorded histories: what its control proves, and what was said of it."""

from __future__ import annotations

import dataclasses

import pytest
from livenad.errors import LabError, ProductFault
from livenad.migrations.judge_control import has_settled, judge_still_signalled, require_control
from livenad.network_change.completion import NetworkSwap

from tests.unit.support.histories import EDITED, replay

MOVED, RESTART = "swap-1.9.0", "gate-off-1.8.4"


def earlier(control: NetworkSwap) -> NetworkSwap:
    """The edit of another VM, made just before that of the control."""
    return dataclasses.replace(control, vm="vm0", index=control.index - 1)


def test_control_that_was_moved_proves_that_migrations_come() -> None:
    history, control = replay(MOVED)
    assert has_settled(history, control)
    assert require_control(history, earlier(control), control) == (True, "control vm1, edited later, was migrated")


def test_control_that_needs_a_restart_shows_a_cluster_that_moves_none() -> None:
    history, control = replay(RESTART)
    assert has_settled(history, control)
    moved, why = require_control(history, earlier(control), control)
    assert not moved
    assert "control vm1 has RestartRequired" in why


def test_control_that_waits_proves_nothing() -> None:
    history, control = replay(MOVED, until=EDITED[MOVED] + 0.5)
    assert not has_settled(history, control)
    with pytest.raises(LabError, match=r"which proves nothing: its control was not either: VM .*vm1"):
        require_control(history, earlier(control), control)


def test_control_must_be_edited_last() -> None:
    history, control = replay(MOVED)
    with pytest.raises(LabError, match="was edited before"):
        require_control(history, dataclasses.replace(control, index=control.index + 1), control)


def test_condition_that_stays_is_told() -> None:
    history, swap = replay(RESTART)
    said = judge_still_signalled(history, swap)
    assert "RestartRequired=True" in said
    assert ", since " in said


def test_condition_that_goes_away_is_the_products_fault() -> None:
    """A swap that was carried out, looked at as if the VM had to stay: its MigrationRequired is gone at the end."""
    history, swap = replay(MOVED)
    with pytest.raises(
        ProductFault, match=r"MigrationRequired of the VirtualMachineInstance came .* and was gone .* later"
    ):
        judge_still_signalled(history, swap)


def test_condition_that_never_came_is_the_products_fault() -> None:
    history, swap = replay(RESTART, until=EDITED[RESTART])
    with pytest.raises(ProductFault, match="there is neither"):
        judge_still_signalled(history, swap)
