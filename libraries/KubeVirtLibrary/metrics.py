# SPDX-License-Identifier: Apache-2.0
"""Keywords: what KubeVirt's metrics say of a VM's NICs."""

from __future__ import annotations

import enum
import time
from datetime import timedelta

from livenad.changes import NetworkChange
from livenad.errors import CapabilityMissing, TestError
from livenad.metrics.judge_series import (
    Seen,
    Shown,
    judge_new_network,
    judge_old_network_gone,
    judge_others_unchanged,
)
from livenad.metrics.nic_series import (
    MetricsBaseline,
    Poller,
    read_edit_noted,
    read_new_network,
    read_old_network_gone,
    record_baseline,
)
from livenad.metrics.series import VM_METRIC, VMI_METRIC
from livenad.verdict_log import JudgedBy
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import details, heartbeat, step
from KubeVirtLibrary.types import NicName, VmName


class Metric(enum.Enum):
    """Which metric: that of the VM's spec, or that of the running instance."""

    VM = VM_METRIC
    VMI = VMI_METRIC


class MetricKeywords(KeywordComponent):
    """Verdicts on the metrics that name the network of each NIC."""

    @keyword(name="Record Metrics", tags=["metrics", "scenario"])
    def record_metrics(self, vm: VmName, *, within: timedelta) -> None:
        """Waits until the metrics show each NIC of a VM exactly once, on its network, and records them.

        The keyword also chooses where all keywords read metrics from: the first of Thanos (by its Route), Prometheus
        and the pods of virt-controller that the user may read and that has KubeVirt's metrics. If there is none, the
        test is skipped. If the metrics do not show each NIC in time, it is a LAB ERROR.

        Args:
        | ``vm`` | a VM that runs and was not changed yet. |
        | ``within`` | longest wait, from now on; Prometheus scrapes about every 30 seconds. |

        Example:
        | Record Metrics    web    within=2 min
        """
        from livenad.metrics.sources import Given, find_source  # noqa: PLC0415 - an HTTP client is slow to import

        run, record = self.run, self.vm(vm)
        namespace = run.facts.kubevirt.namespace if run.facts.kubevirt else ""
        given = Given(run.settings.monitoring_url, run.settings.monitoring_token_file)
        source, reasons = find_source(run.cluster, namespace, given)
        if source is None:
            raise CapabilityMissing(f"capability metrics is not there: {'; '.join(reasons)}")
        poller = Poller(source, record.name, record.namespace, heartbeat)
        baseline = record_baseline(poller, record, time.monotonic() + within.total_seconds())
        self.suite.metrics[record.name] = baseline
        step(f"VM {record.namespace}/{record.name}: one series for each NIC, read from {source.title}")
        if reasons:
            details("Why no other source", "\n".join(reasons))

    @keyword(name="Metrics Should Show New Network", tags=["metrics", "scenario"])
    def metrics_should_show_new_network(self, vm: VmName, *, nic: NicName, metric: Metric, within: timedelta) -> None:
        """Fails unless a metric shows a NIC on its new network, with the same binding as before.

        Args:
        | ``vm`` | a VM of `Record Metrics` whose network was changed afterwards. |
        | ``nic`` | the NIC that was changed. |
        | ``metric`` | ``VMI``: kubevirt_vmi_vnic_info, or ``VM``: kubevirt_vm_vnic_info. |
        | ``within`` | longest wait, counted from the edit. |

        Example:
        | Metrics Should Show New Network    web    nic=secondary    metric=VMI    within=5 min
        """
        change, baseline, poller = self._changed(vm, nic)
        shown, wanted = read_new_network(poller, change, baseline, metric.value, _deadline(change, within))
        self._judge(judge_new_network, poller, change, metric.value, wanted, shown=shown)

    @keyword(name="Metrics Should Not Show Old Network", tags=["metrics", "scenario"])
    def metrics_should_not_show_old_network(self, vm: VmName, *, nic: NicName, within: timedelta) -> None:
        """Fails if kubevirt_vmi_vnic_info or kubevirt_vm_vnic_info still shows a NIC on its old network.

        Args:
        | ``vm`` | a VM of `Record Metrics` whose network was changed afterwards. |
        | ``nic`` | the NIC that was changed. |
        | ``within`` | longest wait, counted from the edit. |

        Example:
        | Metrics Should Not Show Old Network    web    nic=secondary    within=5 min
        """
        change, _, poller = self._changed(vm, nic)
        shown = read_old_network_gone(poller, change, _deadline(change, within))
        self._judge(judge_old_network_gone, poller, change, shown=shown)

    @keyword(name="Metrics Of Other NICs Should Be Unchanged", tags=["metrics", "scenario"])
    def metrics_of_other_nics_should_be_unchanged(self, vm: VmName, *, nic: NicName, within: timedelta) -> None:
        """Fails if the metrics of another NIC differ from what `Record Metrics` recorded.

        Args:
        | ``vm`` | a VM of `Record Metrics` whose network was changed afterwards. |
        | ``nic`` | the NIC that was changed. |
        | ``within`` | longest wait until monitoring shows the edit, counted from the edit. |

        Example:
        | Metrics Of Other NICs Should Be Unchanged    web    nic=secondary    within=5 min
        """
        change, baseline, poller = self._changed(vm, nic)
        shown = read_edit_noted(poller, change, _deadline(change, within))
        self._judge(judge_others_unchanged, poller, change, baseline.shown, shown=shown)

    def _judge(self, verdict: JudgedBy, poller: Poller, change: NetworkChange, *wanted: object, shown: Shown) -> None:
        seen = Seen(shown, poller.source.title, time.monotonic() - change.at)
        step(self.suite.verdicts.of_samples(verdict, change, *wanted, seen))

    def _changed(self, vm: str, nic: str) -> tuple[NetworkChange, MetricsBaseline, Poller]:
        name = self.vm(vm).name
        change = self.suite.changes.network_change(name, nic)
        baseline = self.suite.metrics.get(name)
        if baseline is None:
            raise TestError(f"metrics of {change.subject} are not recorded; call `Record Metrics` before the change")
        return change, baseline, Poller(baseline.source, name, change.namespace, heartbeat)


def _deadline(change: NetworkChange, within: timedelta) -> float:
    return change.at + within.total_seconds()
