# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.metrics.first_seen import FirstSeen
from ..fault_points import Defect
from ..kube.client import Obj

_earlier = FirstSeen()


def _without_edited(shown: list[dict[str, str]], *, metric: str, obj: Obj, **_: Any) -> list[dict[str, str]]:
    if metric != "kubevirt_vmi_vnic_info":
        return shown
    edited = _earlier.edited(obj, shown)
    return [labels for labels in shown if labels["vnic_name"] not in edited]


DEFECT = Defect(
    name="metric-vanishes",
    sentence="After an edit, kubevirt_vmi_vnic_info has no series of the NIC any more.",
    rows=("R28",),
    point="metrics.vnics",
    change=_without_edited,
)
