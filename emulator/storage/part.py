"""Storage as a part of every platform."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any

from ..apiserver.registry import Resource
from ..controlplane import names
from ..controlplane.profile import Profile
from ..kube.client import Obj
from ..platforms.part import Part, Site
from ..platforms.platform import Platform
from .claims import Binder, NewClaims
from .datavolumes import DataVolumes
from .kinds import GROUP, KINDS, STORAGE_CLASSES, STORAGE_PROFILES, storage_class, storage_profile

RBAC = "rbac.authorization.k8s.io"
ROLES = {"admin": ["*"], "edit": ["*"], "view": ["get", "list", "watch"]}


class Storage(Part):
    """One class that can share blocks, and CDI over it."""

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        return KINDS

    def register(self, site: Site) -> None:
        site.core.admission.mutating(names.CLAIM, ("CREATE",), NewClaims(site.core).complete)

    async def install(self, site: Site) -> None:
        await site.ensure(STORAGE_CLASSES, storage_class())
        await site.ensure(STORAGE_PROFILES.key, storage_profile(), status=True)
        await site.ensure(f"clusterroles.{RBAC}", *(role(name, verbs) for name, verbs in ROLES.items()))

    def work(self, site: Site) -> Iterable[Coroutine[Any, Any, None]]:
        return Binder(site).run(), DataVolumes(site).run()


def role(name: str, verbs: list[str]) -> Obj:
    """Members of a namespace handle its DataVolumes as they handle its claims."""
    labels = {f"{RBAC}/aggregate-to-{name}": "true"}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"cdi.kubevirt.io:{name}", "labels": labels},
        "rules": [{"apiGroups": [GROUP], "resources": ["datavolumes"], "verbs": verbs}],
    }
