# SPDX-License-Identifier: Apache-2.0
"""Keywords: the change of a VM's network, the waits for it, and the check that it has completed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from livenad.api.history import History
from livenad.api.kinds import meta
from livenad.api.status import vm_summary
from livenad.changes import (
    Change,
    NetworkChange,
    NicHotplug,
    NicSettingsChange,
    UnmetWait,
    VmState,
    before,
    edits_of,
)
from livenad.cluster.capabilities import CapabilityName
from livenad.errors import LAB_ERROR_PREFIX, LabError, NotReached, ProductFault, TestError
from livenad.foreign_migrations import decided_at, fault_or_undecided, reached
from livenad.model import VmRecord
from livenad.network_change.completion import Fact, completed_at, five_facts, is_complete
from livenad.network_change.events import VmEvent, event_of, passed_unseen
from livenad.network_change.judge_last_change import judge_last_edit, missing_effect
from livenad.network_change.judge_network_change import judge_completion
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


_EVENT_SECONDS = 1.0
"""Between two looks at the cluster for an event: a migration can be over before a silent watch is noticed."""


class NetworkChangeKeywords(KeywordComponent):
    """The edit that the scenarios test."""

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
        """Moves NICs of a VM to other networks: changes ``networkName`` in the VM's spec, by one edit.

        Nothing else is edited. The keyword does not wait for the cluster. The state of cluster and VM just before the
        edit is recorded, for keywords that check the result. Several VMs are edited one after another without a pause.

        Args:
        | ``vm`` | a VM, or a list of VMs. |
        | ``nic`` | one of its NICs, not the one on the pod network. |
        | ``network`` | the network to move it to. |
        | ``networks`` | instead of ``nic`` and ``network``: a dictionary of NICs and networks, all for one edit. |
        | ``vm_state`` | the state that the VM must have at the edit, else the keyword fails. ``running``: it runs and |
        | | is not being migrated. ``migrating``: its previous change or `Evict VM` is migrating it. ``any``: not |
        | | checked. |
        | ``nad_exists`` | ``no``: the NAD does not exist yet. |
        | ``as_user`` | a user of `Create VM Owner` who makes the edit; the keyword fails if it is forbidden. Empty: |
        | | the user of this run. |

        Example:
        | Change VM Network    web    nic=secondary    network=new-network
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
                client,
                suite.recorder,
                suite.changes,
                records,
                wanted,
                vm_state=vm_state,
                nad_missing=not nad_exists,
                check=self._require_takeover_for_edit,
            )
        except ApiError as error:
            if not (as_user and error.lacks_right and error.sender == client.connection.source):
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
        """Changes binding, model or network of a running VM's NIC by one edit. Does not wait for the cluster.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | one of its NICs. |
        | ``binding`` | the new binding field of its interface; ``binding`` stands for a network binding plugin. |
        | ``model`` | its new model, such as ``e1000e``. |
        | ``network`` | its new network. |

        Example:
        | Change NIC Settings    web    nic=secondary    model=e1000e
        """
        from livenad.network_change.change_network import require_running  # noqa: PLC0415
        from livenad.network_change.nic_settings import put_edit  # noqa: PLC0415

        run, suite, record = self.run, self.suite, self.vm(vm)
        record.nic(nic)
        if not (binding or model or network):
            raise TestError(f'NIC "{nic}" of VM {vm}: no field to edit; give binding, model or network')
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
        """Waits until the cluster has processed the last change of a VM. Does not judge the result.

        Processed means:

        - after a network change: the live migration is complete. On a cluster that does not migrate automatically,
          MigrationRequired is set. On a cluster without live update, RestartRequired is set;
        - after hot-plugs and hot-unplugs: all of them are complete;
        - after a start, restart or requested migration: the VM is ready;
        - after `Stop VM`: the VM is stopped.

        If this does not happen in time, the log says so and the keyword passes, because a later keyword judges (see
        also `Close Test Namespace`). Only a VM that does not stop is a LAB ERROR.

        Args:
        | ``vm`` | a VM that was changed. |
        | ``within`` | longest wait, counted from the change. |

        Example:
        | Wait Until Change Has Settled    web    within=5 min
        """
        suite, record = self.suite, self.vm(vm)
        change, recorder, log = suite.changes.last(record.name), suite.recorder, suite.changes
        live_update, migrates = self._has("live-update"), self._has("automatic-migration")

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
        if lacks:
            suite.changes.unmet.append(UnmetWait(change, "the cluster to process it", within.total_seconds(), lacks[0]))
        self._tell_settled(change, lacks, within.total_seconds())

    @keyword(name="Wait For VM Event", tags=["network change", "scenario"])
    def wait_for_vm_event(self, vm: VmName, event: VmEvent, *, within: timedelta) -> None:
        """Waits for an event of a VM, such as a running migration, so that the next keyword runs at that moment.

        | =Event= | =What it is= | =If it does not occur= |
        | ``launcher pod created`` | a VM of `Start VMs` is starting | LAB ERROR |
        | ``migration created`` | a migration object for the network change | passes, see `Close Test Namespace` |
        | ``migration running`` | the nodes have begun that migration | FAIL; LAB ERROR if it ended unseen |
        | ``evacuation running`` | the nodes have begun the migration for `Evict VM` | the same |
        | ``warning reported`` | a Warning event about that migration, its target pod or the VMI | passes |

        Args:
        | ``vm`` | a VM that was started or changed. |
        | ``event`` | one of the table. |
        | ``within`` | longest wait, from now on. |

        Example:
        | Wait For VM Event    web    migration running    within=2 min
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
            look_every=_EVENT_SECONDS,
        )
        if not seen and event in ("launcher pod created", "migration running", "evacuation running"):
            limit, now = human(within.total_seconds()), vm_summary(history, record.name)
            if event == "launcher pod created":
                raise LabError(f"{title}: expected a launcher pod within {limit}; {now}")
            evacuated = event == "evacuation running"
            change = suite.changes.last(record.name, "evict" if evacuated else "network")
            if passed := passed_unseen(history, change):
                raise LabError(
                    f"{change.title}: migration {record.namespace}/{meta(passed, 'name')} has ended before it was seen "
                    "under way: the API server's watch was late; run the suite again"
                )
            fault = NotReached(f"{change.title}: expected a migration to be under way within {limit} of now; {now}")
            raise fault_or_undecided(history, change, fault)
        # KubeVirt 1.8 writes to its log only that a NAD is missing.
        if not seen and event != "warning reported":
            change, seconds = suite.changes.last(record.name, "network"), within.total_seconds()
            suite.changes.unmet.append(UnmetWait(change, f"a {event}", seconds, vm_summary(history, record.name)))
        step(f"{title}: {seen or f'no {event}'}")

    @keyword(name="NIC Change Should Have Completed", tags=["network change", "core"])
    def nic_change_should_have_completed(self, vm: VmName | list[VmName], *, nic: NicName, within: timedelta) -> None:
        """Fails unless the last change of a NIC is complete in time.

        A *network change* is complete when all of this holds at the same time:

        - the migration object that the cluster created for the edit is Succeeded;
        - the VMI's ``status.migrationState`` is completed for that object, and not failed;
        - the VMI is on the target node;
        - MigrationRequired is not set;
        - the launcher pod's network-status names the new network for the NIC.

        A *network change of a VM that was starting or migrating* is complete when the VMI's spec and the launcher pod
        name the network of the last edit, MigrationRequired is not set, and no migration of the VM goes on any more.

        A *hot-plug* is complete when the VMI's spec has the NIC, the VMI's status reports it with its MAC from the
        domain and from Multus, the launcher pod's network-status has it on its network, and no migration is required or
        running.

        A *hot-unplug* is complete when the NIC is gone from the specs of VM and VMI, from the VMI's status and from the
        launcher pod's network-status, and no migration is required or running.

        If a list of VMs is given, each VM is judged. The log then shows a chart of the order of their migrations.

        Args:
        | ``vm`` | a VM, or a list of VMs. |
        | ``nic`` | the NIC that was changed, plugged or unplugged. |
        | ``within`` | longest wait, counted from the change; for several VMs from the first change. |

        Example:
        | NIC Change Should Have Completed    web    nic=secondary    within=5 min
        """
        limit = within.total_seconds()
        if isinstance(vm, list):
            judge_queue(self.run, [self._network_change(name, nic) for name in vm], limit)
            return
        change = self._change_of_nic(vm, nic)
        left = change.at + limit - time.monotonic()
        if isinstance(change, NicHotplug):
            self._await(change, lambda history: is_settled(history, change), left, "not done")
            self.judge(judge_nic_change, change, limit)
            return
        edit = self._network_change(vm, nic)
        if edit.vm_state in ("starting", "migrating"):
            self._await(edit, lambda history: not missing_effect(history, edit), left, "not in effect")
            self.judge(judge_last_edit, edit, limit, since=edits_of(edit)[0])
        else:
            self._await(edit, lambda history: is_complete(history, edit), left, "not complete")
            self.judge(judge_completion, edit, limit)

    def _await(self, change: Change, test: Callable[[History], bool], left: float, seen: str) -> None:
        """Wait until ``test`` holds, or held before a migration with a cause outside the run."""
        self.suite.recorder.wait_for(
            lambda history: reached(history, change, test), left, change.title, lambda: seen, vms={change.vm}
        )

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

    def _require_takeover_for_edit(self, record: VmRecord) -> None:
        """An edit moves a VM where the cluster migrates it by itself."""
        if self._has("live-update") and self._has("automatic-migration"):
            self.require_takeover(record)

    def _has(self, name: CapabilityName) -> bool:
        return bool(self.run.capabilities.measured(name).there)

    def _user(self, name: str) -> Cluster:
        users = self.suite.users
        if name not in users:
            raise TestError(
                f'user "{name}" does not exist; call `Create VM Owner`; existing users: {", ".join(users) or "none"}'
            )
        return users[name]

    def _tell_settled(self, change: Change, lacks: list[str], within: float) -> None:
        after = f"{human(time.monotonic() - change.at)} after {change.what}"
        if isinstance(change, NicHotplug):
            for one in self.suite.changes.hotplugs(change.vm):
                known = decided_at(self.history, one, lambda history, one=one: is_settled(history, one))  # type: ignore[misc]
                _tell_facts(one, facts_of(known or self.history, one), "done")
        elif isinstance(change, NetworkChange) and change.vm_state != "stopped":
            known = decided_at(self.history, change, lambda history: is_complete(history, change))
            _tell_facts(change, five_facts(known or self.history, change), "complete")
            timeline(self.history, change, within)
        elif lacks:
            step(f"{change.title}: NOT settled {after}: {', '.join(lacks)}")
        else:
            step(f"{change.title}: settled {after}")
        if change.action == "evict" and (edits := self.suite.changes.of(NetworkChange, change.vm)):
            timeline(self.history, edits[-1], within)


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
    details("Facts that make the change complete", "\n".join(_fact_line(fact, change) for fact in facts))


def _fact_line(fact: Fact, change: Change) -> str:
    when = f" (since {human(fact.since - change.at)} after the edit)" if fact.since and fact.since > change.at else ""
    return f"{'yes' if fact.holds else 'NO '}  {fact.name}: {fact.seen}{when}"
