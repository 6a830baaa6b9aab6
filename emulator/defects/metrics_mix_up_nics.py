# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.metrics.first_seen import FirstSeen
from ..fault_points import Defect
from ..kube.client import Obj

_earlier = FirstSeen()


def _turned_round(shown: list[dict[str, str]], *, metric: str, obj: Obj, **_: Any) -> list[dict[str, str]]:
    secondary = [labels for labels in shown if labels["network"] != "pod networking"]
    if metric != "kubevirt_vmi_vnic_info" or not _earlier.edited(obj, shown):
        return shown
    networks = [labels["network"] for labels in secondary]
    turned = [labels | {"network": name} for labels, name in zip(secondary, networks[::-1], strict=True)]
    return [labels for labels in shown if labels not in secondary] + turned


DEFECT = Defect(
    name="metrics-mix-up-nics",
    sentence="After an edit, kubevirt_vmi_vnic_info gives each of two NICs the network of the other one.",
    rows=("R28",),
    point="metrics.vnics",
    change=_turned_round,
)
