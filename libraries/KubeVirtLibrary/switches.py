"""Keywords: settings of the whole cluster, changed for a while."""

from __future__ import annotations

from livenad.cluster.capabilities import require_offer
from livenad.cluster.facts import read_kubevirt
from livenad.cluster_settings.fields import Setting, check_value, value_of
from livenad.cluster_settings.switching import Switchboard, as_before
from livenad.context import Run
from livenad.errors import LabError
from robot.api.deco import keyword

from KubeVirtLibrary.reporting import heartbeat, step, suite_metadata, warn


class SwitchKeywords:
    """For suites tagged ``disruptive``. What they change is put back, by a later run if this one is killed."""

    @keyword(name="Cluster Setting Should Be Within Reach", tags=["cluster"])
    def cluster_setting_should_be_within_reach(self, setting: Setting, *, value: str) -> None:
        """Skips unless a setting has this value or may be given it. Changes nothing, so it can be asked first of all.

        Args:
        | ``setting`` | ``LiveUpdateNADRef``, ``workloadUpdateMethods`` or ``vmRolloutStrategy`` of KubeVirt. |
        | ``value`` | see `Switch Cluster Setting`. |
        """
        run = Run.current()
        check_value(setting, value)
        kubevirt = run.require_facts().kubevirt
        if kubevirt is not None and kubevirt.name and value_of(setting, kubevirt) == value:
            step(f"{setting.name} is {value} already")
        else:
            step(f"{setting.name} may be switched: {require_offer(run, 'settings-switch')}")

    @keyword(name="Switch Cluster Setting", tags=["cluster"])
    def switch_cluster_setting(self, setting: Setting, *, value: str) -> None:
        """Gives a setting of the whole cluster another value and waits until KubeVirt has taken it.

        What was there before is saved on the cluster by the same patch, in an annotation of the KubeVirt resource or of
        the HyperConverged that owns it. It is put back by `Restore Cluster Settings`, when the test namespace closes,
        or by a later run's `Open Cluster` or `Delete Leftovers` when this run is killed. Changes nothing, and needs no
        right, where the setting has the value already. Skips when variable ALLOW_DISRUPTIVE or our rights forbid it.

        KubeVirt's controllers follow within a second: switch before the VMs are started.

        Args:
        | ``setting`` | ``LiveUpdateNADRef``: ``on``, ``off``; ``vmRolloutStrategy``: ``LiveUpdate``, ``Stage``; |
        | | ``workloadUpdateMethods``: ``none``, ``LiveMigrate``, ``Evict``, ``LiveMigrate,Evict``. |
        | ``value`` | one of those. |
        """
        run = Run.current()
        check_value(setting, value)
        namespace = run.require_namespace()
        board = _board(run)
        if board.value(setting) == value:
            step(f"{setting.name} is {value} already; nothing is changed")
            return
        require_offer(run, "settings-switch")
        run.before_namespace_closes(lambda: _restore(run))
        was = board.switch(setting, value, namespace)
        suite_metadata("Switched for this suite", f"{setting.name} from {was} to {value}", top=False)
        step(f"{setting.name} is {value}, was {was}")

    @keyword(name="Restore Cluster Settings", tags=["cluster", "cleanup"])
    def restore_cluster_settings(self) -> None:
        """Puts back what `Switch Cluster Setting` changed; nothing, where nothing was changed.

        What somebody else has changed meanwhile stays as he left it, with a warning. So is what cannot be put back a
        warning and suite metadata, never a failure.
        """
        run = Run.current_or_none()
        if run is not None:
            _restore(run)


def restore_after_dead_runs(run: Run, *, dry_run: bool = False) -> None:
    """Put back what a dead run changed; where a living one has changed settings, go by what was there before."""
    board = _board(run)
    try:
        note = board.foreign_note(read_kubevirt(run.cluster))
        if note is None:
            return
        for line in board.take_back_of_dead_runs(dry_run=dry_run):
            warn(f"{'Would put' if dry_run else 'Put'} back: {line}")
        if run.facts is not None:
            run.facts = as_before(run.facts, note)
    except LabError as error:
        warn(f"What another run changed in the settings of the cluster could not be put back: {error}")


def _board(run: Run) -> Switchboard:
    return Switchboard(run.cluster, run.run_id, heartbeat)


def _restore(run: Run) -> None:
    try:
        for remark in _board(run).restore():
            warn(f"Settings of the cluster: {remark}")
    except LabError as error:
        warn(f"Settings of the cluster could not be put back: {error}. `Delete Leftovers` tries again.")
        suite_metadata("Leftovers", f"settings of the cluster: {error}", top=False)
