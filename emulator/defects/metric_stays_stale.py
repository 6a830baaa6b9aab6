# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..controlplane.metrics.first_seen import as_at_first
from ..fault_points import Defect

DEFECT = Defect(
    name="metric-stays-stale",
    sentence="kubevirt_vmi_vnic_info keeps the networks that a VMI had when it started.",
    rows=("R28",),
    point="metrics.vnics",
    change=as_at_first("kubevirt_vmi_vnic_info"),
)
