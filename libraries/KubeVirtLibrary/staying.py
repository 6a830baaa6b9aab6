"""Keywords: an edit that cannot take effect on the running VM."""

from __future__ import annotations

import time
from datetime import timedelta

from livenad.api.status import vm_summary
from livenad.context import Run
from livenad.migrations.judge_stayed import has_left, judge_stayed, judge_waiting
from livenad.network_change.completion import first_warning, migrations_since
from robot.api.deco import keyword

from KubeVirtLibrary.reporting import step
from KubeVirtLibrary.swaps import swap_of


class StayingKeywords:
    """Verdicts on `Change VM Network` of a VM that cannot be live-migrated."""

    @keyword(name="VM Should Have Stayed In Place", tags=["verdict"])
    def vm_should_have_stayed_in_place(self, vm: str, *, duration: timedelta) -> None:
        """Fails when the VM was moved, restarted or migrated since its network was edited, or its pod changed network.

        Judged on everything since before the edit, for ``duration`` at least.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``duration`` | length of the window, counted from the edit. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, vm), run.require_recorder()
        history = recorder.history
        left = swap.at + duration.total_seconds() - time.monotonic()
        recorder.wait_for(
            lambda _: has_left(history, swap), left, f"{swap.title}: it stays", lambda: vm_summary(history, vm)
        )
        recorder.catch_up()
        step(judge_stayed(history, swap))

    @keyword(name="Wait Until Migration Is Made", tags=["swap"])
    def wait_until_migration_is_made(self, vm: str, *, within: timedelta) -> None:
        """Waits until the cluster has made a migration object for the edit of a VM, or until the time is over.

        Judges nothing.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``within`` | for how long at most, from now on. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, vm), run.require_recorder()
        made = recorder.wait_for(
            lambda history: bool(migrations_since(history, swap)),
            within.total_seconds(),
            f"{swap.title}: a migration object",
            lambda: "none",
        )
        step(f"{swap.title}: {'a' if made else 'no'} migration object")

    @keyword(name="Wait Until Missing NAD Is Noticed", tags=["swap"])
    def wait_until_missing_nad_is_noticed(self, vm: str, *, within: timedelta) -> None:
        """Waits until the cluster has tried in vain to put a VM on a NAD that does not exist, or until time is over.

        An event tells: a warning about the migration, its target pod or the VMI. Judges nothing.

        Args:
        | ``vm`` | a VM whose network was changed to a NAD that does not exist. |
        | ``within`` | for how long at most, from now on; all of it passes where events may not be read. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, vm), run.require_recorder()
        told = recorder.wait_for(
            lambda history: first_warning(history, swap),
            within.total_seconds(),
            f"{swap.title}: a warning about the missing NAD",
            lambda: "none",
        )
        step(f"{swap.title}: {told or 'no warning about the missing NAD'}")

    @keyword(name="VM Should Wait On Its Old Network", tags=["verdict"])
    def vm_should_wait_on_its_old_network(self, vm: str) -> None:
        """Fails unless a VM that was edited runs on where it was, on its old network, and its migration only waits.

        Args:
        | ``vm`` | a VM whose network was changed to a NAD that does not exist. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, vm), run.require_recorder()
        recorder.catch_up()
        step(judge_waiting(recorder.history, swap))
