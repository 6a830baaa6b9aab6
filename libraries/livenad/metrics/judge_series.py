# SPDX-License-Identifier: Apache-2.0
"""Verdicts on the metrics of a VM's NICs after an edit. Pure; each returns what it saw."""

from __future__ import annotations

from dataclasses import dataclass

from livenad.changes import NetworkChange
from livenad.errors import LabError, ProductFault
from livenad.metrics.series import VM_METRIC, VMI_METRIC, Vnic
from livenad.text import human

METRICS = (VMI_METRIC, VM_METRIC)

Shown = dict[str, frozenset[Vnic]]
"""The series of a VM's NICs, by metric."""


@dataclass(frozen=True)
class Seen:
    """The series that ``source`` showed ``age`` seconds after the edit."""

    shown: Shown
    source: str
    age: float


def judge_new_network(change: NetworkChange, metric: str, wanted: Vnic, seen: Seen) -> str:
    """One metric has a series of the NIC on its new network, with the binding that it had."""
    if wanted not in seen.shown[metric]:
        mine = sorted(vnic for vnic in seen.shown[metric] if vnic.name == change.nic)
        none_of = f'no series of NIC "{change.nic}"'
        raise ProductFault(
            f"{change.title}: expected {metric} to show {wanted}; {human(seen.age)} after the edit {seen.source} shows "
            f"{listed(mine) if mine else none_of}"
        )
    return f"{change.title}: {metric} shows {wanted}, read from {seen.source}"


def judge_old_network_gone(change: NetworkChange, seen: Seen) -> str:
    """No series of the NIC has its old network. LabError when the VM has no series at all."""
    if left := old_series(seen.shown, change):
        metric, found = next(iter(left.items()))
        raise ProductFault(
            f"{change.title}: expected no series with the old network; {human(seen.age)} after the edit {metric} of "
            f"{seen.source} still shows {listed(found)}"
        )
    if silent := [metric for metric in METRICS if not seen.shown[metric]]:
        raise LabError(
            f"{change.title}: {seen.source} shows no series of {' and '.join(silent)} for this VM, not even of "
            "its other NICs, so a missing series proves nothing"
        )
    return f'{change.title}: no series with "{change.old_network}" is left in {seen.source}'


def judge_others_unchanged(change: NetworkChange, before: Shown, seen: Seen) -> str:
    """The series of the other NICs are as before the edit."""
    for metric in METRICS:
        then, now = (
            sorted(vnic for vnic in found[metric] if vnic.name != change.nic) for found in (before, seen.shown)
        )
        if then != now:
            raise ProductFault(
                f"{change.subject}: expected {metric} of the NICs that were not edited to stay "
                f"{listed(then)}; {human(seen.age)} after the edit {seen.source} shows {listed(now)}"
            )
    return f"{change.subject}: the series of its other NICs are unchanged"


def old_series(shown: Shown, change: NetworkChange) -> dict[str, list[Vnic]]:
    """The series of the NIC with its old network, by metric."""
    found = {
        metric: sorted(v for v in shown[metric] if v.name == change.nic and v.network == change.old_network)
        for metric in METRICS
    }
    return {metric: left for metric, left in found.items() if left}


def listed(found: list[Vnic]) -> str:
    """Series in words."""
    return ", ".join(map(str, found)) or "nothing"
