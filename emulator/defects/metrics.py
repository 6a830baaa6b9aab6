# SPDX-License-Identifier: Apache-2.0
"""Metrics that describe other networks than the VM has."""

from __future__ import annotations

from typing import Any

from ..controlplane.metrics.first_seen import FirstSeen, as_at_first
from ..fault_points import Defect
from ..kube.client import Obj

_earlier = FirstSeen()


def _old_and_new(shown: list[dict[str, str]], *, metric: str, obj: Obj, **_: Any) -> list[dict[str, str]]:
    if metric != "kubevirt_vmi_vnic_info":
        return shown
    edited = _earlier.edited(obj, shown)
    return [*shown, *(labels for nic, labels in _earlier.of(obj, shown).items() if nic in edited)]


METRIC_KEEPS_OLD_SERIES = Defect(
    name="metric-keeps-old-series",
    sentence="After an edit, kubevirt_vmi_vnic_info has a second series of the NIC, with its old network.",
    rows=("R28",),
    point="metrics.vnics",
    change=_old_and_new,
)


METRIC_STAYS_STALE = Defect(
    name="metric-stays-stale",
    sentence="kubevirt_vmi_vnic_info keeps the networks that a VMI had when it started.",
    rows=("R28",),
    point="metrics.vnics",
    change=as_at_first("kubevirt_vmi_vnic_info"),
)


_before_it_vanished = FirstSeen()


def _without_edited(shown: list[dict[str, str]], *, metric: str, obj: Obj, **_: Any) -> list[dict[str, str]]:
    if metric != "kubevirt_vmi_vnic_info":
        return shown
    edited = _before_it_vanished.edited(obj, shown)
    return [labels for labels in shown if labels["vnic_name"] not in edited]


METRIC_VANISHES = Defect(
    name="metric-vanishes",
    sentence="After an edit, kubevirt_vmi_vnic_info has no series of the NIC any more.",
    rows=("R28",),
    point="metrics.vnics",
    change=_without_edited,
)


_before_they_were_mixed_up = FirstSeen()


def _turned_round(shown: list[dict[str, str]], *, metric: str, obj: Obj, **_: Any) -> list[dict[str, str]]:
    secondary = [labels for labels in shown if labels["network"] != "pod networking"]
    if metric != "kubevirt_vmi_vnic_info" or not _before_they_were_mixed_up.edited(obj, shown):
        return shown
    networks = [labels["network"] for labels in secondary]
    turned = [labels | {"network": name} for labels, name in zip(secondary, networks[::-1], strict=True)]
    return [labels for labels in shown if labels not in secondary] + turned


METRICS_MIX_UP_NICS = Defect(
    name="metrics-mix-up-nics",
    sentence="After an edit, kubevirt_vmi_vnic_info gives each of two NICs the network of the other one.",
    rows=("R28",),
    point="metrics.vnics",
    change=_turned_round,
)


VM_METRIC_STAYS_STALE = Defect(
    name="vm-metric-stays-stale",
    sentence="kubevirt_vm_vnic_info keeps the networks that a VM had when virt-controller first saw it.",
    rows=("R28",),
    point="metrics.vnics",
    change=as_at_first("kubevirt_vm_vnic_info"),
)
