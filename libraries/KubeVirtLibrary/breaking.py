"""Keywords: a migration that is made to fail, and what becomes of the VM."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from livenad.api.history import History
from livenad.context import Run
from livenad.migrations.induced_failure import Breakage, Breakages, break_migration
from livenad.migrations.judge_induced_failure import judge_kept_in_place, judge_recovered
from livenad.text import human
from robot.api.deco import keyword

from KubeVirtLibrary.reporting import step
from KubeVirtLibrary.swaps import swap_of


class BreakingKeywords:
    """The act is the deletion of a launcher pod that no guest runs in yet."""

    @keyword(name="Break The Migration Of VM", tags=["swap"])
    def break_the_migration_of_vm(self, vm: str, *, within: timedelta) -> None:
        """Makes the migration for the last edit of a VM fail by deleting its target launcher pod, once. Judges nothing.

        Waits for the target pod, deletes it as soon as it is seen, and waits until the migration object is Failed. An
        error of the lab when the migration was quicker.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``within`` | for how long each of the two may take at most. |
        """
        run = Run.current()
        breakage = break_migration(run, swap_of(run, vm), within.total_seconds())
        Breakages.of(run).remember(breakage, run.scope)
        since = human(breakage.at - breakage.swap.at)
        step(
            f"{breakage.swap.title}: target pod {breakage.pod} deleted {since} after the edit, migration "
            f"{breakage.migration} is Failed"
        )

    @keyword(name="VM Should Have Kept Its Place", tags=["verdict"])
    def vm_should_have_kept_its_place(self, vm: str) -> None:
        """Fails unless a VM whose migration Failed ran on as it was, and the cluster still meant to migrate it.

        Same VMI, node and pod, on the old network, MigrationRequired still True; the log tells what the VMI's spec
        names. Judged on everything recorded from before the edit until the next migration began to copy the guest.

        Args:
        | ``vm`` | a VM that `Break The Migration Of VM` was called for. |
        """
        _judge(vm, judge_kept_in_place)

    @keyword(name="VM Should Have Been Migrated At The Next Try", tags=["verdict"])
    def vm_should_have_been_migrated_at_the_next_try(self, vm: str) -> None:
        """Fails unless the cluster made another migration after the broken one, by itself, and it Succeeded.

        Args:
        | ``vm`` | a VM that `Break The Migration Of VM` was called for. |
        """
        _judge(vm, judge_recovered)


def _judge(vm: str, judge: Callable[[History, Breakage], str]) -> None:
    run = Run.current()
    run.vm(vm)
    recorder = run.require_recorder()
    breakage = Breakages.of(run).last(run.scope)
    recorder.catch_up()
    step(judge(recorder.history, breakage))
