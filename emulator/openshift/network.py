# SPDX-License-Identifier: Apache-2.0
"""The cluster network operator's objects: Multus' DaemonSet, the NAD webhook, and the roles to read NADs."""

from __future__ import annotations

import json
from typing import Any

from emulator.apiserver.admission import AdmissionRequest
from emulator.controlplane import names
from emulator.controlplane.admission.denials import denied
from emulator.kube.client import Obj
from emulator.platforms.addon import Addon, AddonContext

from .objects import made

WEBHOOK = "multus-validating-config.k8s.io"
MULTUS_NAMESPACE = "openshift-multus"
READ = ["get", "list", "watch"]
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-{}"


class ClusterNetwork(Addon):
    """Multus as OpenShift runs it. The node agent implements its namespace isolation."""

    def register(self, context: AddonContext) -> None:
        context.core.admission.validating(names.NAD, ("CREATE", "UPDATE"), check_nad)

    async def install(self, context: AddonContext) -> None:
        await context.ensure_namespaces(MULTUS_NAMESPACE, "openshift-network-operator", "openshift-ovn-kubernetes")
        await context.ensure("daemonsets.apps", daemon_set("multus", MULTUS_NAMESPACE, "multus"), status=True)
        await context.ensure("clusterroles.rbac.authorization.k8s.io", nad_reader())


def nad_reader() -> Obj:
    """Members of a project may read NADs; only a cluster administrator may create them."""
    labels = {AGGREGATE.format(role): "true" for role in ("admin", "edit", "cluster-reader")}
    rule = {"apiGroups": ["k8s.cni.cncf.io"], "resources": ["network-attachment-definitions"], "verbs": READ}
    role = made("rbac.authorization.k8s.io/v1", "ClusterRole", "net-attach-def-project", labels=labels)
    return role | {"rules": [rule]}


def daemon_set(name: str, namespace: str, app: str, *, nodes: int = 2) -> Obj:
    """A DaemonSet with a pod on every node. The pods themselves do not exist."""
    labels = {"app": app}
    pod = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": name, "image": f"quay.io/openshift/{name}:embedded"}]},
    }
    counts = ("currentNumberScheduled", "desiredNumberScheduled", "numberAvailable", "numberReady")
    return made("apps/v1", "DaemonSet", name, namespace=namespace, labels=labels) | {
        "spec": {"selector": {"matchLabels": labels}, "template": pod},
        "status": dict.fromkeys((*counts, "updatedNumberScheduled"), nodes)
        | {"numberMisscheduled": 0, "observedGeneration": 1},
    }


async def check_nad(request: AdmissionRequest) -> None:
    """The webhook that parses ``spec.config`` as the CNI would, before a pod depends on it."""
    nad, old = request.new, request.old
    if nad is None or (old is not None and old.get("spec") == nad.get("spec")):
        return
    text = (nad.get("spec") or {}).get("config") or ""
    if not text:
        return
    try:
        config = json.loads(text)
    except ValueError:
        raise denied(WEBHOOK, "configuration string is not in JSON format") from None
    if not _is_cni(config):
        raise denied(WEBHOOK, "invalid config")


def _is_cni(config: Any) -> bool:
    """One plugin with a type, or a list of them."""
    if not isinstance(config, dict):
        return False
    plugins = config.get("plugins")
    if plugins is None:
        return bool(config.get("type"))
    return isinstance(plugins, list) and bool(plugins) and all(isinstance(p, dict) and p.get("type") for p in plugins)
