# SPDX-License-Identifier: Apache-2.0
"""The Operator Lifecycle Manager's objects of the installed OpenShift Virtualization."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.apiserver.builtin import CRD_VERBS
from emulator.apiserver.columns import NAME
from emulator.apiserver.registry import Column, Resource
from emulator.controlplane.profile import Profile
from emulator.kube.client import Obj
from emulator.openshift.identity import shown_release
from emulator.openshift.objects import made
from emulator.platforms.addon import Addon, AddonContext
from emulator.platforms.platform import Platform

GROUP = "operators.coreos.com"
PACKAGE = "kubevirt-hyperconverged"
CSVS = Resource(
    "clusterserviceversions",
    "ClusterServiceVersion",
    GROUP,
    versions=("v1alpha1",),
    short_names=("csv", "csvs"),
    verbs=CRD_VERBS,
    custom=True,
    status=True,
    columns=(
        NAME,
        Column("Display", ".spec.displayName"),
        Column("Version", ".spec.version"),
        Column("Replaces", ".spec.replaces"),
        Column("Phase", ".status.phase"),
    ),
)


class Operators(Addon):
    """The ClusterServiceVersion of OpenShift Virtualization."""

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        return (CSVS,)

    async def install(self, context: AddonContext) -> None:
        home = context.platform.kubevirt_namespace
        csv = service_version(home, context.release, shown_release(context))
        await context.ensure(f"clusterserviceversions.{GROUP}", csv, status=True)


def service_version(namespace: str, release: str, shown: str) -> Obj:
    """The object's name cannot say that the cluster is an embedded one; its version does."""
    labels = {f"{GROUP}/{PACKAGE}.{namespace}": ""}
    name = f"{PACKAGE}-operator.v{release}"
    return made(f"{GROUP}/v1alpha1", "ClusterServiceVersion", name, namespace=namespace, labels=labels) | {
        "spec": {"displayName": "OpenShift Virtualization (embedded)", "version": shown},
        "status": {
            "message": "install strategy completed with no errors",
            "phase": "Succeeded",
            "reason": "InstallSucceeded",
        },
    }
