# SPDX-License-Identifier: Apache-2.0
"""Storage as an add-on of every platform."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any

from ..apiserver.registry import Resource
from ..controlplane import names
from ..controlplane.profile import Profile
from ..kube.client import Obj
from ..platforms.addon import Addon, AddonContext
from ..platforms.platform import Platform
from .claims import Binder, NewClaims
from .datavolumes import DataVolumes
from .kinds import GROUP, KINDS, STORAGE_CLASSES, STORAGE_PROFILES, storage_class, storage_profile

RBAC = "rbac.authorization.k8s.io"
ROLES = {"admin": ["*"], "edit": ["*"], "view": ["get", "list", "watch"]}


class Storage(Addon):
    """One StorageClass with shared block volumes, and CDI."""

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        return KINDS

    def register(self, context: AddonContext) -> None:
        context.core.admission.mutating(names.CLAIM, ("CREATE",), NewClaims(context.core).complete)

    async def install(self, context: AddonContext) -> None:
        await context.ensure(STORAGE_CLASSES, storage_class())
        await context.ensure(STORAGE_PROFILES.key, storage_profile(), status=True)
        await context.ensure(f"clusterroles.{RBAC}", *(role(name, verbs) for name, verbs in ROLES.items()))

    def controllers(self, context: AddonContext) -> Iterable[Coroutine[Any, Any, None]]:
        return Binder(context).run(), DataVolumes(context).run()


def role(name: str, verbs: list[str]) -> Obj:
    """Members of a namespace have the same rights on its DataVolumes as on its claims."""
    labels = {f"{RBAC}/aggregate-to-{name}": "true"}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"cdi.kubevirt.io:{name}", "labels": labels},
        "rules": [{"apiGroups": [GROUP], "resources": ["datavolumes"], "verbs": verbs}],
    }
