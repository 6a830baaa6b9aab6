# SPDX-License-Identifier: Apache-2.0
"""Routes, and the namespace of the monitoring stack."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.apiserver.builtin import CRD_VERBS
from emulator.apiserver.columns import NAME
from emulator.apiserver.registry import Column, Resource
from emulator.controlplane.profile import Profile
from emulator.platforms.addon import Addon, AddonContext
from emulator.platforms.platform import Platform

GROUP = "route.openshift.io"
NAMESPACE = "openshift-monitoring"

ROUTES = Resource(
    "routes",
    "Route",
    GROUP,
    verbs=CRD_VERBS,
    custom=True,
    status=True,
    columns=(
        NAME,
        Column("Host", ".status.ingress[0].host"),
        Column("Path", ".spec.path"),
        Column("Services", ".spec.to.name"),
        Column("Port", ".spec.port.targetPort"),
        Column("Termination", ".spec.tls.termination"),
    ),
)


class Monitoring(Addon):
    """``openshift-monitoring`` and the kind Route. ``controlplane/metrics`` has the monitoring stack itself."""

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        return (ROUTES,)

    async def install(self, context: AddonContext) -> None:
        await context.ensure_namespaces(NAMESPACE, labels={"openshift.io/cluster-monitoring": "true"})
