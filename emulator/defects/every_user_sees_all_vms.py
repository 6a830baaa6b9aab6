# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj

MORE = {"apiGroups": ["kubevirt.io"], "resources": ["virtualmachines"], "verbs": ["get", "list", "watch"]}


def _with_more(roles: list[Obj], **_: Any) -> list[Obj]:
    """This role is bound to everybody, in the whole cluster."""
    return [
        role | {"rules": [*role["rules"], MORE]} if role["metadata"]["name"] == "kubevirt.io:default" else role
        for role in roles
    ]


DEFECT = Defect(
    name="every-user-sees-all-vms",
    sentence="Every user of the cluster may list the VMs of every namespace.",
    rows=("R34",),
    point="rbac.cluster_roles",
    change=_with_more,
)
