# SPDX-License-Identifier: Apache-2.0
"""The change of a VM's network: checks before the edit, one edit, checks after the edit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import MIGRATION, VM, VMI, Object, dig, meta
from livenad.api.recorder import Recorder
from livenad.api.status import FINAL_PHASES, is_true, phase_of, vm_summary
from livenad.changes import ChangeLog, NetworkChange, VmState, network_change
from livenad.errors import LabError, NotReached, TestError
from livenad.foreign_migrations import fault_or_undecided, maker_of
from livenad.model import VmRecord
from livenad.network_change.edit import put_networks
from livenad.network_change.events import handed_over
from livenad.text import human
from livenad.virtual_machines.manifests import pod_interface_name

_STARTING = ("Scheduling", "Scheduled")


def change_networks(
    client: Cluster,
    recorder: Recorder,
    log: ChangeLog,
    records: Sequence[VmRecord],
    networks: Mapping[str, str],
    *,
    vm_state: VmState,
    nad_missing: bool = False,
    check: Callable[[VmRecord], None] | None = None,
) -> list[NetworkChange]:
    """Edit each VM once so that its NICs are on ``networks``, and add the records to ``log``.

    ``vm_state`` is the state that each VM must have: TestError or LabError when it has another. "running" and "stopped"
    are checked on all VMs before the first edit, running ones also by ``check``, which raises; "any" checks nothing.
    ``networks`` maps a NIC to its NAD.
    """
    for record in records:
        for nic in networks:
            require_movable_nic(record, nic)
    history = recorder.history
    if vm_state in ("running", "stopped"):
        recorder.catch_up()
        for record in records:
            _require_state(history, record, vm_state)
            if check is not None and vm_state == "running":
                check(record)
    made = [_change(client, recorder, log, record, networks, vm_state=vm_state) for record in records]
    changes = [change for of_vm in made for change in of_vm]
    for change in changes:
        change.nad_missing = nad_missing
    return changes


def _change(
    client: Cluster,
    recorder: Recorder,
    log: ChangeLog,
    record: VmRecord,
    networks: Mapping[str, str],
    *,
    vm_state: VmState,
) -> list[NetworkChange]:
    history = recorder.history
    active: Object | None = None
    if vm_state == "any":
        log.network_change(record.name)
    elif vm_state == "migrating":
        last = log.last(record.name, "network", "evict")
        active = handed_over(history, last)
        if active is None:
            fault = NotReached(f"{last.title}: expected a running migration; {vm_summary(history, record.name)}")
            raise fault_or_undecided(history, last, fault)
    changes = [network_change(history, record, nic, network, vm_state=vm_state) for nic, network in networks.items()]
    put_networks(client, record, networks)
    for change in changes:
        if vm_state in ("migrating", "any"):
            edited = [one for one in log.of(NetworkChange, record.name) if one.nic == change.nic]
            change.old_network = edited[-1].new_network if edited else change.old_network
        change.pod_interface = change.pod_interface or pod_interface_name(change.nic)
        change.with_nics = tuple(networks) if len(networks) > 1 else ()
    log.add(*changes)
    if active is not None:
        _require_not_ended(recorder, changes[0], active)
    if vm_state == "starting":
        _require_was_starting(recorder, changes[0])
    return changes


def require_movable_nic(record: VmRecord, nic: str) -> None:
    """Raise TestError for a NIC that the VM does not have, or that is on the pod network."""
    if record.nic(nic).network is None:
        raise TestError(
            f'NIC "{nic}" of VM {record.namespace}/{record.name} is on the pod network, which cannot be changed'
        )


def require_running(history: History, record: VmRecord, remedy: str) -> None:
    """Raise TestError for a VM that is not running; ``remedy`` says what to do."""
    vmi = history.current(VMI, record.name)
    if vmi is None or phase_of(vmi) != "Running":
        vm = history.current(VM, record.name) or {}
        status = dig(vm, "status", "printableStatus", default="not created")
        raise TestError(
            f"VM {record.namespace}/{record.name} is not running (status {status}, "
            f"{vm_summary(history, record.name)}); {remedy}"
        )


def _require_state(history: History, record: VmRecord, vm_state: VmState) -> None:
    title = f"VM {record.namespace}/{record.name}"
    vmi, vm = history.current(VMI, record.name), history.current(VM, record.name)
    if vm_state == "stopped":
        if vmi is not None:
            raise TestError(f"{title} is not stopped: {vm_summary(history, record.name)}")
        return
    require_running(
        history,
        record,
        "the network of a running VM is changed: call `Start VMs` and `Wait Until VMs Are Ready` first",
    )
    if vm is not None and is_true(vm, "RestartRequired"):
        raise LabError(
            f"{title} already has RestartRequired before the edit, so the edit cannot be judged; restart the VM"
        )
    for item in history.by_uid(MIGRATION, record.name).values():
        if phase_of(item) not in FINAL_PHASES:
            raise LabError(
                f"{title} is already being migrated: {meta(item, 'name')} ({maker_of(history, item)}) is "
                f"{phase_of(item) or 'new'}; wait until it has ended"
            )


# What an object is after the edit was answered, it was when the edit was stored: neither state comes back. Its
# resourceVersion says nothing of that, as those of two resource types may not be compared. The objects are listed, as
# role runner may list migrations and VMIs, and not get one.


def _require_not_ended(recorder: Recorder, change: NetworkChange, active: Object) -> None:
    """LabError when the migration may have ended before the second edit was stored."""
    name = str(meta(active, "name"))
    recorder.catch_up()
    now = recorder.history.current(MIGRATION, name)
    if now is None or phase_of(now) in FINAL_PHASES:
        raise LabError(
            f"{change.title}: migration {name} may have ended before the second edit was stored: it had, "
            f"{human(time.monotonic() - change.at)} after the edit was sent; run again on a less busy machine"
        )


def _require_was_starting(recorder: Recorder, change: NetworkChange) -> None:
    """LabError when the VM may have been LiveMigratable before the edit was stored."""
    recorder.catch_up()
    now = recorder.history.current(VMI, change.vm) or {}
    if phase_of(now) not in _STARTING or is_true(now, "LiveMigratable"):
        raise LabError(
            f"{change.subject} may have been LiveMigratable before the edit was stored, so that it was no longer "
            f"starting ({vm_summary(recorder.history, change.vm)}); run again on a less busy machine"
        )
