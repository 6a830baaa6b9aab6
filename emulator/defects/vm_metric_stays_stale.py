# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..controlplane.metrics.first_seen import as_at_first
from ..fault_points import Defect

DEFECT = Defect(
    name="vm-metric-stays-stale",
    sentence="kubevirt_vm_vnic_info keeps the networks that a VM had when virt-controller first saw it.",
    rows=("R28",),
    point="metrics.vnics",
    change=as_at_first("kubevirt_vm_vnic_info"),
)
