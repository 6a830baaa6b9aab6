# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj

MIGRATIONS = {"apiGroups": ["kubevirt.io"], "resources": ["virtualmachineinstancemigrations"], "verbs": ["create"]}


def _with_migrations(roles: list[Obj], **_: Any) -> list[Obj]:
    return [
        role | {"rules": [*role["rules"], MIGRATIONS]} if role["metadata"]["name"] == "kubevirt.io:edit" else role
        for role in roles
    ]


DEFECT = Defect(
    name="edit-role-may-migrate",
    sentence="The namespace role edit lets a VM owner make migration objects.",
    rows=("R34",),
    point="rbac.cluster_roles",
    change=_with_migrations,
)
