# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..dataplane.packet_loss import some
from ..fault_points import Defect
from ..nodeagent.switch_over import losing

DEFECT = Defect(
    name="new-network-loses-frames",
    sentence="After the swap three in ten frames from the new network are lost.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=losing(some(30)),
)
