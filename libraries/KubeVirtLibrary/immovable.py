"""Keywords: a VM that cannot be live-migrated, beside one that can be and is edited after it."""

from __future__ import annotations

import time
from datetime import timedelta

from livenad.api.kinds import VM, VMI
from livenad.api.status import is_true, vm_summary
from livenad.context import Run
from livenad.migrations.judge_control import has_settled, judge_still_signalled, require_control
from livenad.migrations.judge_stayed import has_left, judge_stayed
from robot.api.deco import keyword

from KubeVirtLibrary.reporting import step, timeline
from KubeVirtLibrary.swaps import swap_of


class ImmovableKeywords:
    """That nothing moves a VM proves something only while the cluster moves others."""

    @keyword(name="Wait Until Control Has Settled", tags=["swap"])
    def wait_until_control_has_settled(self, control: str, *, within: timedelta) -> None:
        """Waits until a VM that can be migrated was moved for its edit, or is said to need a restart. Judges nothing.

        Args:
        | ``control`` | a VM whose network was changed. |
        | ``within`` | for how long at most, counted from its edit. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, control), run.require_recorder()
        history, left = recorder.history, swap.at + within.total_seconds() - time.monotonic()
        settled = recorder.wait_for(
            lambda _: has_settled(history, swap),
            left,
            f"{swap.title}: the control",
            lambda: vm_summary(history, control),
        )
        step(f"{swap.title}: the control has {'settled' if settled else 'NOT settled'}")
        timeline(history, swap, within.total_seconds())

    @keyword(name="Immovable VM Should Have Stayed In Place", tags=["verdict"])
    def immovable_vm_should_have_stayed(self, vm: str, *, control: str, duration: timedelta) -> None:
        """Fails when the VM was moved, restarted or migrated since its network was edited, or its pod changed network.

        Judged on everything from before the edit until after the cluster has moved the control for the same edit; a
        control that was not moved is the lab's fault. A cluster that moves no VM for such an edit says so by
        RestartRequired of the control: then a window counts.

        Args:
        | ``vm`` | a VM that cannot be migrated, whose network was changed. |
        | ``control`` | one that can be migrated, whose network was changed afterwards. |
        | ``duration`` | length of that window, counted from the edit. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, vm), run.require_recorder()
        history = recorder.history
        recorder.catch_up()
        # A VM that has left is the product's fault, whatever became of its control.
        if has_left(history, swap):
            judge_stayed(history, swap)
        moved, why = require_control(history, swap, swap_of(run, control))
        if not moved:
            left = swap.at + duration.total_seconds() - time.monotonic()
            recorder.wait_for(
                lambda _: has_left(history, swap), left, f"{swap.title}: it stays", lambda: vm_summary(history, vm)
            )
            recorder.catch_up()
        step(f"{judge_stayed(history, swap)}; {why}")

    @keyword(name="Edit Should Stay Signalled As Not In Effect", tags=["verdict"])
    def edit_should_stay_signalled(self, vm: str, *, control: str, within: timedelta) -> None:
        """Fails unless RestartRequired of the VM or MigrationRequired of its VMI came and stayed; the log tells which.

        KubeVirt 1.8 and 1.9 show the latter, older and newer ones the former; either is accepted. The control gives
        the cluster time to forget: it was moved, or needs a restart, by then.

        Args:
        | ``vm`` | a VM that cannot be migrated, whose network was changed. |
        | ``control`` | one that can be migrated, whose network was changed afterwards. |
        | ``within`` | how long the condition may take to come, from now on. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, vm), run.require_recorder()
        history = recorder.history

        def signalled() -> bool:
            items = (history.current(VM, vm), "RestartRequired"), (history.current(VMI, vm), "MigrationRequired")
            return any(item is not None and is_true(item, type_) for item, type_ in items)

        left = 0.0 if has_left(history, swap) else within.total_seconds()
        recorder.wait_for(lambda _: signalled(), left, f"{swap.title}: a sign", lambda: "no condition")
        recorder.catch_up()
        said = judge_still_signalled(history, swap)
        _, why = require_control(history, swap, swap_of(run, control))
        step(f"{said}; {why}")
