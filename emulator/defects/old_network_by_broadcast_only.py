# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..dataplane.packet_loss import ARP, UNICAST
from ..fault_points import Defect
from ..nodeagent.switch_over import keeping_the_old_network

DEFECT = Defect(
    name="old-network-by-broadcast-only",
    sentence="After the swap frames to everybody on the previous network still reach the VM; no others do.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=keeping_the_old_network(losing=(ARP, UNICAST)),
)
