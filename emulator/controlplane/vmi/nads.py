"""The look-up of NADs that virt-controller does itself unless ExternalNetResourceInjection is on."""

from __future__ import annotations

from emulator.controlplane.context import Shared
from emulator.controlplane.instances import Obj
from emulator.controlplane.network.podinterfaces import wanted_attachments


def missing_nad(shared: Shared, vmi: Obj) -> str:
    """What KubeVirt says of the first NAD that is not there; "" when all are, or when it does not look."""
    if not shared.settings.reads_nads:
        return ""
    for wanted in wanted_attachments(vmi):
        if shared.nads.get(wanted["namespace"], wanted["name"]) is None:
            return f"failed to locate network attachment definition {wanted['namespace']}/{wanted['name']}"
    return ""
