"""Keywords: what the cluster's monitoring says of a VM's NICs."""

from __future__ import annotations

import enum
import time
from datetime import timedelta

from livenad.context import Run
from livenad.errors import BadInput, CapabilityMissing
from livenad.metrics.nic_series import (
    Memory,
    Poller,
    judge_new_network,
    judge_old_network_gone,
    judge_others_unchanged,
    remember,
)
from livenad.metrics.series import VM_METRIC, VMI_METRIC
from livenad.network_change.completion import NetworkSwap
from robot.api.deco import keyword

from KubeVirtLibrary.reporting import details, heartbeat, step
from KubeVirtLibrary.swaps import swap_of


class Described(enum.Enum):
    """Of what a metric speaks: the VM's definition, or the VM as it runs."""

    VM = VM_METRIC
    VMI = VMI_METRIC


class MonitoringKeywords:
    """Verdicts on the metrics that name the network of each NIC."""

    def __init__(self) -> None:
        self._memories: dict[tuple[str, str], Memory] = {}

    @keyword(name="Remember Monitoring", tags=["vm"])
    def remember_monitoring(self, vm: str, *, within: timedelta) -> None:
        """Chooses where metrics are read, and waits until they name each NIC of a VM once, on its network.

        Read are Thanos by its Route, else Prometheus, else virt-controller's pods: the first that we may read and
        that knows KubeVirt. A failure is the lab's; without any source the test is skipped.

        Args:
        | ``vm`` | a VM that runs and is not edited yet. |
        | ``within`` | for how long at most, from now on: a scrape comes every 30 seconds or so. |
        """
        from livenad.metrics.sources import find_source  # noqa: PLC0415 - an HTTP client is slow to import

        run = Run.current()
        record, kubevirt = run.vm(vm), run.require_facts().kubevirt
        namespace = kubevirt.namespace if kubevirt else ""
        source, reasons = find_source(run.cluster, namespace, run.settings.monitoring_url)
        if source is None:
            raise CapabilityMissing(f"capability metrics is not there: {'; '.join(reasons)}")
        poller = Poller(source, vm, record.namespace, heartbeat)
        memory = remember(poller, record, time.monotonic() + within.total_seconds())
        self._memories[record.namespace, vm] = memory
        step(f"VM {record.namespace}/{vm}: one series for each NIC, read from {source.title}")
        if reasons:
            details("Why no other source", "\n".join(reasons))

    @keyword(name="Monitoring Should Show New Network", tags=["verdict"])
    def monitoring_should_show_new_network(self, vm: str, *, nic: str, of: Described, within: timedelta) -> None:
        """Fails unless a metric has a series of a NIC on its new network, with the binding that it had.

        Args:
        | ``vm`` | a VM of `Remember Monitoring` whose network was changed afterwards. |
        | ``nic`` | the NIC that was edited. |
        | ``of`` | ``VMI``: kubevirt_vmi_vnic_info, or ``VM``: kubevirt_vm_vnic_info. |
        | ``within`` | for how long it may take, counted from the edit. |
        """
        swap, memory, poller = self._edited(vm, nic)
        step(judge_new_network(poller, swap, memory, of.value, _deadline(swap, within)))

    @keyword(name="Monitoring Should Not Show Old Network", tags=["verdict"])
    def monitoring_should_not_show_old_network(self, vm: str, *, nic: str, within: timedelta) -> None:
        """Fails when a series of a NIC with its old network remains, in either metric.

        Args:
        | ``vm`` | a VM of `Remember Monitoring` whose network was changed afterwards. |
        | ``nic`` | the NIC that was edited. |
        | ``within`` | for how long it may remain, counted from the edit. |
        """
        swap, _, poller = self._edited(vm, nic)
        step(judge_old_network_gone(poller, swap, _deadline(swap, within)))

    @keyword(name="Monitoring Of Other NICs Should Be Unchanged", tags=["verdict"])
    def monitoring_of_other_nics_should_be_unchanged(self, vm: str, *, nic: str, within: timedelta) -> None:
        """Fails when a series of a NIC that was not edited differs from what it was before the edit.

        Args:
        | ``vm`` | a VM of `Remember Monitoring` whose network was changed afterwards. |
        | ``nic`` | the NIC that was edited. |
        | ``within`` | for how long monitoring may take to note the edit, counted from it. |
        """
        swap, memory, poller = self._edited(vm, nic)
        step(judge_others_unchanged(poller, swap, memory, _deadline(swap, within)))

    def _edited(self, vm: str, nic: str) -> tuple[NetworkSwap, Memory, Poller]:
        run = Run.current()
        swap = swap_of(run, vm)
        if swap.nic != nic:
            raise BadInput(f'NIC "{nic}" of VM {swap.namespace}/{vm} was not edited; NIC "{swap.nic}" was')
        memory = self._memories.get((swap.namespace, vm))
        if memory is None:
            raise BadInput(f"monitoring of VM {swap.namespace}/{vm} is not known; call `Remember Monitoring` first")
        return swap, memory, Poller(memory.source, vm, swap.namespace, heartbeat)


def _deadline(swap: NetworkSwap, within: timedelta) -> float:
    return swap.at + within.total_seconds()
