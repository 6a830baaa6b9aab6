# SPDX-License-Identifier: Apache-2.0
"""Users and service accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
EXTRA = "authentication.kubernetes.io/"
NODE_NAME = f"{EXTRA}node-name"


@dataclass(frozen=True)
class UserInfo:
    """A user as Kubernetes knows one; ``groups`` are complete, ``system:authenticated`` included."""

    name: str
    groups: tuple[str, ...] = (AUTHENTICATED,)
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_master(self) -> bool:
        return MASTERS in self.groups


ANONYMOUS = UserInfo("system:anonymous", (UNAUTHENTICATED,))
ADMIN = UserInfo("kubernetes-admin", (MASTERS, AUTHENTICATED))


def service_account(namespace: str, name: str, uid: str = "", *, node: str = "") -> UserInfo:
    """The user that a pod with this service account is; ``node`` is that of a token which is bound to such a pod."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    extra = {NODE_NAME: (node,)} if node else {}
    return UserInfo(f"system:serviceaccount:{namespace}:{name}", groups, uid, extra)
