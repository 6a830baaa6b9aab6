# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..dataplane.packet_loss import ICMP, TCP
from ..fault_points import Defect
from ..nodeagent.switch_over import keeping_the_old_network

DEFECT = Defect(
    name="old-network-by-udp-only",
    sentence="After the swap the previous network is still there for UDP; pings and TCP are not answered.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=keeping_the_old_network(losing=(ICMP, TCP)),
)
