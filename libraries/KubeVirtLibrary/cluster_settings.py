"""Keywords: settings of the whole cluster, changed for a while."""

from __future__ import annotations

from livenad.cluster_settings.fields import Setting, check_value, value_of
from livenad.context import Run
from livenad.errors import LabError
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import step, suite_metadata, warn


class ClusterSettingKeywords(KeywordComponent):
    """For suites tagged ``disruptive``. What they change is put back, by a later run if this one is killed."""

    @keyword(name="Cluster Setting Should Be Changeable", tags=["cluster settings", "core"])
    def cluster_setting_should_be_changeable(self, setting: Setting, *, value: str) -> None:
        """Skips unless a setting has this value or may be given it. Changes nothing.

        Args:
        | ``setting`` | ``LiveUpdateNADRef``, ``workloadUpdateMethods`` or ``vmRolloutStrategy`` of KubeVirt. |
        | ``value`` | see `Change Cluster Setting`. |
        """
        check_value(setting, value)
        run = self.run
        kubevirt = run.facts.kubevirt
        if kubevirt is not None and kubevirt.name and value_of(setting, kubevirt) == value:
            step(f"{setting.name} is {value} already")
        else:
            step(f"{setting.name} may be switched: {run.capabilities.require('settings-switch')}")

    @keyword(name="Change Cluster Setting", tags=["cluster settings", "core"])
    def change_cluster_setting(self, setting: Setting, *, value: str) -> None:
        """Gives a setting of the whole cluster another value, waits until KubeVirt has taken it, and puts it back.

        The original value is saved on the cluster by the same patch, in an annotation of the KubeVirt resource or of
        the HyperConverged that owns it. It is put back when the test namespace closes, or by a later run when this run
        is killed. Changes nothing, and needs no right, where the setting has the value already. Skips when variable
        ALLOW_DISRUPTIVE or the user's rights forbid it.

        KubeVirt's controllers follow within a second: change settings before the VMs are started.

        Args:
        | ``setting`` | ``LiveUpdateNADRef``: ``on``, ``off``; ``vmRolloutStrategy``: ``LiveUpdate``, ``Stage``; |
        | | ``workloadUpdateMethods``: ``none``, ``LiveMigrate``, ``Evict``, ``LiveMigrate,Evict``. |
        | ``value`` | one of those. |
        """
        check_value(setting, value)
        run, suite = self.run, self.suite
        if run.cluster_settings.value(setting) == value:
            step(f"{setting.name} is {value} already; nothing is changed")
            return
        run.capabilities.require("settings-switch")
        suite.before_closing(lambda: _restore(run))
        was = run.cluster_settings.switch(setting, value, suite.namespace.name)
        suite_metadata("Switched for this suite", f"{setting.name} from {was} to {value}", top=False)
        step(f"{setting.name} is {value}, was {was}")


def _restore(run: Run) -> None:
    """Put back what was changed. What others have changed meanwhile stays, with a warning."""
    try:
        for remark in run.cluster_settings.restore():
            warn(f"Settings of the cluster: {remark}")
    except LabError as error:
        warn(f"Settings of the cluster could not be put back: {error}. `Delete Orphaned Resources` tries again.")
        suite_metadata("OrphanedResources", f"settings of the cluster: {error}", top=False)
