# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj

MORE = {"apiGroups": ["k8s.cni.cncf.io"], "resources": ["*"], "verbs": ["*"]}


def _with_more(roles: list[Obj], **_: Any) -> list[Obj]:
    return [
        role | {"rules": [*role["rules"], MORE]} if role["metadata"]["name"] == "kubevirt.io:edit" else role
        for role in roles
    ]


DEFECT = Defect(
    name="edit-role-may-change-nads",
    sentence="The namespace role edit lets a VM owner change the networks that the administrator made.",
    rows=("R34",),
    point="rbac.cluster_roles",
    change=_with_more,
)
