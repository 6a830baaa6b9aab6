# SPDX-License-Identifier: Apache-2.0
"""The network addons that HyperConverged deploys: bridge marker, Linux bridge plugin, and their configuration."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.apiserver.builtin import CRD_VERBS
from emulator.apiserver.columns import CRD_AGE, NAME
from emulator.apiserver.registry import Column, Resource
from emulator.controlplane.profile import Profile
from emulator.kube.client import Obj
from emulator.openshift.identity import shown_release
from emulator.openshift.network import daemon_set
from emulator.openshift.objects import condition, made
from emulator.platforms.addon import Addon, AddonContext
from emulator.platforms.platform import Platform

GROUP = "networkaddonsoperator.network.kubevirt.io"
CONFIGS = Resource(
    "networkaddonsconfigs",
    "NetworkAddonsConfig",
    GROUP,
    versions=("v1", "v1alpha1"),
    namespaced=False,
    verbs=CRD_VERBS,
    custom=True,
    status=True,
    generation=True,
    columns=(NAME, CRD_AGE, Column("Available", ".status.conditions[?(@.type=='Available')].status")),
)
DAEMONS = ("bridge-marker", "kube-cni-linux-bridge-plugin")


class NetworkAddons(Addon):
    """NetworkAddonsConfig ``cluster`` and the DaemonSets. HyperConverged deploys no Dynamic Networks Controller."""

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        return (CONFIGS,)

    async def install(self, context: AddonContext) -> None:
        home = context.platform.kubevirt_namespace
        await context.ensure(f"networkaddonsconfigs.{GROUP}", network_addons(shown_release(context)), status=True)
        daemons = [daemon_set(name, home, "cni-plugins" if "cni" in name else name) for name in DAEMONS]
        await context.ensure("daemonsets.apps", *daemons, status=True)


def network_addons(version: str) -> Obj:
    labels = {"app": "kubevirt-hyperconverged", "app.kubernetes.io/managed-by": "hco-operator"}
    said = [condition("Degraded", False), condition("Progressing", False), condition("Available", True)]
    return made(f"{GROUP}/v1", "NetworkAddonsConfig", "cluster", labels=labels) | {
        "spec": {
            "imagePullPolicy": "IfNotPresent",
            "kubeMacPool": {},
            "kubevirtIpamController": {},
            "linuxBridge": {},
            "selfSignConfiguration": {"caRotateInterval": "48h0m0s", "certRotateInterval": "24h0m0s"},
        },
        "status": {
            "conditions": said,
            "observedVersion": version,
            "operatorVersion": version,
            "targetVersion": version,
        },
    }
