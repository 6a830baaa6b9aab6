# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj


def _deploying(status: Obj, **_: Any) -> Obj:
    return status | {"phase": "Deploying"}


DEFECT = Defect(
    name="kubevirt-stays-deploying",
    sentence="KubeVirt never gets out of phase Deploying.",
    rows=("R22",),
    point="kubevirt.status",
    change=_deploying,
    fault="lab",
)
