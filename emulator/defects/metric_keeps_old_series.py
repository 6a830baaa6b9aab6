# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.metrics.first_seen import FirstSeen
from ..fault_points import Defect
from ..kube.client import Obj

_earlier = FirstSeen()


def _old_and_new(shown: list[dict[str, str]], *, metric: str, obj: Obj, **_: Any) -> list[dict[str, str]]:
    if metric != "kubevirt_vmi_vnic_info":
        return shown
    edited = _earlier.edited(obj, shown)
    return [*shown, *(labels for nic, labels in _earlier.of(obj, shown).items() if nic in edited)]


DEFECT = Defect(
    name="metric-keeps-old-series",
    sentence="After an edit, kubevirt_vmi_vnic_info has a second series of the NIC, with its old network.",
    rows=("R28",),
    point="metrics.vnics",
    change=_old_and_new,
)
