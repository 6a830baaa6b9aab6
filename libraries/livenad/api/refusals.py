# SPDX-License-Identifier: Apache-2.0
"""What a cluster says when it is in the way of an object or a pod, and what to do about it. Pure functions of the text.

These reasons are the cluster's own: its rules, its room, its network, its registry. None is a fault of KubeVirt.
"""

from __future__ import annotations

import re

_REMEDIES = tuple(
    (re.compile(words, re.IGNORECASE), remedy)
    for words, remedy in (
        (
            r"exceeded quota|failed quota|rejectedByResourceQuota",
            "a ResourceQuota forbids it; ask for more, free what is in the namespace, or choose another one "
            "(NAMESPACE). A live migration needs room for a second launcher pod",
        ),
        (
            r"(max|min)imum \w+ usage per (Pod|Container)|limit to request ratio per",
            "a LimitRange of the namespace forbids it; set VM_MEMORY accordingly, ask for other limits, or choose "
            "another namespace (NAMESPACE)",
        ),
        (
            r"violates PodSecurity",
            "a rule of the cluster forbids it: the namespace's Pod Security level does not admit launcher pods; an "
            "administrator labels it pod-security.kubernetes.io/enforce=privileged, or choose another one (NAMESPACE)",
        ),
        (
            r"unable to validate against any security context constraint",
            "a rule of the cluster forbids it: no SecurityContextConstraint admits the pod; an administrator checks "
            "which ones virt-controller may use",
        ),
        (
            r"failed calling webhook",
            "a webhook of the cluster does not answer; an administrator checks the pods and the Service behind it",
        ),
        (
            r"failed to allocate requested mac",
            "another VM has the MAC, or a former VM of that name, which KubeMacPool forgets after a while; run again",
        ),
        (
            r"denied (the )?request",
            "a rule of the cluster forbids it, for the reason given; ask those who made the rule for an exemption",
        ),
        (
            r"because it is being terminated",
            "wait until the namespace is gone, or choose another one (NAMESPACE)",
        ),
        (
            r"Insufficient devices\.kubevirt\.io/",
            "no node offers the device: use nodes with hardware virtualization, or let KubeVirt emulate it "
            "(spec.configuration.developerConfiguration.useEmulation)",
        ),
        (
            r"Insufficient [\w./-]+|Too many pods|nodes? are available|Unschedulable",
            "no node takes the pod: free or add nodes, or lower VM_MEMORY; see the nodes' taints and labels",
        ),
        (
            r"toomanyrequests|pull rate limit",
            "the registry limits pulls: name a mirror by variable VM_IMAGE, or give the nodes credentials",
        ),
        (
            r"ErrImagePull|ImagePullBackOff|InvalidImageName",
            "check that the nodes reach the registry and that the image is there: variable VM_IMAGE",
        ),
        (
            r"dialing VM: dial tcp .*(i/o timeout|timed out)",
            "the guest's address does not answer virt-api: a NetworkPolicy may keep it out (its namespace is to be let "
            "in), or the pod network of the guest is not the cluster's",
        ),
        (
            r"dialing virt-handler: dial tcp",
            "virt-api does not reach virt-handler: an administrator checks that the node runs, and the NetworkPolicies "
            "of KubeVirt's namespace",
        ),
        (
            r"failed to find plugin",
            "install the CNI plugin on every node, where Multus looks for it",
        ),
        (
            r"Link not found|failed to lookup (bridge|device|master)",
            "the node lacks the interface that the network needs: make it on every node, or choose another bridge",
        ),
    )
)


def remedy_of(text: str) -> str:
    """What helps against a refusal or a trouble in the cluster's words; "" for words that are not known."""
    return next((remedy for pattern, remedy in _REMEDIES if pattern.search(text)), "")
