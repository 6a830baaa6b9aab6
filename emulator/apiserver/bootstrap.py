# SPDX-License-Identifier: Apache-2.0
"""The objects of a new Kubernetes cluster: namespaces, roles and bindings."""

from __future__ import annotations

from . import create_update
from .core import ApiCore
from .objects import Obj
from .rbac import GROUP
from .registry import Resource
from .request_context import Call, Target
from .users import ADMIN, AUTHENTICATED, MASTERS, UNAUTHENTICATED

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
PRESERVED = {"x-kubernetes-preserve-unknown-fields": True}
READ = ["get", "list", "watch"]
WRITE = ["create", "delete", "deletecollection", "patch", "update"]
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
DISCOVERY = [
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
]
OPEN = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
VIEWED = [
    "bindings",
    "configmaps",
    "endpoints",
    "events",
    "limitranges",
    "namespaces",
    "namespaces/status",
    "persistentvolumeclaims",
    "persistentvolumeclaims/status",
    "pods",
    "pods/log",
    "pods/status",
    "replicationcontrollers",
    "resourcequotas",
    "resourcequotas/status",
    "serviceaccounts",
    "services",
    "services/status",
]
EDITED = ["configmaps", "events", "persistentvolumeclaims", "pods", "serviceaccounts", "services"]
APPS = ["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"]


def rule(groups: list[str], resources: list[str], verbs: list[str]) -> Obj:
    return {"verbs": verbs, "apiGroups": groups, "resources": resources}


def _paths(urls: list[str]) -> Obj:
    return {"verbs": ["get"], "nonResourceURLs": urls}


def _aggregated(name: str) -> Obj:
    selector = {"matchLabels": {f"{AGGREGATE}{name}": "true"}}
    return {"aggregationRule": {"clusterRoleSelectors": [selector]}}


ROLES: dict[str, list[Obj]] = {
    "cluster-admin": [rule(["*"], ["*"], ["*"]), {"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "system:discovery": [_paths([*DISCOVERY, "/version/"])],
    "system:public-info-viewer": [_paths(OPEN)],
    "system:basic-user": [
        rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
        rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
    ],
}
AGGREGATED_ROLES: dict[str, tuple[str, list[Obj]]] = {
    "system:aggregate-to-view": (
        "view",
        [rule([""], VIEWED, READ), rule(["apps"], APPS, READ), rule(["events.k8s.io"], ["events"], READ)],
    ),
    "system:aggregate-to-edit": (
        "edit",
        [
            rule([""], ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets"], READ),
            rule([""], ["serviceaccounts"], ["impersonate"]),
            rule([""], [*EDITED, "secrets", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"], WRITE),
            rule([""], ["pods/eviction", "serviceaccounts/token"], ["create"]),
            rule(["apps"], [*APPS, "deployments/scale"], WRITE),
            rule(["coordination.k8s.io"], ["leases"], [*WRITE, *READ]),
            rule(["events.k8s.io"], ["events"], WRITE),
        ],
    ),
    "system:aggregate-to-admin": (
        "admin",
        [
            rule(["authorization.k8s.io"], ["localsubjectaccessreviews"], ["create"]),
            rule([GROUP], ["rolebindings", "roles"], [*WRITE, *READ]),
        ],
    ),
}
BINDINGS = {
    "cluster-admin": ("cluster-admin", [MASTERS]),
    "system:discovery": ("system:discovery", [AUTHENTICATED]),
    "system:public-info-viewer": ("system:public-info-viewer", [AUTHENTICATED, UNAUTHENTICATED]),
    "system:basic-user": ("system:basic-user", [AUTHENTICATED]),
}


async def bootstrap(core: ApiCore) -> None:
    """Creates the objects; the store must be empty."""
    call = Call(user=ADMIN, manager="kube-apiserver")
    for name in NAMESPACES:
        await create_update.create(core, call, Target(core.resource("namespaces")), {"metadata": {"name": name}})
    for obj in cluster_roles():
        await create_update.create(core, call, Target(core.resource(f"clusterroles.{GROUP}")), obj)
    for name, (role, groups) in BINDINGS.items():
        obj = {
            "metadata": {"name": name},
            "subjects": [{"kind": "Group", "name": group} for group in groups],
            "roleRef": {"kind": "ClusterRole", "name": role},
        }
        await create_update.create(core, call, Target(core.resource(f"clusterrolebindings.{GROUP}")), obj)
    definitions = core.resource("customresourcedefinitions.apiextensions.k8s.io")
    for resource in core.registry:
        if resource.custom:
            await create_update.create(core, call, Target(definitions), definition(resource))


def cluster_roles() -> list[Obj]:
    """Kubernetes' own cluster roles, as far as clients of this cluster can use them."""
    found: list[Obj] = [{"metadata": {"name": name}, "rules": rules} for name, rules in ROLES.items()]
    for name, (target, rules) in AGGREGATED_ROLES.items():
        labels = {f"{AGGREGATE}{target}": "true"}
        found.append({"metadata": {"name": name, "labels": labels}, "rules": rules})
    for name, above in (("view", "edit"), ("edit", "admin"), ("admin", "")):
        labels = {f"{AGGREGATE}{above}": "true"} if above else {}
        found.append({"metadata": {"name": name, "labels": labels}, **_aggregated(name)})
    return found


def definition(resource: Resource) -> Obj:
    """The CustomResourceDefinition that a cluster shows for a custom resource."""
    subresources: Obj = {"subresources": {"status": {}}} if resource.status else {}
    names: Obj = {
        "plural": resource.plural,
        "singular": resource.singular_name,
        "kind": resource.kind,
        "listKind": resource.list_kind,
        "shortNames": list(resource.short_names),
    }
    schema = {"openAPIV3Schema": {"type": "object", **(resource.schema or PRESERVED)}}
    versions = [
        {"name": version, "served": True, "storage": version == resource.version, "schema": schema, **subresources}
        for version in resource.versions
    ]
    return {
        "metadata": {"name": f"{resource.plural}.{resource.group}"},
        "spec": {
            "group": resource.group,
            "names": names,
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "versions": versions,
        },
        "status": {
            "acceptedNames": names,
            "storedVersions": [resource.version],
            "conditions": [
                {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found"},
                {
                    "type": "Established",
                    "status": "True",
                    "reason": "InitialNamesAccepted",
                    "message": "the initial names have been accepted",
                },
            ],
        },
    }
