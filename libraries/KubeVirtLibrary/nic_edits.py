"""Keywords: edits of a NIC that need a restart, and what the cluster must make of them."""

from __future__ import annotations

import time
from datetime import timedelta

from livenad.api.kinds import VMI
from livenad.api.status import phase_of, vm_summary
from livenad.context import Run
from livenad.errors import BadInput
from livenad.network_change.change import Acts
from livenad.network_change.judge_nic_settings import (
    applied_live,
    asks_for_restart,
    judge_not_applied_live,
    judge_restart_asked_for,
)
from livenad.network_change.nic_settings import BINDINGS, NicEdit, NicEdits, put_edit
from robot.api.deco import keyword

from KubeVirtLibrary.namespaces import nad_name
from KubeVirtLibrary.reporting import step


class NicEditKeywords:
    """What may be edited of a NIC while the VM runs, and does not take effect before a restart."""

    @keyword(name="Edit NIC", tags=["vm", "network"])
    def edit_nic(self, vm: str, *, nic: str, binding: str = "", model: str = "", network: str = "") -> None:
        """Changes a NIC in the spec of a VM that runs, all given fields by one edit. Waits for nothing.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | one of its NICs. |
        | ``binding`` | its new binding, such as ``sriov``. |
        | ``model`` | its new model, such as ``e1000e``. |
        | ``network`` | NAD of its new network, by name or as ``namespace/name``. |
        """
        run = Run.current()
        record = run.vm(vm)
        record.nic(nic)
        if not (binding or model or network):
            raise BadInput(f'NIC "{nic}" of VM {vm}: nothing is to be edited; give binding, model or network')
        if binding and binding not in BINDINGS:
            raise BadInput(f'binding "{binding}" of NIC "{nic}": expected one of {", ".join(BINDINGS)}')
        if network:
            network = nad_name(network)
        recorder = run.require_recorder()
        recorder.catch_up()
        vmi = recorder.history.current(VMI, vm)
        if vmi is None or phase_of(vmi) != "Running":
            raise BadInput(f"VM {record.namespace}/{vm} is not running ({vm_summary(recorder.history, vm)})")
        act = Acts.of(run).begin(f'the edit of NIC "{nic}"', recorder.history, vm, record.namespace)
        edit = NicEdit(act, nic, binding, model, network)
        put_edit(run, record, edit)
        NicEdits.of(run).add(edit)
        step(f"{edit.title}: edited")

    @keyword(name="Restart Should Be Asked For", tags=["verdict"])
    def restart_should_be_asked_for(self, vm: str, *, within: timedelta) -> None:
        """Fails unless RestartRequired was set on a VM by `Edit NIC` and stands.

        After an edit of the network as well the log tells, for information, what became of that part.

        Args:
        | ``vm`` | a VM that `Edit NIC` was called for. |
        | ``within`` | for how long it may take, from now on. |
        """
        run = Run.current()
        record, recorder = run.vm(vm), run.require_recorder()
        edit = NicEdits.of(run).last(vm, record.namespace)
        recorder.wait_for(
            lambda history: asks_for_restart(history, edit),
            within.total_seconds(),
            f"{edit.title}: RestartRequired",
            lambda: "RestartRequired absent",
        )
        recorder.catch_up()
        step(judge_restart_asked_for(recorder.history, edit))

    @keyword(name="Edit Should Not Be Applied Live", tags=["verdict"])
    def edit_should_not_be_applied_live(self, vm: str, *, duration: timedelta) -> None:
        """Fails when `Edit NIC` changed the running VM: VMI spec, node, a migration asked for or made, a restart.

        Judged on everything since before the edit, for ``duration`` at least.

        Args:
        | ``vm`` | a VM that `Edit NIC` was called for. |
        | ``duration`` | length of the window, counted from the edit. |
        """
        run = Run.current()
        record, recorder = run.vm(vm), run.require_recorder()
        edit = NicEdits.of(run).last(vm, record.namespace)
        left = edit.act.at + duration.total_seconds() - time.monotonic()
        recorder.wait_for(lambda history: applied_live(history, edit), left, edit.title, lambda: "not applied")
        recorder.catch_up()
        step(judge_not_applied_live(recorder.history, edit))
