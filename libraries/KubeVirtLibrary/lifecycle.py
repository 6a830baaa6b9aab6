"""Keywords: start, stop, restart and migrate a VM, edit a stopped one, and wait. They judge nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from livenad.api.history import History
from livenad.api.kinds import VM, VMI, Object, dig, meta
from livenad.api.status import FINAL_PHASES, phase_of, vm_summary
from livenad.context import Run
from livenad.errors import BadInput, LabError
from livenad.model import VmRecord
from livenad.network_change.change import Act, Acts, migrations_after
from livenad.network_change.edit import put_network
from livenad.text import human
from robot.api.deco import keyword

from KubeVirtLibrary.machines import missing_to_ready
from KubeVirtLibrary.namespaces import nad_name
from KubeVirtLibrary.reporting import step
from KubeVirtLibrary.swaps import require_movable_nic

_Missing = Callable[[History, VmRecord, Act], list[str]]

_SUBRESOURCES = "/apis/subresources.kubevirt.io/v1/namespaces/{namespace}/virtualmachines/{name}/{verb}"


class LifecycleKeywords:
    """What an owner or an administrator does to a VM besides editing its networks."""

    @keyword(name="Start VM", tags=["vm"])
    def start_vm(self, vm: str) -> None:
        """Starts a stopped VM, as ``virtctl start`` does. Waits for nothing.

        Args:
        | ``vm`` | a VM that is stopped. |
        """
        _ask(vm, "start", "its start")

    @keyword(name="Stop VM", tags=["vm"])
    def stop_vm(self, vm: str) -> None:
        """Stops a running VM, as ``virtctl stop`` does. Waits for nothing.

        Args:
        | ``vm`` | a VM that runs. |
        """
        _ask(vm, "stop", "its stop")

    @keyword(name="Restart VM", tags=["vm"])
    def restart_vm(self, vm: str) -> None:
        """Restarts a running VM, as ``virtctl restart`` does: a new VMI, a new boot. Waits for nothing.

        Args:
        | ``vm`` | a VM that runs. |
        """
        _ask(vm, "restart", "its restart")

    @keyword(name="Migrate VM", tags=["vm"])
    def migrate_vm(self, vm: str) -> None:
        """Asks for a live migration of a running VM, as ``virtctl migrate`` does. Waits for nothing.

        It needs the right to update ``virtualmachines/migrate``, which a VM's owner does not have.

        Args:
        | ``vm`` | a VM that runs. |
        """
        _ask(vm, "migrate", "its migration by hand")

    @keyword(name="Change Network Of Stopped VM", tags=["vm", "network"])
    def change_network_of_stopped_vm(self, vm: str, *, nic: str, network: str) -> None:
        """Puts a NIC of a stopped VM on another network by one edit of its spec: ``networkName`` and nothing else.

        Args:
        | ``vm`` | a VM that is stopped. |
        | ``nic`` | one of its NICs, not the one on the pod network. |
        | ``network`` | NAD to move to, by name or as ``namespace/name``. |
        """
        run = Run.current()
        record, recorder = run.vm(vm), run.require_recorder()
        network = nad_name(network)
        require_movable_nic(record, nic)
        recorder.catch_up()
        if recorder.history.current(VMI, vm) is not None:
            raise BadInput(f"VM {record.namespace}/{vm} is not stopped: {vm_summary(recorder.history, vm)}")
        act = Acts.of(run).begin("the edit of the stopped VM", recorder.history, vm, record.namespace)
        put_network(run, record, nic, network)
        step(f'{act.title}, NIC "{nic}": network "{network}" while the VM is stopped')

    @keyword(name="Wait Until VM Is Stopped", tags=["vm"])
    def wait_until_vm_is_stopped(self, vm: str, *, within: timedelta) -> None:
        """Waits until a VM has no VMI any more; an error of the lab when it still has one in the end.

        Args:
        | ``vm`` | a VM that `Stop VM` was called for. |
        | ``within`` | for how long at most, from now on. |
        """
        run = Run.current()
        record, recorder = run.vm(vm), run.require_recorder()
        title = f"VM {record.namespace}/{vm} stopped"
        gone = recorder.wait_for(
            lambda history: history.current(VMI, vm) is None,
            within.total_seconds(),
            title,
            lambda: vm_summary(recorder.history, vm),
        )
        if not gone:
            raise LabError(
                f"expected VM {record.namespace}/{vm} to be stopped within {human(within.total_seconds())}; "
                f"{vm_summary(recorder.history, vm)}"
            )
        step(title)

    @keyword(name="Wait Until VM Runs Anew", tags=["vm"])
    def wait_until_vm_runs_anew(self, vm: str, *, within: timedelta) -> None:
        """Waits until a VM is ready as another VMI than before, or the deadline has passed; the log shows which.

        Args:
        | ``vm`` | a VM that `Restart VM` or `Start VM` was called for. |
        | ``within`` | for how long at most, counted from that call. |
        """
        _settle(vm, within, "ready as a new VMI", _missing_anew)

    @keyword(name="Wait Until VM Is Migrated", tags=["vm"])
    def wait_until_vm_is_migrated(self, vm: str, *, within: timedelta) -> None:
        """Waits until the migration that `Migrate VM` asked for has ended and the VM is ready, or the deadline passed.

        Args:
        | ``vm`` | a VM that `Migrate VM` was called for. |
        | ``within`` | for how long at most, counted from that call. |
        """
        _settle(vm, within, "migrated", _missing_migrated)


def _ask(vm: str, verb: str, what: str) -> None:
    """One request to a subresource of the VM; a lost answer is looked up in what came of it."""
    run = Run.current()
    record, recorder = run.vm(vm), run.require_recorder()
    recorder.catch_up()
    act = Acts.of(run).begin(what, recorder.history, vm, record.namespace)
    run.cluster.request(
        "PUT",
        _SUBRESOURCES.format(namespace=record.namespace, name=vm, verb=verb),
        title=f"{verb} of VirtualMachine {record.namespace}/{vm}",
        body={},
        carried_out=lambda: _carried_out(run, act, verb),
    )
    step(f"{act.title}: {verb} asked for; it is on {act.node or 'no node'}")


def _carried_out(run: Run, act: Act, verb: str) -> Object | None:
    run.require_recorder().catch_up()
    history = run.require_recorder().history
    if verb == "migrate":
        return next(iter(migrations_after(history, act)), None)
    vm = history.current(VM, act.vm) or {}
    vmi = history.current(VMI, act.vm)
    under_way = bool(dig(vm, "status", "stateChangeRequests")) or meta(vmi or {}, "uid") != act.vmi_uid
    strategy = {"start": "Always", "stop": "Halted"}.get(verb)
    return vm if under_way or dig(vm, "spec", "runStrategy") == strategy else None


def _settle(vm: str, within: timedelta, awaited: str, missing: _Missing) -> None:
    run = Run.current()
    record, recorder = run.vm(vm), run.require_recorder()
    act = Acts.of(run).last(vm, record.namespace)
    history = recorder.history
    left = act.at + within.total_seconds() - time.monotonic()
    done = recorder.wait_for(
        lambda _: not missing(history, record, act),
        left,
        f"{act.title} {awaited}",
        lambda: ", ".join(missing(history, record, act)),
    )
    after = f"{human(time.monotonic() - act.at)} after {act.what}"
    if done:
        step(f"{act.title}: {awaited} {after}")
    else:
        step(f"{act.title}: NOT {awaited} {after}: {', '.join(missing(history, record, act))}")


def _missing_anew(history: History, record: VmRecord, act: Act) -> list[str]:
    vmi = history.current(VMI, record.name)
    if vmi is not None and meta(vmi, "uid") == act.vmi_uid:
        return ["the VMI is still the one from before"]
    return missing_to_ready(history, record)


def _missing_migrated(history: History, record: VmRecord, act: Act) -> list[str]:
    found = migrations_after(history, act)
    running = [f"{meta(item, 'name')} is {phase_of(item) or 'new'}" for item in found if not _ended(item)]
    return (["no migration object was made"] if not found else running) or missing_to_ready(history, record)


def _ended(migration: Object) -> bool:
    return phase_of(migration) in FINAL_PHASES
