# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..dataplane.packet_loss import ECHO_REPLY, TCP_ACCEPT
from ..fault_points import Defect
from ..nodeagent.switch_over import keeping_the_old_network

DEFECT = Defect(
    name="old-network-reaches-vm",
    sentence="After the swap guests on the previous network still reach the VM, though it does not reach them.",
    rows=("R9",),
    point="agent.after_switch_over",
    change=keeping_the_old_network(losing=(ECHO_REPLY, TCP_ACCEPT)),
)
