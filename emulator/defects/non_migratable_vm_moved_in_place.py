# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import is_migratable, networks
from ..fault_points import Defect
from ..kube.client import Obj
from ..nodeagent.spec_sync import Action, SpecSync

_plugged: set[tuple[str, str]] = set()


async def _plug(now: SpecSync) -> None:
    """Joins what carries an edited NIC with its new network, as found at the pods that are on it already."""
    namespace = now.vmi["metadata"]["namespace"]
    known = {
        (attachment.namespace, attachment.name): attachment.segment
        for sandbox in now.sandboxes.values()
        for attachment in sandbox.attachments
    }
    mine = {attachment.interface: attachment for attachment in now.sandbox.attachments}
    for network in networks(now.vmi["spec"]):
        attachment = mine.get(now.pod_interfaces.get(network["name"], ""))
        wanted = (network.get("multus") or {}).get("networkName", "")
        if attachment is None or wanted == attachment.name or (namespace, wanted) not in known:
            continue
        if (now.sandbox.uid, wanted) not in _plugged:
            _plugged.add((now.sandbox.uid, wanted))
            await now.dataplane.join(now.sandbox.uid, attachment.interface, known[namespace, wanted])


def _where_it_is(actions: list[Action], *, vmi: Obj, **_: Any) -> list[Action]:
    return actions if is_migratable(vmi) else [*actions, _plug]


DEFECT = Defect(
    name="non-migratable-vm-moved-in-place",
    sentence="When the network of a VM that cannot be live-migrated is edited, its running pod is plugged into the new "
    "network without a migration.",
    rows=("R15",),
    point="agent.after_spec_sync",
    change=_where_it_is,
)
