# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from ..dataplane.packet_loss import TCP
from ..fault_points import Defect
from ..nodeagent.switch_over import losing

DEFECT = Defect(
    name="new-network-is-slow",
    sentence="After the swap each second TCP frame from the new network is lost: connections open, and crawl.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=losing(replace(TCP, percent=50)),
)
