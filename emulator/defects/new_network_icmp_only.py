# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..dataplane.packet_loss import TCP
from ..fault_points import Defect
from ..nodeagent.switch_over import losing

DEFECT = Defect(
    name="new-network-icmp-only",
    sentence="After the swap only ICMP crosses the new network, as with a filter that was made for the old port.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=losing(TCP),
)
