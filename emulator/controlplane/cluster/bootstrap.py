# SPDX-License-Identifier: Apache-2.0
"""Creates the objects of an installed KubeVirt, as far as clients read them."""

from __future__ import annotations

from typing import Any

from emulator.controlplane import names
from emulator.controlplane.cluster.roles import bindings, cluster_roles
from emulator.controlplane.profile import Profile
from emulator.fault_points import FaultPoints
from emulator.kube.client import Client
from emulator.kube.errors import ApiError
from emulator.kube.timestamps import timestamp
from emulator.platforms.platform import Platform

Obj = dict[str, Any]
DEPLOYMENT_ID = "embedded"
METRICS_SERVICE = "kubevirt-prometheus-metrics"
ROLES = "clusterroles.rbac.authorization.k8s.io"
BINDINGS = "clusterrolebindings.rbac.authorization.k8s.io"


async def bootstrap(client: Client, profile: Profile, fault_points: FaultPoints, platform: Platform) -> None:
    """Safe to call again: existing objects stay. If the platform has an operator for it, that one creates the KubeVirt
    CR.
    """
    namespace = platform.kubevirt_namespace
    home = {"name": namespace, "labels": {"kubevirt.io": ""}}
    await _ensure(client, names.NAMESPACES, _object("v1", "Namespace", home))
    for user in (names.OPERATOR_USER, names.API_USER, names.CONTROLLER_USER, names.HANDLER_USER):
        meta = {"name": user, "namespace": namespace}
        await _ensure(client, "serviceaccounts", _object("v1", "ServiceAccount", meta))
    service = _object("v1", "Service", {"name": METRICS_SERVICE, "namespace": namespace})
    ports = [{"name": "metrics", "port": 443, "protocol": "TCP", "targetPort": "metrics"}]
    await _ensure(
        client, "services", service | {"spec": {"ports": ports, "selector": {"prometheus.kubevirt.io": "true"}}}
    )
    for role in fault_points.apply("rbac.cluster_roles", cluster_roles()):
        await _ensure(client, ROLES, role)
    for binding in bindings():
        await _ensure(client, BINDINGS, binding)
    if not platform.owns_kubevirt:
        await _ensure(client, names.KUBEVIRT, kubevirt(profile, platform))
        await deploy(client, profile, platform, fault_points)


async def deploy(client: Client, profile: Profile, platform: Platform, fault_points: FaultPoints) -> None:
    """Writes the status of a KubeVirt CR whose components all run."""
    name, namespace = platform.kubevirt_name, platform.kubevirt_namespace
    status = {"status": fault_points.apply("kubevirt.status", kubevirt_status(profile))}
    await client.patch(names.KUBEVIRT, name, namespace, status, subresource="status")


def kubevirt(profile: Profile, platform: Platform) -> Obj:
    """The CR of a cluster that live-migrates workloads to update them, as OpenShift Virtualization's does."""
    meta = {"name": platform.kubevirt_name, "namespace": platform.kubevirt_namespace}
    spec = {
        "certificateRotateStrategy": {},
        "configuration": {
            "developerConfiguration": {"featureGates": list(profile.feature_gates)},
            "vmRolloutStrategy": "LiveUpdate",
        },
        "customizeComponents": {},
        "imagePullPolicy": "IfNotPresent",
        "workloadUpdateStrategy": {"workloadUpdateMethods": ["LiveMigrate"]},
    }
    return _object(names.API_VERSION, "KubeVirt", meta) | {"spec": spec}


def kubevirt_status(profile: Profile) -> Obj:
    now = timestamp()
    said = (
        ("Available", "AllComponentsReady", "All components are ready."),
        ("Created", "AllResourcesCreated", "All resources were created."),
    )
    return {
        "conditions": [
            {
                "lastProbeTime": now,
                "lastTransitionTime": now,
                "message": message,
                "reason": reason,
                "status": "True",
                "type": kind,
            }
            for kind, reason, message in said
        ],
        "defaultArchitecture": "amd64",
        "observedDeploymentID": DEPLOYMENT_ID,
        "observedKubeVirtVersion": profile.version,
        "operatorVersion": profile.version,
        "outdatedVirtualMachineInstanceWorkloads": 0,
        "phase": "Deployed",
        "targetDeploymentID": DEPLOYMENT_ID,
        "targetKubeVirtVersion": profile.version,
    }


def _object(api_version: str, kind: str, metadata: Obj) -> Obj:
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


async def _ensure(client: Client, resource: str, obj: Obj) -> None:
    try:
        await client.create(resource, obj)
    except ApiError as error:
        if error.code != 409:
            raise
