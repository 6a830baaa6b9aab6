"""Keywords: plug NICs into a running VM and out of it, wait, and judge what came of it."""

from __future__ import annotations

import time
from datetime import timedelta

from livenad.api.kinds import VMI
from livenad.api.status import phase_of, vm_summary
from livenad.context import Run
from livenad.errors import BadInput
from livenad.model import Nic, VmRecord
from livenad.network_change.change import Act, Acts
from livenad.network_change.completion import completed_at
from livenad.nic_hotplug.hotplug import NicChange, NicChanges, facts_of, is_settled, mark_absent, put_nic
from livenad.nic_hotplug.judge_hotplug import judge_nic_change, judge_ran_on
from livenad.ownership.labels import is_dns_label
from livenad.text import human
from livenad.virtual_machines.manifests import nic_mac
from robot.api.deco import keyword

from KubeVirtLibrary.machines import parse_addresses
from KubeVirtLibrary.namespaces import nad_name
from KubeVirtLibrary.reporting import details, step


class HotPlugKeywords:
    """Whether the cluster does it by a live migration or, where a controller can, in place, is its own business."""

    @keyword(name="Hot Plug NIC", tags=["vm", "network"])
    def hot_plug_nic(self, vm: str, *, nic: str, network: str, addresses: str = "") -> None:
        """Adds a NIC, bound by a bridge, to the spec of a VM that runs. Waits for nothing.

        The guest configures nothing for it by itself: `Address Plugged NIC` does.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | name of the new NIC in the VM's spec. |
        | ``network`` | NAD, by name or as ``namespace/name``. |
        | ``addresses`` | static addresses with prefix that it is to have, separated by commas. |
        """
        run = Run.current()
        record = run.vm(vm)
        network = nad_name(network)
        if not is_dns_label(nic):
            raise BadInput(f'NIC "{nic}" of VM {vm}: expected lower-case letters, digits and hyphens')
        if any(known.name == nic for known in record.nics):
            raise BadInput(f'VM {record.namespace}/{vm} has a NIC "{nic}" already; choose another name')
        mac = nic_mac(run.run_id, f"{record.namespace}/{vm}", nic)
        new = Nic(nic, mac, network, parse_addresses(vm, nic, addresses))
        act = _begin(run, record, f'the hot-plug of NIC "{nic}"')
        put_nic(run, record, new)
        _remember(run, NicChange(act, new, plugged=True))

    @keyword(name="Hot Unplug NIC", tags=["vm", "network"])
    def hot_unplug_nic(self, vm: str, *, nic: str) -> None:
        """Marks a NIC of a VM that runs ``absent`` in its spec, which takes it out of the guest. Waits for nothing.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | one of its NICs, not the one on the pod network. |
        """
        run = Run.current()
        record = run.vm(vm)
        old = record.nic(nic)
        if old.network is None:
            raise BadInput(f'NIC "{nic}" of VM {record.namespace}/{vm} is on the pod network and cannot be unplugged')
        act = _begin(run, record, f'the hot-unplug of NIC "{nic}"')
        mark_absent(run, record, old)
        _remember(run, NicChange(act, old, plugged=False))

    @keyword(name="Wait Until NIC Changes Have Settled", tags=["vm", "network"])
    def wait_until_nic_changes_have_settled(self, vm: str, *, within: timedelta) -> None:
        """Waits until every hot-plug and hot-unplug of a VM is done, or the time is over. Judges nothing.

        Args:
        | ``vm`` | a VM of `Hot Plug NIC` or `Hot Unplug NIC`. |
        | ``within`` | for how long at most, counted from the last of them. |
        """
        run = Run.current()
        record, recorder = run.vm(vm), run.require_recorder()
        changes, history = NicChanges.of(run).of_vm(vm, record.namespace), recorder.history
        left = changes[-1].act.at + within.total_seconds() - time.monotonic()

        def seen() -> str:
            missing = [fact.seen for one in changes for fact in facts_of(history, one) if not fact.holds]
            return missing[0] if missing else "done"

        title = f"NICs of VM {record.namespace}/{vm}"
        recorder.wait_for(lambda _: all(is_settled(history, one) for one in changes), left, title, seen)
        for change in changes:
            facts = facts_of(history, change)
            done = completed_at(facts)
            after = human(max(0.0, (done or time.monotonic()) - change.act.at))
            step(f"{change.title}: {'done' if done is not None else 'not done'} {after} after the edit")
            details("Its facts", "\n".join(f"{'yes' if fact.holds else 'NO '}  {fact.seen}" for fact in facts))

    @keyword(name="NIC Should Have Been Plugged", tags=["verdict"])
    def nic_should_have_been_plugged(self, vm: str, *, nic: str, within: timedelta) -> None:
        """Fails unless these came true together in time after `Hot Plug NIC`.

        They are: the VMI's spec has the NIC; its status reports it from the domain and from Multus, with its MAC; the
        launcher pod's network-status has it on its network; and no migration is asked for or under way any more.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | the NIC that was plugged. |
        | ``within`` | counted from `Hot Plug NIC`. |
        """
        _judge(vm, nic, within.total_seconds(), plugged=True)

    @keyword(name="NIC Should Have Been Unplugged", tags=["verdict"])
    def nic_should_have_been_unplugged(self, vm: str, *, nic: str, within: timedelta) -> None:
        """Fails unless these came true together in time after `Hot Unplug NIC`.

        They are: the NIC is gone from the VMI's status, from the launcher pod's network-status, and from the specs of
        VM and VMI; and no migration is asked for or under way any more.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | the NIC that was unplugged. |
        | ``within`` | counted from `Hot Unplug NIC`. |
        """
        _judge(vm, nic, within.total_seconds(), plugged=False)

    @keyword(name="VM Should Have Run On", tags=["verdict"])
    def vm_should_have_run_on(self, vm: str) -> None:
        """Fails when, since its first hot-plug or hot-unplug, a VM was restarted or RestartRequired was set on it.

        Args:
        | ``vm`` | a VM of `Hot Plug NIC` or `Hot Unplug NIC`. |
        """
        run = Run.current()
        record, recorder = run.vm(vm), run.require_recorder()
        first = NicChanges.of(run).of_vm(vm, record.namespace)[0]
        recorder.catch_up()
        step(judge_ran_on(recorder.history, first.act))


def _begin(run: Run, record: VmRecord, what: str) -> Act:
    recorder = run.require_recorder()
    recorder.catch_up()
    vmi = recorder.history.current(VMI, record.name)
    if vmi is None or phase_of(vmi) != "Running":
        raise BadInput(
            f"VM {record.namespace}/{record.name} is not running ({vm_summary(recorder.history, record.name)}); NICs "
            "are plugged into a running VM: call `Start VMs` and `Wait Until VMs Are Ready` first"
        )
    return Acts.of(run).begin(what, recorder.history, record.name, record.namespace)


def _remember(run: Run, change: NicChange) -> None:
    NicChanges.of(run).add(change)
    step(f"{change.title}: asked for")


def _judge(vm: str, nic: str, within: float, *, plugged: bool) -> None:
    run = Run.current()
    record, recorder = run.vm(vm), run.require_recorder()
    change = NicChanges.of(run).of_nic(vm, record.namespace, nic, plugged=plugged)
    history = recorder.history
    left = change.act.at + within - time.monotonic()
    recorder.wait_for(lambda _: is_settled(history, change), left, change.title, lambda: "not done")
    recorder.catch_up()
    step(judge_nic_change(history, change, within))
