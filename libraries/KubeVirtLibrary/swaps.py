"""Keywords: the one edit, and the wait for its outcome. They judge nothing."""

from __future__ import annotations

import time
from datetime import timedelta

from livenad.api.history import History
from livenad.api.kinds import NAD, VM, VMI, dig, meta
from livenad.api.status import FINAL_PHASES, is_true, migrations_of, phase_of, vm_summary
from livenad.context import Run
from livenad.errors import BadInput, LabError
from livenad.model import VmRecord
from livenad.network_change.completion import Fact, NetworkSwap, completed_at, five_facts, is_complete, remember
from livenad.network_change.edit import put_networks
from livenad.text import human
from livenad.virtual_machines.manifests import pod_interface_name
from robot.api.deco import keyword

from KubeVirtLibrary.namespaces import nad_name
from KubeVirtLibrary.reporting import details, step, timeline


class SwapKeywords:
    """The act of the scenarios."""

    @keyword(name="Change VM Network", tags=["swap"])
    def change_vm_network(self, vm: str, *, nic: str, network: str) -> None:
        """Puts a running VM's NIC on another network by one edit of its spec: ``networkName`` and nothing else.

        What the cluster and the VM were just before the edit is remembered for the verdicts. Waits for nothing.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | one of its NICs, not the one on the pod network. |
        | ``network`` | NAD to move to, by name or as ``namespace/name``. |
        """
        run = Run.current()
        record = run.vm(vm)
        network = nad_name(network)
        require_movable_nic(record, nic)
        recorder = run.require_recorder()
        recorder.catch_up()
        require_running(recorder.history, record)
        swap = remember(recorder.history, vm, record.namespace, nic, network)
        edit(run, record, swap)
        known = recorder.history.current(NAD, network) is not None or "/" in network
        step(f"{swap.title}: edited" + ("" if known else f"; NAD {record.namespace}/{network} does not exist yet"))

    @keyword(name="Revert VM Network", tags=["swap"])
    def revert_vm_network(self, vm: str) -> None:
        """Undoes the last `Change VM Network` of a VM at once, before the cluster begins to migrate it.

        Args:
        | ``vm`` | a VM whose network was just changed. |
        """
        run = Run.current()
        record, before = run.vm(vm), swap_of(run, vm)
        history = run.require_recorder().history
        swap = remember(history, vm, record.namespace, before.nic, before.old_network)
        swap.old_network = before.new_network
        edit(run, record, swap)
        step(f"{swap.title}: reverted {human(swap.at - before.at)} after the edit")

    @keyword(name="Wait Until Network Swap Has Settled", tags=["swap"])
    def wait_until_network_swap_has_settled(self, vm: str, *, within: timedelta) -> None:
        """Waits until the swap is complete, or until its deadline has passed; the log shows which. Judges nothing.

        Args:
        | ``vm`` | a VM whose network was changed by `Change VM Network`. |
        | ``within`` | for how long at most, counted from the edit. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, vm), run.require_recorder()
        left = swap.at + within.total_seconds() - time.monotonic()
        history = recorder.history
        complete = recorder.wait_for(
            lambda _: is_complete(history, swap), left, swap.title, lambda: _missing(history, swap)
        )
        facts = five_facts(history, swap)
        done = completed_at(facts) or time.monotonic()
        if complete:
            step(f"{swap.title}: complete {human(done - swap.at)} after the edit")
        else:
            step(f"{swap.title}: not complete {human(time.monotonic() - swap.at)} after the edit")
        details("The five facts", "\n".join(_fact_line(fact, swap) for fact in facts))
        timeline(history, swap, within.total_seconds())


def edit(run: Run, record: VmRecord, *swaps: NetworkSwap) -> None:
    """Makes the one edit of all these swaps of a VM, and remembers them after its earlier ones.

    The first is the one meant where a keyword names no NIC.
    """
    stored = put_networks(run, record, {swap.nic: swap.new_network for swap in swaps})
    for swap in swaps:
        swap.pod_interface = swap.pod_interface or pod_interface_name(swap.nic)
        swap.resource_version = str(meta(stored, "resourceVersion"))
        swap.previous = run.swaps.get(swap.vm)
        if len(swaps) > 1:
            run.swaps[f"{swap.vm}/{swap.nic}"] = swap
    run.swaps[record.name] = swaps[0]


def require_movable_nic(record: VmRecord, nic: str) -> None:
    """Raises BadInput for a NIC on the pod network."""
    if record.nic(nic).network is None:
        raise BadInput(
            f'NIC "{nic}" of VM {record.namespace}/{record.name} is on the pod network, which cannot be changed'
        )


def swap_of(run: Run, vm: str) -> NetworkSwap:
    """The last swap of a VM. Raises BadInput when its network was not changed."""
    run.vm(vm)
    if vm not in run.swaps:
        raise BadInput(f'the network of VM "{vm}" was not changed in this suite; call `Change VM Network` first')
    return run.swaps[vm]


def require_running(history: History, record: VmRecord) -> None:
    """Raises BadInput for a VM that does not run, LabError for one that is not at rest."""
    title = f"VM {record.namespace}/{record.name}"
    vmi, vm = history.current(VMI, record.name), history.current(VM, record.name)
    if vmi is None or phase_of(vmi) != "Running":
        status = dig(vm or {}, "status", "printableStatus", default="not created")
        raise BadInput(
            f"{title} is not running (status {status}, {vm_summary(history, record.name)}); a network is swapped on a "
            "running VM: call `Start VMs` and `Wait Until VMs Are Ready` first"
        )
    if vm is not None and is_true(vm, "RestartRequired"):
        raise LabError(f"{title} has RestartRequired already before the edit, so nothing could be judged; restart it")
    for item in migrations_of(history, record.name).values():
        if phase_of(item) not in FINAL_PHASES:
            raise LabError(
                f"{title} is being migrated already: {meta(item, 'name')} is {phase_of(item) or 'new'}; wait"
            )


def _missing(history: History, swap: NetworkSwap) -> str:
    return next((fact.seen for fact in five_facts(history, swap) if not fact.holds), "complete")


def _fact_line(fact: Fact, swap: NetworkSwap) -> str:
    when = f" since {human(fact.since - swap.at)} after the edit" if fact.since and fact.since > swap.at else ""
    return f"{'yes' if fact.holds else 'NO '}  {fact.name}: {fact.seen}{when}"
