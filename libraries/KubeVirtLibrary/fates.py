"""Keywords: what became of a VM by a restart, a start, a migration by hand, or an edit that moves nothing."""

from __future__ import annotations

import time
from datetime import timedelta

from livenad.context import Run
from livenad.migrations.judge_never_moved import judge_never_moved, started
from livenad.network_change.change import Acts
from livenad.virtual_machines.judge_lifecycle import (
    judge_migrated_by_hand,
    judge_migrated_times,
    judge_network,
    judge_new_instance,
    judge_nothing_asked_for,
)
from robot.api.deco import keyword

from KubeVirtLibrary.namespaces import nad_name
from KubeVirtLibrary.reporting import step
from KubeVirtLibrary.swaps import swap_of


class FateKeywords:
    """Verdicts. Each reads the cluster once more first, so that a broken watch is no fault of the product."""

    @keyword(name="VM Should Have Been Migrated By Hand", tags=["verdict"])
    def vm_should_have_been_migrated_by_hand(self, vm: str) -> None:
        """Fails unless the migration of `Migrate VM` succeeded, is the only one since, and left the VMI running.

        Args:
        | ``vm`` | a VM that `Migrate VM` was called for. |
        """
        run = Run.current()
        record, recorder = run.vm(vm), run.require_recorder()
        recorder.catch_up()
        step(judge_migrated_by_hand(recorder.history, Acts.of(run).last(vm, record.namespace)))

    @keyword(name="VM Should Run As A New VMI", tags=["verdict"])
    def vm_should_run_as_a_new_vmi(self, vm: str) -> None:
        """Fails unless the VM runs as another VMI than before `Restart VM` or `Start VM`.

        Args:
        | ``vm`` | a VM that one of them was called for. |
        """
        run = Run.current()
        record, recorder = run.vm(vm), run.require_recorder()
        recorder.catch_up()
        step(judge_new_instance(recorder.history, Acts.of(run).last(vm, record.namespace)))

    @keyword(name="VM Should Have Asked For Nothing", tags=["verdict"])
    def vm_should_have_asked_for_nothing(self, vm: str) -> None:
        """Fails when since the last act on a VM RestartRequired or MigrationRequired was set, or a migration was made.

        Args:
        | ``vm`` | a VM that was restarted, started or stopped. |
        """
        run = Run.current()
        record, recorder = run.vm(vm), run.require_recorder()
        recorder.catch_up()
        step(judge_nothing_asked_for(recorder.history, Acts.of(run).last(vm, record.namespace)))

    @keyword(name="VM Should Be On Network", tags=["verdict"])
    def vm_should_be_on_network(self, vm: str, *, nic: str, network: str) -> None:
        """Fails unless the VMI's spec and its launcher pod's network-status name a network for a NIC.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | one of its NICs. |
        | ``network`` | NAD, by name or as ``namespace/name``. |
        """
        run = Run.current()
        record, recorder = run.vm(vm), run.require_recorder()
        record.nic(nic)
        recorder.catch_up()
        step(judge_network(recorder.history, vm, record.namespace, nic, nad_name(network)))

    @keyword(name="VM Should Have Been Migrated", tags=["verdict"])
    def vm_should_have_been_migrated(self, vm: str, *, times: int) -> None:
        """Fails unless the cluster made so many migrations since the first edit of a VM, and all succeeded.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``times`` | how many migrations there must be; one more or less is a failure. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, vm), run.require_recorder()
        recorder.catch_up()
        step(judge_migrated_times(recorder.history, swap, times))

    @keyword(name="Network Swap Should Not Have Started", tags=["verdict"])
    def network_swap_should_not_have_started(self, vm: str, *, control: str, duration: timedelta) -> None:
        """Fails when an edit that changes nothing, or was reverted, moved the VM or set a condition.

        Judged on everything since before the VM's first edit, for ``duration`` at least. That nothing happened proves
        something only while the cluster does migrate VMs: ``control`` was edited later and must have been migrated.

        Args:
        | ``vm`` | a VM of `Change VM Network`, or of `Revert VM Network` as well. |
        | ``control`` | a VM whose network was really changed, later. |
        | ``duration`` | length of the window, counted from the VM's last edit. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, vm), run.require_recorder()
        history, seconds = recorder.history, duration.total_seconds()
        left = swap.at + seconds - time.monotonic()
        recorder.wait_for(lambda _: started(history, swap), left, f"{swap.title}: nothing happens", lambda: "nothing")
        recorder.catch_up()
        step(judge_never_moved(history, swap, swap_of(run, control), seconds))
