# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import networks
from ..fault_points import Defect
from ..kube import conditions
from ..kube.client import Obj


def _without_agent(status: Obj, *, vmi: Obj, **_: Any) -> Obj:
    """Where the VMI was migrated its agent is never heard of again; the pod's address is known without it."""
    if not (status.get("migrationState") or {}).get("completed"):
        return status
    primary = {network["name"] for network in networks(vmi["spec"]) if "pod" in network}
    conditions.remove({"status": status}, "AgentConnected")
    status["guestOSInfo"] = {}
    for entry in status.get("interfaces", []):
        entry.pop("interfaceName", None)
        if entry.get("name") not in primary:
            entry.pop("ipAddress", None)
            entry.pop("ipAddresses", None)
        entry["infoSource"] = "domain, multus-status"
    return status


DEFECT = Defect(
    name="guest-agent-lost-after-swap",
    sentence="After the migration the guest agent never comes back: the VMI knows nothing of the inside of its guest.",
    rows=("R6", "R16"),
    point="agent.vmi_status",
    change=_without_agent,
)
