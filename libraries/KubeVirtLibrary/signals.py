"""Keywords: an edit that the cluster does not carry out by itself, and what it asks for instead."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from livenad.api.history import History
from livenad.api.status import vm_summary
from livenad.cluster.capabilities import measured
from livenad.conditions.judge_conditions import (
    MIGRATION,
    RESTART,
    asked_for,
    asks_for,
    judge_asks_for_migration,
    judge_asks_for_restart,
    judge_not_live,
    judge_settled,
)
from livenad.context import Run
from livenad.network_change.completion import NetworkSwap, is_complete
from livenad.text import human
from robot.api.deco import keyword

from KubeVirtLibrary.reporting import step
from KubeVirtLibrary.swaps import swap_of

Judge = Callable[[History, NetworkSwap], str]
Awaited = Callable[[History, NetworkSwap], bool]


class SignalKeywords:
    """Verdicts on `Change VM Network` where live update is off, or the cluster does not migrate by itself."""

    @keyword(name="Wait Until Edit Is Answered", tags=["swap"])
    def wait_until_edit_is_answered(self, vm: str, *, within: timedelta) -> None:
        """Waits until the cluster has done for an edit what it does by itself, or until the time is over.

        That is a complete swap where capabilities ``live-update`` and ``automatic-migration`` are there,
        MigrationRequired without the latter, and RestartRequired without the former. Judges nothing.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``within`` | for how long at most, counted from the edit. |
        """
        run = Run.current()
        if not measured(run, "live-update").there:
            answered = _wait(vm, within, "RestartRequired", _asks(RESTART))
        elif not measured(run, "automatic-migration").there:
            answered = _wait(vm, within, "MigrationRequired", _asks(MIGRATION))
        else:
            answered = _wait(vm, within, "a complete swap", is_complete)
        step(answered)

    @keyword(name="Edit Should Ask For A Migration", tags=["verdict"])
    def edit_should_ask_for_a_migration(self, vm: str, *, within: timedelta) -> None:
        """Fails unless the VMI has taken an edit over and has MigrationRequired, and the VM never had RestartRequired.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``within`` | for how long it may take, counted from the edit. |
        """
        _judge(vm, within, "MigrationRequired", _asks(MIGRATION), judge_asks_for_migration)

    @keyword(name="Edit Should Ask For A Restart", tags=["verdict"])
    def edit_should_ask_for_a_restart(self, vm: str, *, within: timedelta) -> None:
        """Fails unless the VM has RestartRequired.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``within`` | for how long it may take, counted from the edit. |
        """
        _judge(vm, within, "RestartRequired", _asks(RESTART), judge_asks_for_restart)

    @keyword(name="Edit Should Not Have Gone Live", tags=["verdict"])
    def edit_should_not_have_gone_live(self, vm: str) -> None:
        """Fails when the VMI's spec took an edit over, or had MigrationRequired, at any time since the edit.

        Args:
        | ``vm`` | a VM whose network was changed. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, vm), run.require_recorder()
        recorder.catch_up()
        step(judge_not_live(recorder.history, swap))

    @keyword(name="Edit Should Be Settled", tags=["verdict"])
    def edit_should_be_settled(self, vm: str, *, within: timedelta) -> None:
        """Fails while the VM has RestartRequired, or its VMI has MigrationRequired.

        Args:
        | ``vm`` | a VM whose network was changed, and that was restarted or migrated for it. |
        | ``within`` | for how long it may take, from now on. |
        """
        run = Run.current()
        gone = time.monotonic() - swap_of(run, vm).at
        _judge(
            vm,
            within + timedelta(seconds=gone),
            "nothing asked for",
            lambda history, swap: not asked_for(history, swap),
            judge_settled,
        )


def _asks(type_: str) -> Awaited:
    return lambda history, swap: asks_for(history, swap, type_)


def _judge(vm: str, within: timedelta, awaited: str, condition: Awaited, judge: Judge) -> None:
    _wait(vm, within, awaited, condition)
    run = Run.current()
    recorder = run.require_recorder()
    recorder.catch_up()
    step(judge(recorder.history, swap_of(run, vm)))


def _wait(vm: str, within: timedelta, awaited: str, condition: Awaited) -> str:
    """Wait for a condition of a VM's edit until ``within`` after it; gives a line on how it ended."""
    run = Run.current()
    swap, recorder = swap_of(run, vm), run.require_recorder()
    history = recorder.history
    left = swap.at + within.total_seconds() - time.monotonic()
    title = f"{swap.title}: {awaited}"
    done = recorder.wait_for(lambda _: condition(history, swap), left, title, lambda: vm_summary(history, vm))
    return f"{title}{'' if done else ', NOT seen'} {human(time.monotonic() - swap.at)} after the edit"
