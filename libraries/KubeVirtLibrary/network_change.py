"""Keywords: the change of a VM's network, the waits for it, and the verdicts on its outcome."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from livenad.api.status import vm_summary
from livenad.changes import Change, NetworkChange, NicHotplug, NicSettingsChange, VmState, before
from livenad.errors import LAB_ERROR_PREFIX, LabError, ProductFault, TestError
from livenad.network_change.completion import Fact, completed_at, five_facts, is_complete
from livenad.network_change.events import VmEvent, event_of
from livenad.network_change.judge_last_change import judge_last_edit, missing_effect
from livenad.network_change.judge_network_change import interface_differences, judge_completion, judge_network
from livenad.network_change.judge_not_applied_live import applied_live, judge_not_applied_live, judge_not_live
from livenad.network_change.judge_source_pod import judge_annotation_kept
from livenad.network_change.nic_settings import Binding
from livenad.nic_hotplug.hotplug_facts import facts_of, is_settled
from livenad.nic_hotplug.judge_hotplug import judge_nic_change
from livenad.settling import missing_to_settled
from livenad.text import human
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import details, step, timeline
from KubeVirtLibrary.queue import judge_queue
from KubeVirtLibrary.types import NetworkName, NicName, VmName

if TYPE_CHECKING:
    from livenad.api.client import Cluster


class NetworkChangeKeywords(KeywordComponent):
    """The edit that the scenarios are about, and what the cluster makes of it."""

    @keyword(name="Change VM Network", tags=["network change", "core"])
    def change_vm_network(
        self,
        vm: VmName | list[VmName],
        *,
        nic: NicName | None = None,
        network: NetworkName | None = None,
        networks: dict[str, str] | None = None,
        vm_state: VmState = "running",
        nad_exists: bool = True,
        as_user: str = "",
    ) -> None:
        """Puts NICs of a VM on other networks by one edit of ``networkName``, as this run's user or as a VM owner.

        Nothing else is edited. What the cluster and the VM were just before the edit is recorded for the verdicts.
        Waits for nothing. Of several VMs each is edited, without a pause between.

        Args:
        | ``vm`` | a VM, or a list of VMs. |
        | ``nic`` | one of its NICs, not the one on the pod network. |
        | ``network`` | NAD to move it to, by name or as ``namespace/name``. |
        | ``networks`` | for several NICs in one edit, in place of the two: a dictionary of NICs and networks. |
        | ``vm_state`` | what the VM has to be at the edit: ``running`` and at rest, ``stopped``, ``starting``, |
        | | ``migrating`` for its change before this one, or ``any``: the edit follows an earlier one unchecked. |
        | ``nad_exists`` | no for a NAD that is to be created later. |
        | ``as_user`` | a user of `Create VM Owner`, who makes the edit; fails if that is forbidden. |
        """
        run, suite = self.run, self.suite
        records = [self.vm(name) for name in (vm if isinstance(vm, list) else [vm])]
        wanted = {
            name: self.network(target, must_exist=nad_exists)
            for name, target in _wanted(nic, network, networks).items()
        }
        from livenad.api.api_errors import ApiError  # noqa: PLC0415 - slow to import, and a dry run does without
        from livenad.network_change.change_network import change_networks  # noqa: PLC0415

        client = self._user(as_user) if as_user else run.cluster
        try:
            changes = change_networks(
                client, suite.recorder, suite.changes, records, wanted, vm_state=vm_state, nad_missing=not nad_exists
            )
        except ApiError as error:
            if error.status != 403 or not as_user:
                raise
            raise ProductFault(
                f"VM owner {suite.namespace.name}/{as_user}: expected to be allowed to change the network of "
                f"{records[0].name} by the role edit, was forbidden: {error.args[0].removeprefix(LAB_ERROR_PREFIX)}"
            ) from None
        for change in changes:
            step(f"{change.title}: edited" + _together(change) + ("" if nad_exists else "; the NAD does not exist yet"))

    @keyword(name="Change NIC Settings", tags=["network change", "scenario"])
    def change_nic_settings(
        self,
        vm: VmName,
        *,
        nic: NicName,
        binding: Binding | None = None,
        model: str = "",
        network: NetworkName | None = None,
    ) -> None:
        """Changes binding or model of a running VM's NIC, all given fields by one edit. Waits for nothing.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | one of its NICs. |
        | ``binding`` | its new binding. |
        | ``model`` | its new model, such as ``e1000e``. |
        | ``network`` | its new network, in the same edit. |
        """
        from livenad.network_change.change_network import require_running  # noqa: PLC0415
        from livenad.network_change.nic_settings import put_edit  # noqa: PLC0415

        run, suite, record = self.run, self.suite, self.vm(vm)
        record.nic(nic)
        if not (binding or model or network):
            raise TestError(f'NIC "{nic}" of VM {vm}: nothing is to be edited; give binding, model or network')
        suite.recorder.catch_up()
        require_running(self.history, record, "call `Start VMs` and `Wait Until VMs Are Ready` first")
        change = NicSettingsChange(
            **before(self.history, record, "nic settings", f'the edit of NIC "{nic}"'),
            nic=nic,
            binding=binding or "",
            model=model,
            network=self.network(network) if network else "",
        )
        put_edit(run.cluster, record, change)
        suite.changes.add(change)
        step(f"{change.title}: edited")

    @keyword(name="Wait Until Change Has Settled", tags=["network change", "core"])
    def wait_until_change_has_settled(self, vm: VmName, *, within: timedelta) -> None:
        """Waits until the last change of a VM has run its course, or the time is over; the log shows which.

        Whatever was done: a change of its network, until the cluster has done for it what it does by itself (a
        complete live migration; MigrationRequired where the cluster does not migrate by itself; RestartRequired where
        live update is off); hot-plugs and hot-unplugs, until all are done; a start, restart or migration on request,
        until the VM is ready after it. Judges nothing, but a VM that does not stop is a LAB ERROR.

        Args:
        | ``vm`` | a VM that was changed. |
        | ``within`` | for how long at most, counted from the change. |
        """
        suite, record = self.suite, self.vm(vm)
        change, recorder, log = suite.changes.last(record.name), suite.recorder, suite.changes
        capabilities = self.run.capabilities
        live_update = bool(capabilities.measured("live-update").there)
        migrates = bool(capabilities.measured("automatic-migration").there)

        def missing() -> list[str]:
            return missing_to_settled(recorder.history, log, record, change, live_update=live_update, migrates=migrates)

        left = change.at + within.total_seconds() - time.monotonic()
        recorder.wait_for(
            lambda _: not missing(), left, change.title, lambda: next(iter(missing()), ""), vms={record.name}
        )
        lacks = missing()
        if change.action == "stop" and lacks:
            raise LabError(
                f"expected VM {record.namespace}/{record.name} to be stopped within {human(within.total_seconds())}; "
                f"{lacks[0]}"
            )
        self._tell_settled(change, lacks, within.total_seconds())

    @keyword(name="Wait For VM Event", tags=["network change", "scenario"])
    def wait_for_vm_event(self, vm: VmName, event: VmEvent, *, within: timedelta) -> None:
        """Waits for a moment in the life of a VM, such as a running migration, so that the next step comes just then.

        | =Event= | =What it is= | =When it does not come= |
        | ``launcher pod created`` | a VM of `Start VMs` is starting | LAB ERROR |
        | ``migration created`` | a migration object for the network change | the log says so |
        | ``migration running`` | that migration is handed over to the nodes | FAIL |
        | ``warning reported`` | a warning event about that migration, its target pod or the VMI | the log says so |

        Args:
        | ``vm`` | a VM that was started or changed. |
        | ``event`` | one of the table. |
        | ``within`` | for how long at most, from now on. |
        """
        suite, record = self.suite, self.vm(vm)
        history, title = suite.recorder.history, f"VM {record.namespace}/{record.name}"
        look = event_of(history, suite.changes, record.name, event)
        seen = suite.recorder.wait_for(
            lambda _: look(),
            within.total_seconds(),
            f"{title}: {event}",
            lambda: vm_summary(history, record.name),
            vms={record.name},
        )
        if not seen and event in ("launcher pod created", "migration running"):
            limit, now = human(within.total_seconds()), vm_summary(history, record.name)
            if event == "launcher pod created":
                raise LabError(f"{title}: expected a launcher pod within {limit}; {now}")
            change = suite.changes.network_change(record.name)
            raise ProductFault(f"{change.title}: expected a migration to be under way within {limit} of now; {now}")
        step(f"{title}: {seen or f'no {event}'}")

    @keyword(name="NIC Change Should Have Completed", tags=["network change", "core"])
    def nic_change_should_have_completed(self, vm: VmName | list[VmName], *, nic: NicName, within: timedelta) -> None:
        """Fails unless the last change of a NIC completed in time: its new network, its hot-plug or its hot-unplug.

        *A new network*: the cluster's migration object for the edit is Succeeded; the VMI's migrationState is
        completed for that object and not failed; the VMI's node is the target; MigrationRequired is gone; and the
        launcher pod's network-status names the new network for the NIC.

        *A new network, edited while the VM was starting or migrating*: VMI spec and launcher pod name the network of
        the last edit, MigrationRequired is gone, and every migration since the first edit has ended, however many.

        *A hot-plug*: the VMI's spec has the NIC; its status reports it from the domain and from Multus, with its MAC;
        the launcher pod's network-status has it on its network; no migration is asked for or under way any more.

        *A hot-unplug*: the NIC is gone from the VMI's status, the launcher pod's network-status, and the specs of VM
        and VMI; no migration is asked for or under way any more.

        Of several VMs each is judged, and the log shows the queue of their migrations as a chart.

        Args:
        | ``vm`` | a VM, or a list of VMs. |
        | ``nic`` | the NIC that was changed, plugged or unplugged. |
        | ``within`` | counted from the change; for several VMs from the first one. |
        """
        limit = within.total_seconds()
        if isinstance(vm, list):
            judge_queue(self.run, [self._network_change(name, nic) for name in vm], limit)
            return
        change = self._change_of_nic(vm, nic)
        left = change.at + limit - time.monotonic()
        wait, vms = self.suite.recorder.wait_for, {change.vm}
        if isinstance(change, NicHotplug):
            wait(lambda history: is_settled(history, change), left, change.title, lambda: "not done", vms=vms)
            self.judge(judge_nic_change, change, limit)
            return
        edit = self._network_change(vm, nic)
        if edit.vm_state in ("starting", "migrating"):
            wait(lambda history: not missing_effect(history, edit), left, edit.title, lambda: "not in effect", vms=vms)
            self.judge(judge_last_edit, edit, limit)
        else:
            wait(lambda history: is_complete(history, edit), left, edit.title, lambda: "not complete", vms=vms)
            self.judge(judge_completion, edit, limit)

    @keyword(name="Change Should Not Have Been Applied Live", tags=["network change", "scenario"])
    def change_should_not_have_been_applied_live(self, vm: VmName, *, duration: timedelta = timedelta()) -> None:
        """Fails when the running VM followed an edit that needs a restart: VMI spec, or a migration asked for or made.

        After `Change NIC Settings` node and VMI must be the same as well. Judged on everything since before the edit.

        Args:
        | ``vm`` | a VM of `Change VM Network` or `Change NIC Settings`. |
        | ``duration`` | length of the window, counted from the edit. |
        """
        suite = self.suite
        change = suite.changes.last(self.vm(vm).name, "network", "nic settings")
        if isinstance(change, NetworkChange):
            self.judge(judge_not_live, change)
        elif isinstance(change, NicSettingsChange):
            left = change.at + duration.total_seconds() - time.monotonic()
            suite.recorder.wait_for(
                lambda history: applied_live(history, change),
                left,
                change.title,
                lambda: "not applied",
                vms={change.vm},
            )
            self.judge(judge_not_applied_live, change)

    @keyword(name="VMI Interface Should Be Unchanged", tags=["network change", "core"])
    def vmi_interface_should_be_unchanged(
        self, vm: VmName, *, nic: NicName, within: timedelta = timedelta(seconds=30)
    ) -> None:
        """Fails when the API shows the NIC otherwise than before the edit, but for the name of its network.

        Compared are MAC, model, binding, interface name in guest and pod, link state and addresses.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``nic`` | the NIC that was moved. |
        | ``within`` | for how long the guest agent may take to report again after the migration. |
        """
        change, recorder = self._network_change(vm, nic), self.suite.recorder
        recorder.wait_for(
            lambda history: not interface_differences(history, change),
            within.total_seconds(),
            f"{change.title}: the API's view as before",
            lambda: "; ".join(interface_differences(recorder.history, change)),
            vms={change.vm},
        )
        title = f'{change.subject}, NIC "{nic}"'
        if differences := interface_differences(recorder.history, change):
            raise ProductFault(
                f"{title}: expected the VMI to show it as before the swap, for "
                f"{human(within.total_seconds())} it did not: {'; '.join(differences)}"
            )
        shown = ", ".join(f"{key} {_text(change.interface.get(key))}" for key in _SHOWN_OF_NIC)
        step(f"{title}: the VMI shows it as before the swap: {shown}")

    @keyword(name="VM Should Be On Network", tags=["network change", "core"])
    def vm_should_be_on_network(self, vm: VmName, *, nic: NicName, network: NetworkName) -> None:
        """Fails unless the VMI's spec and its launcher pod's network-status name a network for a NIC.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | one of its NICs. |
        | ``network`` | the network. |
        """
        record = self.vm(vm)
        record.nic(nic)
        self.judge(judge_network, record.name, record.namespace, nic, self.network(network))

    @keyword(name="Source Pod Networks Should Be Unchanged", tags=["network change", "scenario"])
    def source_pod_networks_should_be_unchanged(self, vm: VmName) -> None:
        """Fails when the launcher pod that a VM ran in before its change got another networks annotation since.

        A Dynamic Networks Controller would act on such a change and plug the running pod. Judged on every state of
        the pod since before the edit.

        Args:
        | ``vm`` | a VM whose network was changed. |
        """
        self.judge(judge_annotation_kept, self.suite.changes.network_change(self.vm(vm).name))

    def _change_of_nic(self, vm: str, nic: str) -> Change:
        """The last change of a NIC; one that was unplugged is in the record of the VM no more."""
        record = self.vm(vm)
        try:
            return self.suite.changes.of_nic(record.name, nic)
        except TestError:
            record.nic(nic)
            raise

    def _network_change(self, vm: str, nic: str) -> NetworkChange:
        record = self.vm(vm)
        record.nic(nic)
        return self.suite.changes.network_change(record.name, nic)

    def _user(self, name: str) -> Cluster:
        users = self.suite.users
        if name not in users:
            raise TestError(
                f'user "{name}" is not there; call `Create VM Owner`; there are: {", ".join(users) or "none"}'
            )
        return users[name]

    def _tell_settled(self, change: Change, lacks: list[str], within: float) -> None:
        after = f"{human(time.monotonic() - change.at)} after {change.what}"
        if isinstance(change, NicHotplug):
            for one in self.suite.changes.hotplugs(change.vm):
                _tell_facts(one, facts_of(self.history, one), "done")
        elif isinstance(change, NetworkChange) and change.vm_state != "stopped":
            _tell_facts(change, five_facts(self.history, change), "complete")
            timeline(self.history, change, within)
        elif lacks:
            step(f"{change.title}: NOT settled {after}: {', '.join(lacks)}")
        else:
            step(f"{change.title}: settled {after}")


_SHOWN_OF_NIC = ("mac", "interfaceName", "podInterfaceName", "linkState", "ipAddresses")


def _text(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value or "none")


def _wanted(nic: str | None, network: str | None, networks: dict[str, str] | None) -> dict[str, str]:
    """The networks to move to, by NIC."""
    if networks and not (nic or network):
        return dict(networks)
    if nic and network and not networks:
        return {nic: network}
    raise TestError("expected either nic=<NIC> and network=<network>, or networks=<dictionary of NICs and networks>")


def _together(change: NetworkChange) -> str:
    return ", together with all others of this edit" if change.with_nics else ""


def _tell_facts(change: Change, facts: list[Fact], word: str) -> None:
    done = completed_at(facts)
    after = human(max(0.0, (done or time.monotonic()) - change.at))
    step(f"{change.title}: {word if done is not None else f'not {word}'} {after} after the edit")
    details("The facts", "\n".join(_fact_line(fact, change) for fact in facts))


def _fact_line(fact: Fact, change: Change) -> str:
    when = f" since {human(fact.since - change.at)} after the edit" if fact.since and fact.since > change.at else ""
    return f"{'yes' if fact.holds else 'NO '}  {fact.name}: {fact.seen}{when}"
