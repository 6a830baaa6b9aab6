from __future__ import annotations

from typing import Any

from ..controlplane.metrics.earlier import Earlier
from ..decisions import Defect
from ..kube.client import Obj

_earlier = Earlier()


def _as_at_first(shown: list[dict[str, str]], *, metric: str, obj: Obj, **_: Any) -> list[dict[str, str]]:
    if metric != "kubevirt_vm_vnic_info":
        return shown
    first = _earlier.of(obj, shown)
    return [first.get(labels["vnic_name"], labels) for labels in shown]


DEFECT = Defect(
    name="vm-metric-stays-stale",
    sentence="kubevirt_vm_vnic_info keeps the networks that a VM had when virt-controller first saw it.",
    rows=("R28",),
    point="metrics.vnics",
    change=_as_at_first,
)
