# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..dataplane.packet_loss import IPV6
from ..fault_points import Defect
from ..nodeagent.switch_over import keeping_the_old_network

DEFECT = Defect(
    name="old-network-by-ipv4-only",
    sentence="After the swap the previous network is still there for IPv4.",
    rows=("R9", "R29"),
    point="agent.after_switch_over",
    change=keeping_the_old_network(losing=(IPV6,)),
)
