# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..dataplane.packet_loss import some
from ..fault_points import Defect
from ..nodeagent.switch_over import losing

DEFECT = Defect(
    name="new-network-loses-few-frames",
    sentence="After the swap one in ten frames from the new network is lost, as on a poor network.",
    rows=(),
    point="agent.after_switch_over",
    change=losing(some(10)),
    fault="lab",
)
