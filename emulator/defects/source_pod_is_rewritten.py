# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane import names
from ..controlplane.network.pod_interfaces import networks_annotation, wanted_attachments
from ..fault_points import Defect
from ..kube.client import Obj


def _whenever_it_differs(_changed: bool, *, vmi: Obj, pod: Obj, **_: Any) -> bool:
    known = pod["metadata"].get("annotations", {}).get(names.NETWORKS, "")
    return bool(known != networks_annotation(wanted_attachments(vmi)))


DEFECT = Defect(
    name="source-pod-is-rewritten",
    sentence="A swap writes the new network to the annotation of the running pod, where a controller acts on it.",
    rows=("R13",),
    point="pod.networks_rewritten",
    change=_whenever_it_differs,
)
