# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..dataplane.packet_loss import tcp_to
from ..fault_points import Defect
from ..nodeagent.switch_over import SwitchOver, besides

_FIRST_OWN_PORT = 32768
"""From here on the kernel takes the ports of connections that a guest opens."""


async def _forget_connections(now: SwitchOver) -> None:
    """Drop what belongs to connections that were open, at each NIC but those of the edit."""
    said = await now.inside("ss", "-Htn", "state", "established")
    local = [words[2] for line in said.decode().splitlines() if len(words := line.split()) >= 4]
    ports = [int(address.rpartition(":")[2]) for address in local]
    # Those that the guest has opened: at the ports of its servers new connections must still come in.
    kinds = [tcp_to(port) for port in ports if port >= _FIRST_OWN_PORT]
    for name, nic in now.domain.nics.items():
        if kinds and name not in now.changed and nic.pod_interface in now.target.segments:
            await now.dataplane.drop_frames(now.target.uid, nic.pod_interface, kinds)


DEFECT = Defect(
    name="open-connections-cut-after-swap",
    sentence="After the swap connections that were open through another NIC are cut off; new ones work.",
    rows=("R51",),
    point="agent.after_switch_over",
    change=besides(_forget_connections),
)
