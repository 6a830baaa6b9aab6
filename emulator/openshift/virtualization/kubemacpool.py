# SPDX-License-Identifier: Apache-2.0
"""KubeMacPool: a mutating webhook that assigns MACs to the NICs of VMs, and its handling of duplicate MACs."""

from __future__ import annotations

import secrets
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any

from emulator.apiserver.admission import AdmissionRequest
from emulator.apiserver.columns import AGE, NAME
from emulator.apiserver.core import ApiCore
from emulator.apiserver.registry import Column, Resource
from emulator.controlplane import names
from emulator.controlplane.accessors import by_name, interfaces, networks
from emulator.controlplane.profile import Profile
from emulator.kube.client import Obj
from emulator.kube.errors import ApiError
from emulator.openshift.objects import made
from emulator.platforms.addon import Addon, AddonContext
from emulator.platforms.platform import Platform

from .mac_collisions import Collisions

WEBHOOK = "mutatevirtualmachines.kubemacpool.io"
MUTATOR = "kubemacpool-mutator"
DEPLOYMENT = "kubemacpool-mac-controller-manager"
WEBHOOKS = "mutatingwebhookconfigurations.admissionregistration.k8s.io"
RESOURCE = Resource(
    "mutatingwebhookconfigurations",
    "MutatingWebhookConfiguration",
    "admissionregistration.k8s.io",
    namespaced=False,
    columns=(NAME, Column("Webhooks", lambda obj: len(obj.get("webhooks") or [])), AGE),
)


class KubeMacPool(Addon):
    """Opt-out: every namespace takes part unless its label says ``ignore``."""

    _collisions: Collisions | None = None

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        return (RESOURCE,)

    def register(self, context: AddonContext) -> None:
        # In the release with KubeVirt 1.7 a MAC of another VM was refused; since then it is only reported.
        refuses = context.profile.live_update == "never"
        pool = Pool(context.core, refuses_taken=refuses)
        context.core.admission.mutating(names.VM, ("CREATE", "UPDATE"), pool.fill)
        self._collisions = None if refuses else Collisions(context)

    async def install(self, context: AddonContext) -> None:
        home = context.platform.kubevirt_namespace
        await context.ensure(WEBHOOKS, webhook_configuration(home))
        await context.ensure("deployments.apps", deployment(home), status=True)

    def controllers(self, context: AddonContext) -> Iterable[Coroutine[Any, Any, None]]:
        return () if self._collisions is None else (self._collisions.run(),)


class Pool:
    """The MAC range of this cluster; ``refuses_taken`` is the behaviour of older releases."""

    def __init__(self, core: ApiCore, *, refuses_taken: bool) -> None:
        self._core = core
        self._refuses_taken = refuses_taken
        self._prefix = f"02:{secrets.token_hex(1)}:{secrets.token_hex(1)}"
        self._next = 0

    async def fill(self, request: AdmissionRequest) -> None:
        """Gives every NIC of a masquerade or Multus network a MAC; an update without one keeps the old MAC."""
        vm = request.new
        if vm is None or "deletionTimestamp" in vm["metadata"] or self._is_ignored(request.namespace):
            return
        before = by_name(interfaces(request.old["spec"]["template"]["spec"])) if request.old else {}
        spec = vm["spec"]["template"]["spec"]
        nets = by_name(networks(spec))
        taken = set(self._taken(request.namespace, request.name))
        given: dict[str, str] = {}
        for nic in interfaces(spec):
            name = nic.get("name", "")
            if not _is_pooled(nic, nets.get(name, {})):
                continue
            mac = str(nic.get("macAddress") or before.get(name, {}).get("macAddress") or "")
            if not mac:
                mac = self._allocate(taken | given.keys())
            elif mac != before.get(name, {}).get("macAddress"):
                self._check(request, name, _plain(mac), taken, given)
            nic["macAddress"] = mac
            given[_plain(mac)] = name

    def _check(self, request: AdmissionRequest, name: str, mac: str, taken: set[str], given: dict[str, str]) -> None:
        act = "create" if request.operation == "CREATE" else "update"
        start = f"Failed to {act} virtual machine allocation error: "
        if self._refuses_taken and (mac in taken or mac in given):
            raise _refusal(start + "failed to allocate requested mac address")
        if mac in given:
            raise _refusal(start + f"duplicate MAC address {mac} found on interfaces: {given[mac]} and {name}")

    def _is_ignored(self, namespace: str) -> bool:
        found = self._core.find(self._core.resource("namespaces"), "", namespace)
        labels = (found.obj["metadata"].get("labels") or {}) if found else {}
        return bool(labels.get(WEBHOOK) == "ignore")

    def _taken(self, namespace: str, name: str) -> Iterator[str]:
        """The MACs of all other VMs."""
        for item in self._core.items(self._core.resource(names.VM)):
            meta = item.obj["metadata"]
            if (meta["namespace"], meta["name"]) != (namespace, name):
                for nic in interfaces(item.obj["spec"]["template"]["spec"]):
                    if nic.get("macAddress"):
                        yield _plain(nic["macAddress"])

    def _allocate(self, taken: set[str]) -> str:
        """The next MAC of the range. None is assigned twice: a VM that is refused later leaves a gap."""
        while True:
            number = self._next
            self._next += 1
            mac = f"{self._prefix}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
            if mac not in taken:
                return mac


def _is_pooled(nic: Obj, network: Obj) -> bool:
    return "multus" in network or ("pod" in network and "masquerade" in nic)


def _plain(mac: str) -> str:
    return mac.lower().replace("-", ":")


def _refusal(message: str) -> ApiError:
    return ApiError(500, "", f'admission webhook "{WEBHOOK}" denied the request: {message}')


def webhook_configuration(namespace: str) -> Obj:
    hooks = (
        (WEBHOOK, "kubevirt.io", "virtualmachines", ["CREATE", "UPDATE"], "/mutate-virtualmachines"),
        ("mutatepods.kubemacpool.io", "", "pods", ["CREATE"], "/mutate-pods"),
    )
    return made("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", MUTATOR) | {
        "webhooks": [
            {
                "name": name,
                "admissionReviewVersions": ["v1", "v1beta1"],
                "clientConfig": {"service": {"name": "kubemacpool-service", "namespace": namespace, "path": path}},
                "failurePolicy": "Fail",
                "matchPolicy": "Equivalent",
                "namespaceSelector": {
                    "matchExpressions": [
                        {"key": "runlevel", "operator": "NotIn", "values": ["0", "1"]},
                        {"key": "openshift.io/run-level", "operator": "NotIn", "values": ["0", "1"]},
                        {"key": name, "operator": "NotIn", "values": ["ignore"]},
                    ]
                },
                "reinvocationPolicy": "Never",
                "rules": [{"apiGroups": [group], "apiVersions": ["v1"], "operations": verbs, "resources": [plural]}],
                "sideEffects": "NoneOnDryRun",
            }
            for name, group, plural, verbs, path in hooks
        ]
    }


def deployment(namespace: str) -> Obj:
    labels = {"app": "kubemacpool", "control-plane": "mac-controller-manager"}
    pod = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "manager", "image": "quay.io/kubevirt/kubemacpool:embedded"}]},
    }
    return made("apps/v1", "Deployment", DEPLOYMENT, namespace=namespace, labels=labels) | {
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod},
        "status": {"availableReplicas": 1, "observedGeneration": 1, "readyReplicas": 1, "replicas": 1},
    }
