# SPDX-License-Identifier: Apache-2.0
"""The objects of Multus' Dynamic Networks Controller. The node agent does its work."""

from __future__ import annotations

from typing import Any

from emulator.kube.client import Client

Obj = dict[str, Any]
NAMESPACE = "kube-system"
DAEMON_SET = "dynamic-networks-controller-ds"
NAME = "dynamic-networks-controller"
LABELS = {"app": NAME, "name": NAME, "tier": "node"}
IMAGE = "ghcr.io/k8snetworkplumbingwg/multus-dynamic-networks-controller:embedded"
READ = ["get", "list", "watch"]


async def install(client: Client, nodes: int) -> None:
    """Creates what its own manifest creates, on a cluster with this number of nodes."""
    for resource, obj in (
        ("serviceaccounts", _object("v1", "ServiceAccount")),
        ("clusterroles.rbac.authorization.k8s.io", _role()),
        ("clusterrolebindings.rbac.authorization.k8s.io", _binding()),
        ("daemonsets.apps", _daemon_set()),
    ):
        await client.create(resource, obj)
    counts = ("currentNumberScheduled", "desiredNumberScheduled", "numberReady", "numberAvailable")
    status = dict.fromkeys(counts, nodes) | {"numberMisscheduled": 0, "observedGeneration": 1}
    await client.patch("daemonsets.apps", DAEMON_SET, NAMESPACE, {"status": status}, subresource="status")


def _object(api_version: str, kind: str, *, namespaced: bool = True) -> Obj:
    place = {"namespace": NAMESPACE} if namespaced else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": NAME, **place}}


def _role() -> Obj:
    rules = [
        {"apiGroups": ["k8s.cni.cncf.io"], "resources": ["network-attachment-definitions"], "verbs": READ},
        {"apiGroups": [""], "resources": ["pods"], "verbs": READ},
        {"apiGroups": [""], "resources": ["pods/status"], "verbs": ["get", "update"]},
        {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch", "update"]},
    ]
    return _object("rbac.authorization.k8s.io/v1", "ClusterRole", namespaced=False) | {"rules": rules}


def _binding() -> Obj:
    return _object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", namespaced=False) | {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }


def _daemon_set() -> Obj:
    spec = {
        "selector": {"matchLabels": {"name": NAME}},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {"serviceAccountName": NAME, "containers": [{"name": NAME, "image": IMAGE}]},
        },
    }
    metadata = {"name": DAEMON_SET, "namespace": NAMESPACE, "labels": LABELS}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": spec}
