# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..dataplane.packet_loss import IPV4, IPV6
from ..fault_points import Defect
from ..nodeagent.switch_over import keeping_the_old_network

DEFECT = Defect(
    name="old-network-by-arp-only",
    sentence="After the swap VM and guests on the previous network still tell each other their MACs; no IP crosses.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=keeping_the_old_network(losing=(IPV4, IPV6)),
)
