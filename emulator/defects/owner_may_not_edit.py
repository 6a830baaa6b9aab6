# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj

CHANGES = {"update", "patch"}


def _read_and_make(roles: list[Obj], **_: Any) -> list[Obj]:
    return [_without_changes(role) if role["metadata"]["name"] == "kubevirt.io:edit" else role for role in roles]


def _without_changes(role: Obj) -> Obj:
    rules = [
        rule | {"verbs": [verb for verb in rule["verbs"] if verb not in CHANGES]}
        if "virtualmachines" in rule["resources"]
        else rule
        for rule in role["rules"]
    ]
    return role | {"rules": rules}


DEFECT = Defect(
    name="owner-may-not-edit",
    sentence="The namespace role edit does not let VM owners change their VMs.",
    rows=("R34",),
    point="rbac.cluster_roles",
    change=_read_and_make,
)
