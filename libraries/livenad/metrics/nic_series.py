# SPDX-License-Identifier: Apache-2.0
"""The metrics of a VM's NICs before and after an edit. Metrics cannot be watched, so they are polled."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from livenad.api.bounded import within
from livenad.api.recorder import HEARTBEAT_SECONDS, LAST_LOOK_SECONDS
from livenad.changes import NetworkChange
from livenad.errors import LabError
from livenad.metrics.judge_series import METRICS, Shown, listed, old_series
from livenad.metrics.series import POD_NETWORK, Unread, Vnic, vnics
from livenad.metrics.sources import Source
from livenad.model import VmRecord
from livenad.text import human

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.4, 10.0, 1.4

Heartbeat = Callable[[str], None]


@dataclass(frozen=True)
class MetricsBaseline:
    """The series before the edit, and their source."""

    source: Source
    shown: Shown


class Poller:
    """Polls metrics until they are as expected. ``pause`` sleeps; ``clock`` is monotonic."""

    def __init__(
        self,
        source: Source,
        vm: str,
        namespace: str,
        heartbeat: Heartbeat,
        *,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self.title = f"VM {namespace}/{vm}"
        self._labels = {"namespace": namespace, "name": vm}
        self._heartbeat = heartbeat
        self._pause = pause
        self._clock = clock

    def until(self, right: Callable[[Shown], bool], deadline: float, awaited: str) -> Shown:
        """The series as soon as they are as expected, else those at ``deadline``; they are read at least once.

        Raises LabError when the source could not be read at the end.
        """
        pause, beat = _FIRST_PAUSE, self._clock() + HEARTBEAT_SECONDS
        while True:
            trouble, shown = "", Shown()
            try:
                shown = self._read(deadline - self._clock())
                if right(shown):
                    return shown
            except Unread as unread:
                trouble = str(unread)
            left = deadline - self._clock()
            if left <= 0:
                if trouble:
                    raise LabError(f"{self.title}: metrics can no longer be read, so nothing can be judged: {trouble}")
                return shown
            if self._clock() >= beat:
                self._heartbeat(f"{awaited}; {human(left)} left")
                beat = self._clock() + HEARTBEAT_SECONDS
            self._pause(min(pause, left))
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)

    def _read(self, left: float) -> Shown:
        """Its requests have limits of their own, of which several follow each other."""
        limit = max(LAST_LOOK_SECONDS, left)
        try:
            return within(
                limit, lambda: {metric: vnics(self.source.series(metric, self._labels)) for metric in METRICS}
            )
        except TimeoutError:
            raise Unread(f"{self.source.title}: silent for {human(limit)}") from None


def record_baseline(poller: Poller, record: VmRecord, deadline: float) -> MetricsBaseline:
    """Wait until both metrics have one series of each NIC, with its network. LabError when they do not."""
    expected = {(nic.name, nic.network or POD_NETWORK) for nic in record.nics}

    def is_right(shown: Shown) -> bool:
        return all(sorted((v.name, v.network) for v in shown[metric]) == sorted(expected) for metric in METRICS)

    shown = poller.until(is_right, deadline, f"{poller.title}: in monitoring")
    if not is_right(shown):
        wanted = ", ".join(f'"{name}" on "{network}"' for name, network in sorted(expected))
        raise LabError(
            f"{poller.title}: expected {poller.source.title} to show, before the edit, one series for each NIC: "
            f"{wanted}; it shows {_said(shown)}"
        )
    return MetricsBaseline(poller.source, shown)


def read_new_network(
    poller: Poller, change: NetworkChange, baseline: MetricsBaseline, metric: str, deadline: float
) -> tuple[Shown, Vnic]:
    """The series once one metric shows the NIC on its new network, or at ``deadline``; and the series awaited."""
    before = next(vnic for vnic in baseline.shown[metric] if vnic.name == change.nic)
    wanted = Vnic(change.nic, change.new_network, before.binding_type, before.binding_name)
    return poller.until(lambda now: wanted in now[metric], deadline, f"{metric} of {change.title}"), wanted


def read_old_network_gone(poller: Poller, change: NetworkChange, deadline: float) -> Shown:
    """The series once none of the NIC has its old network, or at ``deadline``."""

    def is_right(shown: Shown) -> bool:
        return all(shown[metric] for metric in METRICS) and not old_series(shown, change)

    return poller.until(is_right, deadline, f"{change.title}: the old series")


def read_edit_noted(poller: Poller, change: NetworkChange, deadline: float) -> Shown:
    """The series once both metrics show the edit, or at ``deadline``."""

    def noted(shown: Shown) -> bool:
        return all(any(v.network == change.new_network for v in shown[metric]) for metric in METRICS)

    return poller.until(noted, deadline, f"{change.title}: in monitoring")


def _said(shown: Shown) -> str:
    return "; ".join(f"{metric}: {listed(sorted(shown[metric]))}" for metric in METRICS)
