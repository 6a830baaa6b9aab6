# SPDX-License-Identifier: Apache-2.0
"""Keywords: conditions of VM and VMI that ask for a migration or a restart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from livenad.api.history import History
from livenad.changes import NetworkChange, NicSettingsChange
from livenad.conditions.judge_conditions import (
    MIGRATION,
    RESTART,
    Condition,
    is_required,
    is_restart_required,
    judge_migration_required,
    judge_never_set,
    judge_restart_never_required,
    judge_restart_not_left,
    judge_restart_required,
    judge_restart_stays_required,
    judge_settled,
    judge_still_reported_pending,
    required_actions,
)
from livenad.errors import TestError
from livenad.migrations.judge_stayed import has_left, require_control
from livenad.observation import judge_conditions_never_set
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import step
from KubeVirtLibrary.types import VmName


class ConditionKeywords(KeywordComponent):
    """RestartRequired is a condition of the VM, MigrationRequired one of its VMI."""

    @keyword(name="Condition Should Be Set", tags=["conditions", "core"])
    def condition_should_be_set(
        self, vm: VmName, *conditions: Condition, within: timedelta, control: VmName | None = None
    ) -> None:
        """Fails unless a condition was set after the last change of a VM, and is still set.

        - With MigrationRequired alone, the VMI's spec must also have the edit, and RestartRequired must never have been
          set.
        - With both conditions, one of them must be set now. The one that was set first must not have been cleared.

        With ``control`` the cluster must have had time to clear a condition wrongly: the control was migrated for its
        edit, or has RestartRequired. Otherwise it is a LAB ERROR.

        Args:
        | ``vm`` | a VM of `Change VM Network` or `Change NIC Settings`. |
        | ``conditions`` | ``RestartRequired``, ``MigrationRequired``, or both. |
        | ``within`` | longest wait, from now on. |
        | ``control`` | a second VM that can be migrated, whose network was changed after that of ``vm``. |

        Example:
        | Condition Should Be Set    web    RestartRequired    within=1 min
        """
        suite = self.suite
        _require_named(conditions)
        change = suite.changes.last(self.vm(vm).name, "network", "nic settings")
        if isinstance(change, NicSettingsChange):
            if set(conditions) != {RESTART}:
                raise TestError(
                    f"conditions are {', '.join(conditions)}; expected {RESTART} alone after `Change NIC Settings`, "
                    "which no migration can bring about"
                )
            self._wait(lambda history: is_restart_required(history, change), within, change.vm)
            self.judge(judge_restart_stays_required, change)
            return
        edit = suite.changes.network_change(change.vm)
        if len(set(conditions)) == 1:
            (condition,) = set(conditions)
            self._wait(lambda history: is_required(history, edit, condition), within, edit.vm)
            self.judge(judge_migration_required if condition == MIGRATION else judge_restart_required, edit)
            return
        if not has_left(self.history, edit):
            self._wait(lambda history: any(is_required(history, edit, one) for one in conditions), within, edit.vm)
        said = self.verdict(judge_still_reported_pending, edit)
        if control is not None:
            _, why = require_control(self.history, edit, suite.changes.network_change(self.vm(control).name))
            said = f"{said}; {why}"
        step(said)

    @keyword(name="Condition Should Never Have Been Set", tags=["conditions", "core"])
    def condition_should_never_have_been_set(self, vm: VmName, *conditions: Condition) -> None:
        """Fails if a condition was set at any time since a VM was changed, however briefly.

        Every state in a window up to now is judged. The window starts just before the first change of the VM's networks
        or NICs, or just before its last start or restart if that came later. For a VM that was never changed it starts
        when the VM was first seen running. If the VM was never seen running, the keyword fails with a LAB ERROR.

        Args:
        | ``vm`` | a VM that was changed, or that was started and left alone. |
        | ``conditions`` | ``RestartRequired``, ``MigrationRequired``, or both. |

        Example:
        | Condition Should Never Have Been Set    web    RestartRequired
        """
        _require_named(conditions)
        change = self.judged_since(vm)
        if change.action == "seen running":
            self.judge(judge_conditions_never_set, change, conditions)
        elif isinstance(change, NetworkChange) and conditions == (RESTART,):
            self.judge(judge_restart_never_required, change)
        else:
            self.judge(judge_never_set, change, conditions)

    @keyword(name="Condition Should Have Been Cleared", tags=["conditions", "core"])
    def condition_should_have_been_cleared(
        self, vm: VmName, *conditions: Condition, within: timedelta = timedelta()
    ) -> None:
        """Fails if a condition is still set on a VM that was restarted or migrated for its edit.

        If the VM was edited while it was starting, RestartRequired may be set until the VM can be live-migrated: later
        versions than KubeVirt 1.9 set it on a VM that cannot migrate yet, and clear it later.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``conditions`` | ``RestartRequired``, ``MigrationRequired``, or both. |
        | ``within`` | longest wait, from now on. |

        Example:
        | Condition Should Have Been Cleared    web    MigrationRequired    within=1 min
        """
        _require_named(conditions)
        change = self.suite.changes.network_change(self.vm(vm).name)
        if change.vm_state == "starting" and conditions == (RESTART,):
            self.judge(judge_restart_not_left, change)
            return
        self._wait(lambda history: not required_actions(history, change, conditions), within, change.vm)
        self.judge(judge_settled, change, conditions)

    def _wait(self, condition: Callable[[History], bool], within: timedelta, vm: str) -> None:
        self.suite.recorder.wait_for(
            condition, within.total_seconds(), f"conditions of VM {vm}", lambda: "not yet", vms={vm}
        )


def _require_named(conditions: tuple[Condition, ...]) -> None:
    """A verdict on no condition would hold whatever happened."""
    if not conditions:
        raise TestError(f"no condition is named; expected {RESTART}, {MIGRATION} or both")
