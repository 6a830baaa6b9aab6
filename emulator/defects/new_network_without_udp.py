# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..dataplane.packet_loss import UDP
from ..fault_points import Defect
from ..nodeagent.switch_over import losing

DEFECT = Defect(
    name="new-network-without-udp",
    sentence="After the swap pings and TCP cross the new network, and UDP does not.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=losing(UDP),
)
