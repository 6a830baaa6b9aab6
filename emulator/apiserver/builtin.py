# SPDX-License-Identifier: Apache-2.0
"""The resources this server serves by itself. The control plane may register more, or replace some."""

from __future__ import annotations

from functools import partial

from . import columns, kinds, kubevirt_schema
from .columns import CRD_AGE, NAME
from .events import from_stored_event, to_stored_event
from .registry import ALL_VERBS, Column, Registry, Resource
from .schema import fields

GROUP_RBAC = "rbac.authorization.k8s.io"
CREATE_ONLY = ("create",)
CRD_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
KUBEVIRT_VERSIONS = ("v1", "v1alpha3")
READY = ".status.conditions[?(@.type=='Ready')].status"
NO_COLLECTION = tuple(verb for verb in ALL_VERBS if verb != "deletecollection")
_GET_CREATE = ("create", "get")

CORE = (
    Resource(
        "configmaps",
        "ConfigMap",
        short_names=("cm",),
        columns=columns.CONFIGMAP,
        hooks=kinds.CONFIGMAP,
        schema=fields("data", "binaryData", "immutable"),
    ),
    Resource("endpoints", "Endpoints", short_names=("ep",), singular="endpoints"),
    Resource(
        "events",
        "Event",
        short_names=("ev",),
        columns=columns.EVENT,
        hooks=kinds.EVENT,
        selectable=(
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ),
    ),
    Resource("limitranges", "LimitRange", short_names=("limits",)),
    Resource(
        "namespaces",
        "Namespace",
        schema=fields("spec", "status"),
        namespaced=False,
        short_names=("ns",),
        verbs=NO_COLLECTION,
        status=True,
        columns=columns.NAMESPACE,
        hooks=kinds.NAMESPACE,
        selectable=("status.phase",),
        subresources={"finalize": ("Namespace", ("update",))},
    ),
    Resource(
        "nodes",
        "Node",
        schema=fields("spec", "status"),
        namespaced=False,
        short_names=("no",),
        status=True,
        status_on_create=True,
        columns=columns.NODE,
        selectable=("spec.unschedulable",),
    ),
    Resource("persistentvolumeclaims", "PersistentVolumeClaim", short_names=("pvc",), status=True),
    Resource("persistentvolumes", "PersistentVolume", namespaced=False, short_names=("pv",), status=True),
    Resource(
        "pods",
        "Pod",
        schema=fields("spec", "status"),
        short_names=("po",),
        categories=("all",),
        status=True,
        generation=True,
        uncounted=("nodeName",),
        graceful=True,
        columns=columns.POD,
        hooks=kinds.POD,
        selectable=(
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ),
        subresources={"eviction": ("Eviction", CREATE_ONLY), "log": ("Pod", ("get",))},
    ),
    Resource("resourcequotas", "ResourceQuota", short_names=("quota",), status=True, hooks=kinds.QUOTA),
    Resource(
        "secrets",
        "Secret",
        columns=columns.SECRET,
        hooks=kinds.SECRET,
        selectable=("type",),
        schema=fields("data", "stringData", "type", "immutable"),
    ),
    Resource(
        "serviceaccounts",
        "ServiceAccount",
        short_names=("sa",),
        columns=columns.SERVICE_ACCOUNT,
        schema=fields("secrets", "imagePullSecrets", "automountServiceAccountToken"),
        subresources={"token": ("TokenRequest", CREATE_ONLY)},
    ),
    Resource(
        "services",
        "Service",
        schema=fields("spec", "status"),
        short_names=("svc",),
        categories=("all",),
        status=True,
        columns=columns.SERVICE,
        hooks=kinds.SERVICE,
        selectable=("spec.clusterIP", "spec.type"),
    ),
)

GROUPS = (
    Resource(
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "apiextensions.k8s.io",
        namespaced=False,
        short_names=("crd", "crds"),
        categories=("api-extensions",),
        status=True,
        status_on_create=True,
        generation=True,
        columns=columns.CRD,
    ),
    Resource("controllerrevisions", "ControllerRevision", "apps"),
    Resource(
        "deployments",
        "Deployment",
        "apps",
        short_names=("deploy",),
        categories=("all",),
        status=True,
        generation=True,
        columns=columns.DEPLOYMENT,
    ),
    Resource("daemonsets", "DaemonSet", "apps", short_names=("ds",), categories=("all",), status=True, generation=True),
    Resource(
        "replicasets", "ReplicaSet", "apps", short_names=("rs",), categories=("all",), status=True, generation=True
    ),
    Resource("selfsubjectreviews", "SelfSubjectReview", "authentication.k8s.io", namespaced=False, verbs=CREATE_ONLY),
    Resource("tokenreviews", "TokenReview", "authentication.k8s.io", namespaced=False, verbs=CREATE_ONLY),
    Resource("localsubjectaccessreviews", "LocalSubjectAccessReview", "authorization.k8s.io", verbs=CREATE_ONLY),
    Resource(
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        "authorization.k8s.io",
        namespaced=False,
        verbs=CREATE_ONLY,
    ),
    Resource(
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
        "authorization.k8s.io",
        namespaced=False,
        verbs=CREATE_ONLY,
    ),
    Resource(
        "subjectaccessreviews", "SubjectAccessReview", "authorization.k8s.io", namespaced=False, verbs=CREATE_ONLY
    ),
    Resource(
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        "policy",
        short_names=("pdb",),
        status=True,
        generation=True,
        columns=columns.DISRUPTION_BUDGET,
    ),
    Resource("leases", "Lease", "coordination.k8s.io", columns=columns.LEASE),
    Resource(
        "events",
        "Event",
        "events.k8s.io",
        short_names=("ev",),
        columns=columns.EVENT,
        shares="events",
        to_stored=to_stored_event,
        from_stored=from_stored_event,
        selectable=("regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "reason", "type"),
    ),
    Resource(
        "clusterrolebindings",
        "ClusterRoleBinding",
        GROUP_RBAC,
        namespaced=False,
        columns=columns.BINDING,
        hooks=kinds.BINDING,
    ),
    Resource(
        "clusterroles", "ClusterRole", GROUP_RBAC, namespaced=False, columns=columns.ROLE, hooks=kinds.CLUSTER_ROLE
    ),
    Resource("rolebindings", "RoleBinding", GROUP_RBAC, columns=columns.BINDING, hooks=kinds.BINDING),
    Resource("roles", "Role", GROUP_RBAC, columns=columns.ROLE, hooks=kinds.ROLE),
    Resource("storageclasses", "StorageClass", "storage.k8s.io", namespaced=False, short_names=("sc",)),
)

NETWORK_ATTACHMENT_DEFINITIONS = Resource(
    "network-attachment-definitions",
    "NetworkAttachmentDefinition",
    "k8s.cni.cncf.io",
    singular="network-attachment-definition",
    short_names=("net-attach-def",),
    verbs=CRD_VERBS,
    custom=True,
    generation=True,
    columns=(NAME, CRD_AGE),
)

_kubevirts = partial(
    Resource,
    group="kubevirt.io",
    versions=KUBEVIRT_VERSIONS,
    deprecated=KUBEVIRT_VERSIONS[1:],
    categories=("all",),
    verbs=CRD_VERBS,
    custom=True,
    generation=True,
)

KUBEVIRT = (
    _kubevirts(
        "virtualmachineinstancemigrations",
        "VirtualMachineInstanceMigration",
        schema=kubevirt_schema.MIGRATION,
        short_names=("vmim", "vmims"),
        status=True,
        columns=(
            NAME,
            Column("Phase", ".status.phase", description="The current phase of VM instance migration"),
            Column("VMI", ".spec.vmiName", description="The name of the VMI to perform the migration on"),
        ),
    ),
    _kubevirts(
        "kubevirts",
        "KubeVirt",
        schema=kubevirt_schema.KUBEVIRT,
        short_names=("kv", "kvs"),
        status=True,
        columns=(NAME, CRD_AGE, Column("Phase", ".status.phase")),
    ),
    _kubevirts(
        "virtualmachines",
        "VirtualMachine",
        schema=kubevirt_schema.VIRTUAL_MACHINE,
        short_names=("vm", "vms"),
        status=True,
        columns=(
            NAME,
            CRD_AGE,
            Column("Status", ".status.printableStatus", description="Human Readable Status"),
            Column("Ready", READY),
        ),
    ),
    _kubevirts(
        "virtualmachineinstances",
        "VirtualMachineInstance",
        schema=kubevirt_schema.VIRTUAL_MACHINE_INSTANCE,
        short_names=("vmi", "vmis"),
        columns=(
            NAME,
            CRD_AGE,
            Column("Phase", ".status.phase"),
            Column("IP", ".status.interfaces[0].ipAddress"),
            Column("NodeName", ".status.nodeName"),
            Column("Ready", READY),
            Column("Live-Migratable", ".status.conditions[?(@.type=='LiveMigratable')].status", priority=1),
            Column("Paused", ".status.conditions[?(@.type=='Paused')].status", priority=1),
        ),
    ),
)

EXPORT = Resource(
    "virtualmachineexports",
    "VirtualMachineExport",
    "export.kubevirt.io",
    versions=("v1", "v1beta1"),
    deprecated=("v1beta1",),
    deprecation="{api} {kind} is now deprecated and will be removed in a future version.",
    short_names=("vmexport", "vmexports"),
    categories=("all",),
    verbs=CRD_VERBS,
    custom=True,
    status=True,
    generation=True,
    schema=kubevirt_schema.EXPORT,
    columns=(
        NAME,
        Column("SourceKind", ".spec.source.kind"),
        Column("SourceName", ".spec.source.name"),
        Column("Phase", ".status.phase"),
    ),
)


def default_registry() -> Registry:
    """Every resource of an embedded cluster's API."""
    return Registry([*CORE, *GROUPS, NETWORK_ATTACHMENT_DEFINITIONS, *KUBEVIRT, EXPORT])


__all__ = ["CORE", "GROUPS", "KUBEVIRT", "NETWORK_ATTACHMENT_DEFINITIONS", "default_registry"]
