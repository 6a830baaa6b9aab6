# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..dataplane.packet_loss import LARGE
from ..fault_points import Defect
from ..nodeagent.switch_over import losing

DEFECT = Defect(
    name="new-network-loses-large-frames",
    sentence="After the swap large frames do not cross the new network, as with a trunk of a smaller MTU.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=losing(LARGE),
)
