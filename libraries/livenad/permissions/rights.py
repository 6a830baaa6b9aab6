# SPDX-License-Identifier: Apache-2.0
"""The rights of the user, before anything is created: by the rules of a namespace, in doubt each by a review."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import ACCESS_REVIEW, RULES_REVIEW, Object, dig

KUBEVIRT = "kubevirt.io"
STREAMS = "subresources.kubevirt.io"
NADS = "k8s.cni.cncf.io"
LEASES = "coordination.k8s.io"
RBAC = "rbac.authorization.k8s.io"
_AT_ONCE = 8
_OWN_NAMESPACES = "own-namespaces"
_NO_NAMESPACE = "kubevirt-nad-tests-none"
"""A namespace that does not exist: the rules in it are those in every namespace."""


@dataclass(frozen=True)
class Right:
    """A verb on a resource (``resource`` or ``resource/subresource``) and what it is for.

    ``namespace`` and ``name`` restrict it. ``role`` is the role in docs/rbac/ that grants it:
    ``kubevirt-nad-tests-<role>`` in ``<role>.yaml``.
    """

    verb: str
    group: str
    resource: str
    purpose: str
    namespace: str = ""
    name: str = ""
    role: str = "runner"

    def __str__(self) -> str:
        where = f"{self.resource}.{self.group}" if self.group else self.resource
        name = f" {self.name}" if self.name else ""
        place = f" in namespace {self.namespace}" if self.namespace else ""
        return f'"{self.verb}" on {where}{name}{place} ({self.purpose})'

    @property
    def remedy(self) -> str:
        """By which role an administrator grants it, and how one does without."""
        if self.role == _OWN_NAMESPACES:
            return (
                f"an administrator grants it by role kubevirt-nad-tests-{self.role}, docs/rbac/{self.role}.yaml, or "
                "gives you a namespace, which you name by variable NAMESPACE"
            )
        return f"an administrator grants it by role kubevirt-nad-tests-{self.role}, docs/rbac/{self.role}.yaml"


OWN_NAMESPACES = [
    Right("create", "", "namespaces", "each suite has its own"),
    Right("delete", "", "namespaces", "and removes it"),
    Right("list", "", "namespaces", "to find those of aborted runs, and to see when ours are gone"),
    Right("watch", "", "namespaces", "the same, as they go"),
]
"""Further rights that every suite needs, unless variable NAMESPACE is set."""

NEEDED_RIGHTS = [
    Right("create", "", "secrets", "cloud-init data of the guests"),
    Right("delete", "", "secrets", "and its removal"),
    Right("list", "", "pods", "where the launcher pods are and on which networks"),
    Right("watch", "", "pods", "the same, as it changes"),
    Right("create", NADS, "network-attachment-definitions", "the networks of the test"),
    Right("list", NADS, "network-attachment-definitions", "and their states"),
    Right("watch", NADS, "network-attachment-definitions", "the same, as they change"),
    Right("delete", NADS, "network-attachment-definitions", "and their removal"),
    Right("create", KUBEVIRT, "virtualmachines", "the VMs of the test"),
    Right("get", KUBEVIRT, "virtualmachines", "their states"),
    Right("list", KUBEVIRT, "virtualmachines", "their states"),
    Right("watch", KUBEVIRT, "virtualmachines", "the same, as they change"),
    Right("patch", KUBEVIRT, "virtualmachines", "the edit that is tested"),
    Right("delete", KUBEVIRT, "virtualmachines", "and their removal"),
    Right("list", KUBEVIRT, "virtualmachineinstances", "running VMs"),
    Right("watch", KUBEVIRT, "virtualmachineinstances", "the same, as they change"),
    Right("list", KUBEVIRT, "virtualmachineinstancemigrations", "what the cluster does for the edit"),
    Right("watch", KUBEVIRT, "virtualmachineinstancemigrations", "the same, as it changes"),
    Right("get", STREAMS, "virtualmachineinstances/console", "commands in guests without a pod network"),
    Right("get", STREAMS, "virtualmachineinstances/portforward", "commands in guests by SSH"),
    Right("create", LEASES, "leases", "to show that the run is active, and to reserve VLANs; see LEASE_NAMESPACE"),
    Right("get", LEASES, "leases", "to see those of other runs"),
    Right("list", LEASES, "leases", "the same, all of them"),
    Right("watch", LEASES, "leases", "the same, as they change"),
    Right("patch", LEASES, "leases", "and their renewal"),
    Right("delete", LEASES, "leases", "and their removal"),
]
"""Rights that every suite needs in its namespace; those on leases also in LEASE_NAMESPACE."""

EVICTION = [Right("create", "", "pods/eviction", "an eviction by the test")]
"""The right behind capability ``eviction``."""

UserAction = Literal["restart-vms", "start-and-stop-vms", "migrate-vms", "break-migrations", "make-vm-owners"]

FURTHER_RIGHTS: dict[UserAction, list[Right]] = {
    "restart-vms": [Right("update", STREAMS, "virtualmachines/restart", "a restart by the test")],
    "start-and-stop-vms": [
        Right("update", STREAMS, "virtualmachines/start", "a start by the test"),
        Right("update", STREAMS, "virtualmachines/stop", "a stop by the test"),
    ],
    "migrate-vms": [Right("update", STREAMS, "virtualmachines/migrate", "a migration requested by the test")],
    "break-migrations": [Right("delete", "", "pods", "the target pod of a migration that is to fail")],
    "make-vm-owners": [
        Right("create", "", "serviceaccounts", "the VM owner"),
        Right("create", "", "serviceaccounts/token", "the token of the VM owner"),
        Right("create", RBAC, "rolebindings", "the VM owner's role in the test namespace"),
        Right("bind", RBAC, "clusterroles", "that role", name="edit"),
    ],
}
"""Rights that some suites need, by the action names of `User Should Be Allowed To`."""


def needed_rights(namespace: str, lease_namespace: str) -> list[Right]:
    """Rights that every suite needs: in its own namespaces, or in the given ``namespace``."""
    if not namespace:
        return within(OWN_NAMESPACES + NEEDED_RIGHTS, "")
    elsewhere = [replace(right, namespace=lease_namespace) for right in NEEDED_RIGHTS if right.group == LEASES]
    return within(NEEDED_RIGHTS, namespace) + (elsewhere if lease_namespace != namespace else [])


def within(rights: Sequence[Right], namespace: str) -> list[Right]:
    """The same rights in one namespace only; "" means every namespace, by the role own-namespaces."""
    if not namespace:
        return [replace(right, role=_OWN_NAMESPACES) for right in rights]
    return [replace(right, namespace=namespace) for right in rights]


def missing_rights(cluster: Cluster, rights: Sequence[Right]) -> list[Right]:
    """Those of ``rights`` that the user does not have.

    Rules that are not complete prove nothing, nor does a right that is not among them: an authorizer may tell no rules.
    """
    rules = {place: _rules(cluster, place or _NO_NAMESPACE) for place in {right.namespace for right in rights}}
    asked = [right for right in rights if not any(_grants(rule, right) for rule in rules[right.namespace])]
    if not asked:
        return []
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        allowed = list(pool.map(lambda right: may(cluster, right), asked))
    return [right for right, ok in zip(asked, allowed, strict=True) if not ok]


def _rules(cluster: Cluster, namespace: str) -> list[Object]:
    """The user's rules in a namespace; none where the API server does not tell them all."""
    review = {
        "apiVersion": RULES_REVIEW.api_version,
        "kind": RULES_REVIEW.name,
        "spec": {"namespace": namespace},
    }
    try:
        status = dig(cluster.post_review(RULES_REVIEW, review), "status", default={}) or {}
    except ApiError as error:
        if error.status in (403, 404):
            return []
        raise
    return [] if status.get("incomplete") or status.get("evaluationError") else status.get("resourceRules") or []


def _grants(rule: Object, right: Right) -> bool:
    """Whether a rule has a right, by the meaning that RBAC gives to "*"."""
    _, _, subresource = right.resource.partition("/")
    resources = {"*", right.resource, *([f"*/{subresource}"] if subresource else [])}
    names = rule.get("resourceNames") or []
    return (
        not {"*", right.verb}.isdisjoint(rule.get("verbs") or [])
        and not {"*", right.group}.isdisjoint(rule.get("apiGroups") or [])
        and not resources.isdisjoint(rule.get("resources") or [])
        and (not names or (bool(right.name) and right.name in names))
    )


def may(cluster: Cluster, right: Right) -> bool:
    """Whether the user has a right."""
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
