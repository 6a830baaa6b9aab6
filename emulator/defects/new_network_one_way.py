# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..dataplane.packet_loss import ECHO_REQUEST, TCP_CALL
from ..fault_points import Defect
from ..nodeagent.switch_over import losing

DEFECT = Defect(
    name="new-network-one-way",
    sentence="After the swap the VM reaches others on its new network, but no peer there reaches the VM.",
    rows=("R1",),
    point="agent.after_switch_over",
    change=losing(ECHO_REQUEST, TCP_CALL),
)
