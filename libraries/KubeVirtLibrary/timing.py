"""Keywords: edits at an awkward time, during a migration or while the VM is still starting, and their outcome."""

from __future__ import annotations

import time
from datetime import timedelta

from livenad.api.history import History
from livenad.api.kinds import MIGRATION, POD, VMI, Object, meta
from livenad.api.status import FINAL_PHASES, is_automatic, is_true, phase_of, vm_summary
from livenad.context import Run
from livenad.errors import LabError, ProductFault
from livenad.network_change.completion import NetworkSwap, migrations_since, remember
from livenad.network_change.judge_last_change import (
    judge_last_edit,
    judge_restart_not_left,
    judge_started_once,
    missing_effect,
)
from livenad.text import human
from robot.api.deco import keyword

from KubeVirtLibrary.namespaces import nad_name
from KubeVirtLibrary.reporting import step, timeline
from KubeVirtLibrary.swaps import edit, require_movable_nic, swap_of

_HANDED_OVER = ("PreparingTarget", "TargetReady", "Running")
_STARTING = ("Scheduling", "Scheduled")


class TimingKeywords:
    """The moment is that of an event that the recorder shows; an edit that came too late is an error of the lab."""

    @keyword(name="Change VM Network During Migration", tags=["swap"])
    def change_vm_network_during_migration(self, vm: str, *, nic: str, network: str, within: timedelta) -> None:
        """Puts a NIC on a further network while the migration for the edit before is under way. Judges nothing.

        Waits until that migration object is handed over to the nodes (PreparingTarget, TargetReady or Running).

        Args:
        | ``vm`` | a VM whose network was just changed. |
        | ``nic`` | one of its NICs, not the one on the pod network. |
        | ``network`` | NAD to move to, by name or as ``namespace/name``. |
        | ``within`` | for how long the migration may take to begin, from now on. |
        """
        run = Run.current()
        record, before, recorder = run.vm(vm), swap_of(run, vm), run.require_recorder()
        network = nad_name(network)
        require_movable_nic(record, nic)
        history = recorder.history
        active = recorder.wait_for(
            lambda _: _handed_over(history, before),
            within.total_seconds(),
            f"{before.title}: a migration under way",
            lambda: vm_summary(history, vm),
        )
        if active is None:
            raise ProductFault(
                f"{before.title}: expected a migration to be under way within {human(within.total_seconds())} of now; "
                f"{vm_summary(history, vm)}"
            )
        swap = remember(history, vm, record.namespace, nic, network)
        swap.old_network = before.new_network
        edit(run, record, swap)
        recorder.catch_up()
        if _ended(history, active, swap.resource_version):
            raise LabError(
                f"{swap.title}: migration {meta(active, 'name')} had ended before the second edit was stored, "
                f"{human(time.monotonic() - swap.at)} after it was asked for; run again on a less busy machine"
            )
        step(f"{swap.title}: edited while {meta(active, 'name')} is {phase_of(active)}")

    @keyword(name="Change Network Of Starting VM", tags=["swap"])
    def change_network_of_starting_vm(self, vm: str, *, nic: str, network: str, within: timedelta) -> None:
        """Puts a NIC of a VM on another network once it has a launcher pod and before it can be live-migrated.

        Args:
        | ``vm`` | a VM of `Start VMs`. |
        | ``nic`` | one of its NICs, not the one on the pod network. |
        | ``network`` | NAD to move to, by name or as ``namespace/name``. |
        | ``within`` | for how long the VM may take to get its launcher pod, from now on. |
        """
        run = Run.current()
        record, recorder = run.vm(vm), run.require_recorder()
        network = nad_name(network)
        require_movable_nic(record, nic)
        history, title = recorder.history, f"VM {record.namespace}/{vm}"
        starting = recorder.wait_for(
            lambda _: _is_starting(history, vm),
            within.total_seconds(),
            f"{title}: a launcher pod",
            lambda: vm_summary(history, vm),
        )
        if starting is None:
            raise LabError(
                f"{title}: expected a launcher pod within {human(within.total_seconds())}; {vm_summary(history, vm)}"
            )
        swap = remember(history, vm, record.namespace, nic, network)
        edit(run, record, swap)
        recorder.catch_up()
        # A slow answer may come when the VM has long gone on: what counts is the moment when the edit was stored.
        then = history.state_at(VMI, vm, swap.resource_version) or {}
        phase = phase_of(then)
        if phase not in _STARTING or is_true(then, "LiveMigratable"):
            raise LabError(
                f"{title} could be live-migrated already when the edit was stored, so it was not starting any more "
                f"({vm_summary(history, vm)}); run again on a less busy machine"
            )
        step(f"{swap.title}: edited while the VMI is {phase}")

    @keyword(name="Wait Until The Last Edit Is In Effect", tags=["swap"])
    def wait_until_the_last_edit_is_in_effect(self, vm: str, *, within: timedelta) -> None:
        """Waits until the last edit of a VM is in effect, or the deadline has passed; the log shows which.

        Judges nothing.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``within`` | for how long at most, counted from that edit. |
        """
        swap, done = _await_effect(vm, within)
        step(f"{swap.title}: {'in effect' if done else 'NOT in effect'} {human(time.monotonic() - swap.at)} after it")
        timeline(Run.current().require_recorder().history, swap, within.total_seconds())

    @keyword(name="Last Edit Should Be In Effect", tags=["verdict"])
    def last_edit_should_be_in_effect(self, vm: str, *, within: timedelta) -> None:
        """Fails unless the last edit of a VM is in effect, by however many migrations; the log tells how many.

        The VMI's spec and its launcher pod name that network, MigrationRequired is gone, and every migration since the
        first edit has ended. One that is left in Running for good though it is completed is told in these words.

        Args:
        | ``vm`` | a VM whose network was changed once or more. |
        | ``within`` | counted from the last edit. |
        """
        swap, _ = _await_effect(vm, within)
        recorder = Run.current().require_recorder()
        recorder.catch_up()
        step(judge_last_edit(recorder.history, swap, within.total_seconds()))

    @keyword(name="Starting VM Should Not Have Been Restarted", tags=["verdict"])
    def starting_vm_should_not_have_been_restarted(self, vm: str) -> None:
        """Fails when the VMI that was starting at the edit was deleted or replaced, or went back from a phase.

        Args:
        | ``vm`` | a VM of `Change Network Of Starting VM`. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, vm), run.require_recorder()
        recorder.catch_up()
        step(judge_started_once(recorder.history, swap))

    @keyword(name="Restart Required Should Not Outlive The Start", tags=["verdict"])
    def restart_required_should_not_outlive_the_start(self, vm: str) -> None:
        """Fails when RestartRequired is set now, or was set after the VM could be live-migrated.

        While the VM cannot migrate yet it is no fault: KubeVirt after 1.9 sets it then, and takes it back.

        Args:
        | ``vm`` | a VM of `Change Network Of Starting VM`. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, vm), run.require_recorder()
        recorder.catch_up()
        step(judge_restart_not_left(recorder.history, swap))


def _await_effect(vm: str, within: timedelta) -> tuple[NetworkSwap, bool]:
    run = Run.current()
    swap, recorder = swap_of(run, vm), run.require_recorder()
    history = recorder.history
    done = recorder.wait_for(
        lambda _: not missing_effect(history, swap),
        swap.at + within.total_seconds() - time.monotonic(),
        swap.title,
        lambda: "; ".join(missing_effect(history, swap)),
    )
    return swap, bool(done)


def _handed_over(history: History, swap: NetworkSwap) -> Object | None:
    found = migrations_since(history, swap).values()
    return next((item for item in found if is_automatic(item) and phase_of(item) in _HANDED_OVER), None)


def _ended(history: History, migration: Object, version: str) -> bool:
    """Whether a migration had ended when ``version`` was stored, however late this reached us."""
    then = history.state_at(MIGRATION, str(meta(migration, "name")), version)
    return then is None or phase_of(then) in FINAL_PHASES


def _is_starting(history: History, vm: str) -> bool:
    vmi = history.current(VMI, vm)
    if vmi is None:
        return False
    pods = (
        pod for pod in history.all(POD) if meta(pod, "labels", {}).get("kubevirt.io/created-by") == meta(vmi, "uid")
    )
    return next(pods, None) is not None and phase_of(vmi) not in ("", "Pending")
