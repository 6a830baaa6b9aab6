"""What virt-controller reads of NADs itself, unless ExternalNetResourceInjection leaves that to others."""

from __future__ import annotations

from emulator.controlplane.accessors import Obj, annotations_of
from emulator.controlplane.context import Shared
from emulator.controlplane.network.pod_interfaces import wanted_attachments

RESOURCE = "k8s.v1.cni.cncf.io/resourceName"


def missing_nad(shared: Shared, vmi: Obj) -> str:
    """What KubeVirt says of the first NAD that is not there; "" when all are, or when it does not look."""
    if not shared.settings.reads_nads:
        return ""
    for wanted in wanted_attachments(vmi):
        if shared.nads.get(wanted["namespace"], wanted["name"]) is None:
            return f"failed to locate network attachment definition {wanted['namespace']}/{wanted['name']}"
    return ""


def ask_for_resources(shared: Shared, vmi: Obj, pod: Obj) -> None:
    """Has the launcher ask its node for what its NADs name, such as a bridge: one of each NIC."""
    if not shared.settings.reads_nads:
        return
    wished: dict[str, int] = {}
    for wanted in wanted_attachments(vmi):
        nad = shared.nads.get(wanted["namespace"], wanted["name"])
        if nad is not None and (name := annotations_of(nad).get(RESOURCE)):
            wished[name] = wished.get(name, 0) + 1
    resources = pod["spec"]["containers"][0]["resources"]
    for name, count in wished.items():
        resources["requests"][name] = resources["limits"][name] = str(count)
