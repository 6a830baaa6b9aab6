"""What we may do: asked of the API server, by SelfSubjectAccessReview, before anything is created."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from testbed.cluster.client import Cluster
from testbed.objects.kinds import ACCESS_REVIEW, dig

_KUBEVIRT = "kubevirt.io"
_STREAMS = "subresources.kubevirt.io"
_NADS = "k8s.cni.cncf.io"
_LEASES = "coordination.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
_AT_ONCE = 8


@dataclass(frozen=True)
class Right:
    """A verb on a resource (``resource`` or ``resource/subresource``) and what it is for.

    ``namespace`` and ``name`` narrow it; without them it is meant for all.
    """

    verb: str
    group: str
    resource: str
    purpose: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        where = f"{self.resource}.{self.group}" if self.group else self.resource
        name = f" {self.name}" if self.name else ""
        place = f" in namespace {self.namespace}" if self.namespace else ""
        return f'"{self.verb}" on {where}{name}{place} ({self.purpose})'


NEEDED_RIGHTS = [
    Right("create", "", "namespaces", "each suite has its own"),
    Right("delete", "", "namespaces", "and removes it"),
    Right("create", "", "secrets", "cloud-init data of the guests"),
    Right("list", "", "pods", "where the launcher pods are and on which networks"),
    Right("watch", "", "pods", "the same, as it changes"),
    Right("create", _NADS, "network-attachment-definitions", "the networks of the test"),
    Right("list", _NADS, "network-attachment-definitions", "and their states"),
    Right("watch", _NADS, "network-attachment-definitions", "the same, as they change"),
    Right("delete", _NADS, "network-attachment-definitions", "and their removal"),
    Right("create", _KUBEVIRT, "virtualmachines", "the VMs of the test"),
    Right("get", _KUBEVIRT, "virtualmachines", "their states"),
    Right("list", _KUBEVIRT, "virtualmachines", "their states"),
    Right("watch", _KUBEVIRT, "virtualmachines", "the same, as they change"),
    Right("patch", _KUBEVIRT, "virtualmachines", "the edit that is tested"),
    Right("delete", _KUBEVIRT, "virtualmachines", "and their removal"),
    Right("list", _KUBEVIRT, "virtualmachineinstances", "running VMs"),
    Right("watch", _KUBEVIRT, "virtualmachineinstances", "the same, as they change"),
    Right("list", _KUBEVIRT, "virtualmachineinstancemigrations", "what the cluster does for the edit"),
    Right("watch", _KUBEVIRT, "virtualmachineinstancemigrations", "the same, as it changes"),
    Right("get", _STREAMS, "virtualmachineinstances/console", "commands in guests without a pod network"),
    Right("get", _STREAMS, "virtualmachineinstances/portforward", "commands in guests by SSH"),
    Right("create", _LEASES, "leases", "by which a run is known to be alive, and gets VLANs; see LEASE_NAMESPACE"),
    Right("get", _LEASES, "leases", "and sees those of other runs"),
    Right("list", _LEASES, "leases", "the same, all of them"),
    Right("watch", _LEASES, "leases", "the same, as they change"),
    Right("patch", _LEASES, "leases", "and their renewal"),
    Right("delete", _LEASES, "leases", "and their removal"),
]
"""What every suite does."""

FURTHER_RIGHTS = {
    "restart-vms": [Right("update", _STREAMS, "virtualmachines/restart", "a restart by the test")],
    "start-and-stop-vms": [
        Right("update", _STREAMS, "virtualmachines/start", "a start by the test"),
        Right("update", _STREAMS, "virtualmachines/stop", "a stop by the test"),
    ],
    "migrate-vms": [Right("update", _STREAMS, "virtualmachines/migrate", "a migration by hand")],
    "break-migrations": [Right("delete", "", "pods", "the target pod of a migration that is to fail")],
    "make-vm-owners": [
        Right("create", "", "serviceaccounts", "the VM owner"),
        Right("create", "", "serviceaccounts/token", "by which he is asked for his rights"),
        Right("create", _RBAC, "rolebindings", "his role in the test namespace"),
        Right("bind", _RBAC, "clusterroles", "that role", name="edit"),
    ],
}
"""What some suites do besides, by the names that `User Should Be Allowed To` takes."""


def missing_rights(cluster: Cluster, rights: Sequence[Right]) -> list[Right]:
    """Those of ``rights`` that we do not have."""
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        allowed = list(pool.map(lambda right: may(cluster, right), rights))
    return [right for right, ok in zip(rights, allowed, strict=True) if not ok]


def may(cluster: Cluster, right: Right) -> bool:
    """Whether we have a right."""
    resource, _, subresource = right.resource.partition("/")
    attributes = {
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": right.namespace,
        "name": right.name,
    }
    review = {
        "apiVersion": ACCESS_REVIEW.api_version,
        "kind": ACCESS_REVIEW.name,
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    return bool(dig(cluster.post_review(ACCESS_REVIEW, review), "status", "allowed"))
