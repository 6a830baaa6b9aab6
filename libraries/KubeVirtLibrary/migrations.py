# SPDX-License-Identifier: Apache-2.0
"""Keywords: live migrations, on request and by the cluster, one that fails, and VMs that must stay on their node."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Literal

from livenad.api.status import vm_summary
from livenad.changes import NetworkChange, edits_of
from livenad.errors import TestError
from livenad.migrations.judge_evacuation import judge_evacuated, missing_to_evacuated
from livenad.migrations.judge_induced_failure import judge_kept_in_place, judge_recovered
from livenad.migrations.judge_migrations import (
    judge_migrated_on_request,
    judge_migrated_times,
    judge_not_migrated,
    judge_one_migration,
)
from livenad.migrations.judge_never_moved import judge_never_moved, moves_nothing, started
from livenad.migrations.judge_stayed import has_left, judge_stayed, judge_waiting, require_control
from livenad.text import human
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import step
from KubeVirtLibrary.types import VmName


class MigrationKeywords(KeywordComponent):
    """A migration object that the cluster made by itself is told from one that a user asked for."""

    @keyword(name="Migrate VM", tags=["migrations", "core"])
    def migrate_vm(self, vm: VmName) -> None:
        """Requests a live migration of a running VM, as ``virtctl migrate`` does, and does not wait for it.

        The user of this run needs the right to update ``virtualmachines/migrate``. The namespace role ``edit`` does not
        include it.

        Args:
        | ``vm`` | a VM that runs. |

        Example:
        | Migrate VM    web
        | Wait Until Change Has Settled    web    within=5 min
        | VM Should Have Been Migrated    web    requested_by=user
        """
        from livenad.virtual_machines.actions import request_action  # noqa: PLC0415 - slow to import

        run, suite, record = self.run, self.suite, self.vm(vm)
        suite.recorder.catch_up()
        self.require_takeover(record)
        change = request_action(run.cluster, suite.recorder, record, "migrate")
        suite.changes.add(change)
        step(f"{change.title}: migrate requested; it is on {change.node or 'no node'}")

    @keyword(name="Evict VM", tags=["migrations", "scenario"])
    def evict_vm(self, vm: VmName, *, vm_state: Literal["running", "migrating"] = "running") -> None:
        """Evicts the launcher pod of a running VM, as ``kubectl drain`` does, and does not wait for its migration.

        KubeVirt refuses the eviction (429) and live-migrates the VM instead. The keyword ends when KubeVirt has marked
        the VMI for evacuation from its node. It fails if the eviction is granted, because that ends the guest. A VM
        that an eviction would not migrate is a TEST ERROR.

        Call `Cluster Should Offer` ``eviction`` first.

        Args:
        | ``vm`` | a VM that runs, with ``eviction_strategy=LiveMigrate`` of `Define VM`. |
        | ``vm_state`` | ``migrating``: a migration of the VM must be under way when it is evicted, otherwise it is a |
        | | LAB ERROR. |

        Example:
        | Change VM Network    db    nic=secondary    network=new-network
        | Wait For VM Event    db    migration running    within=2 min
        | Evict VM    db    vm_state=migrating
        """
        from livenad.migrations.eviction import evict  # noqa: PLC0415 - slow to import

        run, suite, record = self.run, self.suite, self.vm(vm)
        change = evict(run.cluster, suite.recorder, record, migrating=vm_state == "migrating")
        suite.changes.add(change)
        step(f"{change.title}: evicted from {change.node}; KubeVirt has marked it for evacuation")

    @keyword(name="VM Should Have Been Evacuated", tags=["migrations", "scenario"])
    def vm_should_have_been_evacuated(self, vm: VmName, *, within: timedelta, migrations: int | None = None) -> None:
        """Fails unless an evicted VM left its node by live migration, and nothing is left of the eviction.

        The same VMI was seen on another node after the eviction; it may have come back since. The VMI has neither
        ``status.evacuationNodeName`` nor the condition EvictionRequested any more. Every migration of the VM has ended.

        Args:
        | ``vm`` | a VM of `Evict VM`. |
        | ``within`` | longest wait, counted from the eviction. |
        | ``migrations`` | number of migrations since the eviction; one that was under way then counts. Left out: any. |

        Example:
        | Evict VM    db
        | VM Should Have Been Evacuated    db    within=5 min    migrations=1
        """
        suite, limit = self.suite, within.total_seconds()
        change = suite.changes.last(self.vm(vm).name, "evict")
        suite.recorder.wait_for(
            lambda history: not missing_to_evacuated(history, change),
            change.at + limit - time.monotonic(),
            f"{change.title}: evacuated",
            lambda: next(iter(missing_to_evacuated(self.history, change)), ""),
            vms={change.vm},
        )
        self.judge(judge_evacuated, change, limit, migrations)

    @keyword(name="Induce Migration Failure", tags=["migrations", "scenario"])
    def induce_migration_failure(self, vm: VmName, *, within: timedelta) -> None:
        """Makes the migration for the last network change of a VM fail, once, by deleting its target launcher pod.

        The keyword waits for the target pod, deletes it, and waits until the migration object is Failed. If the
        migration ends before the deletion, it is a LAB ERROR. Judges nothing.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``within`` | longest wait for the target pod, and again for the migration to fail. |

        Example:
        | Change VM Network    db    nic=secondary    network=new-network
        | Induce Migration Failure    db    within=2 min
        | Wait Until Change Has Settled    db    within=5 min
        """
        from livenad.migrations.induced_failure import induce_failure  # noqa: PLC0415 - slow to import

        run, suite, name = self.run, self.suite, self.vm(vm).name
        change = suite.changes.network_change(name)
        failure = induce_failure(run.cluster, suite.recorder, change, within.total_seconds())
        suite.induced_failures[name] = failure
        since = human(failure.at - change.at)
        step(
            f"{change.title}: target pod {failure.pod} deleted {since} after the edit, migration "
            f"{failure.migration} is Failed"
        )

    @keyword(name="VM Should Have Been Migrated", tags=["migrations", "core"])
    def vm_should_have_been_migrated(
        self, vm: VmName, *, times: int = 1, requested_by: Literal["cluster", "user"] = "cluster"
    ) -> None:
        """Fails unless a VM was migrated exactly a number of times, each time successfully.

        - ``times=1``: the cluster made one migration after the last network change, and made it for this change. After
          `Induce Migration Failure` the failed migration does not count, and a later one must have succeeded.
        - ``times=2`` or more: counted are the migrations that the cluster made since the first network change.
        - ``times=0``: there was no migration since the first change of the VM's networks or NICs, or since its last
          start or restart if that came later. For a VM that was never changed: since it was first seen running. If it
          was never seen running, the keyword fails with a LAB ERROR.
        - ``requested_by=user``: since `Migrate VM` there was its migration and no other. The same VMI runs on another
          node.

        Args:
        | ``vm`` | a VM that was changed or migrated; with ``times=0`` also one that was left alone. |
        | ``times`` | number of migrations. |
        | ``requested_by`` | who requested the migration: the cluster by itself, or a user by `Migrate VM`. |

        Example:
        | VM Should Have Been Migrated    web
        | VM Should Have Been Migrated    old-peer    times=0
        """
        suite, name = self.suite, self.vm(vm).name
        if requested_by == "user":
            if times != 1:
                raise TestError(f"times is {times}; expected 1 for a migration that a user requested")
            self.judge(judge_migrated_on_request, suite.changes.last(name, "migrate"))
        elif times == 0:
            self.judge(judge_not_migrated, self.judged_since(vm))
        elif failure := suite.induced_failures.get(name):
            self.judge(judge_recovered, failure, since=failure.change)
        elif times == 1:
            self.judge(judge_one_migration, suite.changes.network_change(name))
        else:
            last = suite.changes.network_change(name)
            self.judge(judge_migrated_times, last, times, since=edits_of(last)[0])

    @keyword(name="VM Should Have Stayed On Its Node", tags=["migrations", "core"])
    def vm_should_have_stayed_on_its_node(
        self, vm: VmName, *, control: VmName | None = None, duration: timedelta = timedelta()
    ) -> None:
        """Fails if a VM was migrated, moved or restarted, or its pod changed network, since the VM's network was
        edited.

        All states since before the edit are judged. The keyword judges when ``duration`` since the edit has passed.
        With ``control`` it judges when the cluster has migrated the control, which was edited later: so the cluster had
        time to migrate the VM, too. If the control was not migrated, it is a LAB ERROR. If the cluster migrates no VM
        for such an edit, the control has RestartRequired, and ``duration`` counts as without a control.

        Special cases:

        - The edit put the NIC back on the network that it had: neither MigrationRequired nor RestartRequired may have
          been set. A migration that the cluster created before the edit back, and then cancelled, is accepted.
          ``control`` is required.
        - The NAD of the new network does not exist: a pending migration that waits for the NAD is accepted.
        - After `Induce Migration Failure`: the keyword judges the time until the next migration has copied the guest.
          MigrationRequired must stay set.
        - The VM was never changed: judged are the states since it was first seen running. If it was never seen running,
          the keyword fails with a LAB ERROR.

        Args:
        | ``vm`` | a VM whose network was changed, or that was left alone. |
        | ``control`` | a second VM that can be migrated, whose network was changed after that of ``vm``. |
        | ``duration`` | the keyword judges when this time since the edit has passed. |

        Example:
        | VM Should Have Stayed On Its Node    old-peer    control=web    duration=5 s
        """
        suite, name = self.suite, self.vm(vm).name
        if not suite.changes.has(name):
            self._judge_left_alone(vm, control, duration.total_seconds())
            return
        change, seconds = suite.changes.network_change(name), duration.total_seconds()
        other = suite.changes.network_change(self.vm(control).name) if control is not None else None
        if failure := suite.induced_failures.get(name):
            self.judge(judge_kept_in_place, failure, since=failure.change)
        elif change.nad_missing:
            self.judge(judge_waiting, change)
        elif moves_nothing(change):
            self._judge_never_moved(change, other, seconds)
        elif other is not None:
            self._judge_beside_control(change, other, seconds)
        else:
            self._look(change, seconds)
            self.judge(judge_stayed, change)

    def _judge_left_alone(self, vm: VmName, control: VmName | None, seconds: float) -> None:
        """A VM that was never changed, since it was first seen running."""
        seen, recorder = self.judged_since(vm), self.suite.recorder
        recorder.wait_for(
            lambda history: has_left(history, seen),
            seen.at + seconds - time.monotonic(),
            f"{seen.title}: it stays",
            lambda: vm_summary(self.history, seen.vm),
            vms={seen.vm},
        )
        said = self.verdict(judge_stayed, seen)
        if control is not None:
            _, why = require_control(recorder.history, seen, self.suite.changes.network_change(self.vm(control).name))
            said = f"{said}; {why}"
        step(said)

    def _judge_never_moved(self, change: NetworkChange, control: NetworkChange | None, seconds: float) -> None:
        if control is None:
            raise TestError(
                f"{change.title} leads back to the same network; expected control=<VM>, a VM that is moved meanwhile: "
                "without a control, a VM that stays proves nothing"
            )
        left = change.at + seconds - time.monotonic()
        self.suite.recorder.wait_for(
            lambda history: started(history, change),
            left,
            f"{change.title}: nothing happens",
            lambda: "nothing",
            vms={change.vm},
        )
        self.judge(judge_never_moved, change, control, seconds, since=edits_of(change)[0])

    def _judge_beside_control(self, change: NetworkChange, control: NetworkChange, seconds: float) -> None:
        recorder = self.suite.recorder
        recorder.catch_up()
        # A VM that has left is the product's fault, whatever became of its control.
        if has_left(recorder.history, change):
            self.verdict(judge_stayed, change)
        moved, why = require_control(recorder.history, change, control)
        if not moved:
            self._look(change, seconds)
        step(f"{self.verdict(judge_stayed, change)}; {why}")

    def _look(self, change: NetworkChange, seconds: float) -> None:
        """Wait until the window ends, or the VM has left."""
        left = change.at + seconds - time.monotonic()
        self.suite.recorder.wait_for(
            lambda history: has_left(history, change),
            left,
            f"{change.title}: it stays",
            lambda: vm_summary(self.history, change.vm),
            vms={change.vm},
        )
