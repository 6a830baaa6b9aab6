# SPDX-License-Identifier: Apache-2.0
"""Keywords: settings of the whole cluster, changed for a while."""

from __future__ import annotations

from livenad.cluster_settings.fields import Setting, check_value, value_of
from livenad.context import Run
from livenad.errors import LabError
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import step, suite_metadata, warn


class ClusterSettingKeywords(KeywordComponent):
    """For suites tagged ``disruptive``. The original values are restored, by a later run if this one is killed."""

    @keyword(name="Cluster Setting Should Be Changeable", tags=["cluster settings", "core"])
    def cluster_setting_should_be_changeable(self, setting: Setting, *, value: str) -> None:
        """Skips the test unless a setting has this value already, or can be changed to it. Changes nothing.

        Args:
        | ``setting`` | ``LiveUpdateNADRef``, ``workloadUpdateMethods`` or ``vmRolloutStrategy`` of KubeVirt. |
        | ``value`` | see `Change Cluster Setting`. |

        Example:
        | Cluster Setting Should Be Changeable    workloadUpdateMethods    value=none
        """
        check_value(setting, value)
        run = self.run
        kubevirt = run.facts.kubevirt
        if kubevirt is not None and kubevirt.name and value_of(setting, kubevirt) == value:
            step(f"{setting.name} is {value} already")
        else:
            step(f"{setting.name} can be changed: {run.capabilities.require('settings-switch')}")

    @keyword(name="Change Cluster Setting", tags=["cluster settings", "core"])
    def change_cluster_setting(self, setting: Setting, *, value: str) -> None:
        """Changes a setting of the whole cluster for this suite, and waits until KubeVirt uses the new value.

        The original value is restored when the test namespace closes. It is saved in an annotation of the KubeVirt
        resource, or of the HyperConverged resource that owns it. So a later run can restore it if this run is killed.

        If the setting has the value already, nothing is changed and no right is needed. The test is skipped if variable
        ALLOW_DISRUPTIVE or the user's rights forbid the change.

        Call the keyword before the VMs are started. For up to a second after the change, KubeVirt may still treat an
        edit of a VM by the old value.

        ``LiveUpdateNADRef`` has an effect on KubeVirt 1.8 only: since 1.9 the feature cannot be turned off. Call
        `Cluster Should Offer` ``gate-off`` first: it skips the suite if the feature cannot be turned off.

        Args:
        | ``setting`` | ``LiveUpdateNADRef``: ``on``, ``off``; ``vmRolloutStrategy``: ``LiveUpdate``, ``Stage``; |
        | | ``workloadUpdateMethods``: ``none``, ``LiveMigrate``, ``Evict``, ``LiveMigrate,Evict``. |
        | ``value`` | a value listed for that setting. |

        Example:
        | Open Test Namespace    exclusive=yes
        | Change Cluster Setting    workloadUpdateMethods    value=none
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
    """Restore the original values. A setting that others have changed since stays, with a warning."""
    try:
        for remark in run.cluster_settings.restore():
            warn(f"Settings of the cluster: {remark}")
    except LabError as error:
        warn(f"Settings of the cluster could not be restored: {error}. `Delete Orphaned Resources` tries again.")
        suite_metadata("OrphanedResources", f"settings of the cluster: {error}", top=False)
