# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..fault_points import Defect
from ..nodeagent.switch_over import keeping_the_old_network

DEFECT = Defect(
    name="attached-to-both-networks",
    sentence="After the swap the NIC is on its new network and still on the previous one as well.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=keeping_the_old_network(),
)
