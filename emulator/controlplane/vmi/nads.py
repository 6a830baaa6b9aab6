# SPDX-License-Identifier: Apache-2.0
"""virt-controller's own use of NADs, which ExternalNetResourceInjection switches off."""

from __future__ import annotations

from emulator.controlplane.accessors import Obj, annotations_of
from emulator.controlplane.context import Shared
from emulator.controlplane.network.pod_interfaces import wanted_attachments

RESOURCE = "k8s.v1.cni.cncf.io/resourceName"


def missing_nad(shared: Shared, vmi: Obj) -> str:
    """KubeVirt's message about the first missing NAD; "" if all exist, or if it does not check."""
    if not shared.settings.reads_nads:
        return ""
    for wanted in wanted_attachments(vmi):
        if shared.nads.get(wanted["namespace"], wanted["name"]) is None:
            return f"failed to locate network attachment definition {wanted['namespace']}/{wanted['name']}"
    return ""


def ask_for_resources(shared: Shared, vmi: Obj, pod: Obj) -> None:
    """Adds the resources that the NADs name, such as a bridge, to the launcher's requests: one for each NIC."""
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
