from __future__ import annotations

from typing import Any

from ..controlplane.metrics.earlier import Earlier
from ..decisions import Defect
from ..kube.client import Obj

_earlier = Earlier()


def _as_at_first(shown: list[dict[str, str]], *, metric: str, obj: Obj, **_: Any) -> list[dict[str, str]]:
    if metric != "kubevirt_vmi_vnic_info":
        return shown
    first = _earlier.of(obj, shown)
    return [first.get(labels["vnic_name"], labels) for labels in shown]


DEFECT = Defect(
    name="metric-stays-stale",
    sentence="kubevirt_vmi_vnic_info keeps the networks that a VMI had when it started.",
    rows=("R28",),
    point="metrics.vnics",
    change=_as_at_first,
)
