# SPDX-License-Identifier: Apache-2.0
"""The one place that says which differences are judged and which are reported, not judged.

*Reported, not judged* are: an addition that does not concern a NIC, a network, a node or a condition, as a field that
KubeVirt adds tomorrow must not break a run; labels and annotations of foreign owners, which anybody may write; the
containers and volumes of a launcher pod other than ``compute``, which KubeVirt makes of the VM's disks; what the node
adds to a pod: labels of its CPU, names of images in its store, the gateway of its pod network; when a condition was
looked at; and, in states before the newest one, what only the guest's agent reports, as its channel may be closed for a
moment during a migration.
"""

from __future__ import annotations

import re

_JUDGED_ADDITIONS = (
    "metadata.annotations[k8s.v1.cni.cncf.io/",
    "metadata.labels[kubevirt.io/nodeName]",
    "spec.networks",
    "spec.nodeName",
    "spec.nodeSelector",
    "spec.affinity",
    "spec.domain.devices.interfaces",
    "spec.template.spec.networks",
    "spec.template.spec.nodeSelector",
    "spec.template.spec.affinity",
    "spec.template.spec.domain.devices.interfaces",
    "status.conditions",
    "status.interfaces",
    "status.nodeName",
    "status.evacuationNodeName",
    "warnings",
)
_OWN_KEY = re.compile(r"metadata\.(?:labels|annotations)\[(?:[^\]]*\.)?(?:kubevirt\.io|cni\.cncf\.io)/")
_KEY = re.compile(r"metadata\.(?:labels|annotations)\[[^\]]*\]")
_POD_PART = re.compile(
    r"spec\.(?:volumes|initContainers)\[|spec\.containers\[(?!compute\])|status\.initContainerStatuses\["
    r"|status\.containerStatuses\[(?!compute\])"
    r"|status\.containerStatuses\[compute\]\.(?:image|imageID)$"
    r"|metadata\.annotations\[k8s\.v1\.cni\.cncf\.io/network-status\]\[[^\]]*\]\.gateway$"
    r"|spec\.containers\[compute\]\.(?:volumeMounts|volumeDevices)\["
)
_LABEL_OF_NODE = re.compile(r"spec\.nodeSelector\[[^\]]*node\.kubevirt\.io/")
_TIME_OF_CONDITION = re.compile(r"status\.conditions\[[^\]]*\]\.last(?:Probe|Transition)Time")
_BY_AGENT = re.compile(
    r"status\.guestOSInfo|status\.conditions\[AgentConnected\]"
    r"|status\.interfaces\[[^\]]*\]\.(?:ipAddress|ipAddresses|interfaceName|infoSource)$|status\.fsFreezeStatus"
)


def is_judged(kind: str, path: str, was: object, now: object, *, last: bool) -> bool:
    """Whether an unexpected difference of a field is a finding. ``last`` says that the newest state has it."""
    if _KEY.match(path) and not _OWN_KEY.match(path):
        return False
    if kind == "Pod" and (_POD_PART.match(path) or (_LABEL_OF_NODE.match(path) and None in (was, now))):
        return False
    if _TIME_OF_CONDITION.fullmatch(path) and was is not None and now is not None:
        return False
    if not last and _BY_AGENT.match(path):
        return False
    return was is not None or path.startswith(_JUDGED_ADDITIONS)
