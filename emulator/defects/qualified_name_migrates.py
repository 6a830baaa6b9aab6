# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import networks
from ..controlplane.network.evaluator import Need
from ..fault_points import Defect
from ..kube.client import Obj

JOB = "kubevirt.io/migrationJobUID"


def _by_text(need: Need, *, vmi: Obj, pod: Obj, **_: Any) -> Need:
    """The pod of a migration ends it, or it would go on for ever."""
    names = [str((network.get("multus") or {}).get("networkName", "")) for network in networks(vmi["spec"])]
    if JOB not in pod["metadata"].get("labels", {}) and any("/" in name for name in names):
        return Need.IMMEDIATE
    return need


DEFECT = Defect(
    name="qualified-name-migrates",
    sentence="Names of NADs are compared as text, so the same NAD in its qualified form is taken for another network.",
    rows=("R47",),
    point="vmi.migration_required",
    change=_by_text,
)
