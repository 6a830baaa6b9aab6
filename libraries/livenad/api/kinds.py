# SPDX-License-Identifier: Apache-2.0
"""The kinds of Kubernetes objects that the libraries deal with, and where each lies in the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
"""A Kubernetes object as the API server sends it: decoded JSON."""


@dataclass(frozen=True)
class Kind:
    """A kind: ``api_version`` is "v1" or "group/version", ``plural`` the path element, ``name`` the ``kind`` field."""

    api_version: str
    plural: str
    name: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """API group, "" for the core group."""
        return self.api_version.rpartition("/")[0]

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Path of the collection, or of one object; without ``namespace`` that of all namespaces."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        place = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{place}/{self.plural}" + (f"/{name}" if name else "")

    def title(self, namespace: str | None, name: str | None) -> str:
        """The object as messages name it: ``VirtualMachine demo/web``."""
        where = f"{namespace}/{name}" if namespace and name else name or (f"in {namespace}" if namespace else "")
        return f"{self.name} {where}".rstrip()


VM = Kind("kubevirt.io/v1", "virtualmachines", "VirtualMachine")
VMI = Kind("kubevirt.io/v1", "virtualmachineinstances", "VirtualMachineInstance")
MIGRATION = Kind("kubevirt.io/v1", "virtualmachineinstancemigrations", "VirtualMachineInstanceMigration")
KUBEVIRT = Kind("kubevirt.io/v1", "kubevirts", "KubeVirt")
NAD = Kind("k8s.cni.cncf.io/v1", "network-attachment-definitions", "NetworkAttachmentDefinition")
POD = Kind("v1", "pods", "Pod")
EVENT = Kind("v1", "events", "Event")
SECRET = Kind("v1", "secrets", "Secret")
NODE = Kind("v1", "nodes", "Node", namespaced=False)
NODE_STATE = Kind("nmstate.io/v1beta1", "nodenetworkstates", "NodeNetworkState", namespaced=False)
NAMESPACE = Kind("v1", "namespaces", "Namespace", namespaced=False)
ACCOUNT = Kind("v1", "serviceaccounts", "ServiceAccount")
BINDING = Kind("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding")
LEASE = Kind("coordination.k8s.io/v1", "leases", "Lease")
ACCESS_REVIEW = Kind("authorization.k8s.io/v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False)
RULES_REVIEW = Kind("authorization.k8s.io/v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced=False)
SELF_REVIEW = Kind("authentication.k8s.io/v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False)

CREATED_BY_RUN = "kubevirt-nad-tests/run"
"""Label of every object that a run creates. By it the client knows its own object when an answer was lost."""

VM_LABELS = ("kubevirt-nad-tests/vm", "vm.kubevirt.io/name")
"""Labels of a launcher pod that name its VM: ours, which VM and VMI pass on, and KubeVirt's."""

RECORDED = (VM, VMI, MIGRATION, POD, NAD, EVENT)
"""The kinds that the recorder watches in a test namespace."""


def meta(item: Object, key: str, default: Any = "") -> Any:
    """A field of an object's metadata; ``default`` where it is missing or null."""
    found = item.get("metadata", {}).get(key)
    return default if found is None else found


def dig(item: Any, *keys: str, default: Any = None) -> Any:
    """A nested field, or ``default`` where any step is missing."""
    for key in keys:
        if not isinstance(item, dict) or key not in item:
            return default
        item = item[key]
    return item


def vm_of(kind: Kind, item: Object) -> str:
    """The VM that an object belongs to, "" where the object does not say."""
    if kind in (VM, VMI):
        return str(meta(item, "name"))
    if kind is MIGRATION:
        return str(dig(item, "spec", "vmiName") or "")
    if kind is POD:
        owners = meta(item, "ownerReferences", None) or []
        vmi = next((str(owner.get("name")) for owner in owners if owner.get("kind") == VMI.name), "")
        if vmi:  # KubeVirt's label has the guest's host name, which the owner of a VM may choose
            return vmi
        labels = meta(item, "labels", None) or {}
        return next((str(labels[label]) for label in VM_LABELS if labels.get(label)), "")
    return ""
