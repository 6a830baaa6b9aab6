# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ..fault_points import Defect
from ..nodeagent.switch_over import SwitchOver, besides


async def _take_a_neighbours(now: SwitchOver) -> None:
    """That of a NIC which is on the new network already."""
    entered = {after for _before, after in now.changed.values()}
    for domain in now.domains.by_uid.values():
        sandbox = now.sandboxes.get(domain.pod_uid)
        for nic in domain.nics.values() if sandbox and domain is not now.domain else ():
            if sandbox and sandbox.segments.get(nic.pod_interface) in entered:
                for device in now.devices:
                    await now.inside("ip", "link", "set", "dev", device, "address", nic.mac)
                return


DEFECT = Defect(
    name="duplicate-mac-after-swap",
    sentence="The NIC is given a MAC that another VM on the new network has.",
    rows=("R1", "R6"),
    point="agent.after_switch_over",
    change=besides(_take_a_neighbours),
)
