# SPDX-License-Identifier: Apache-2.0
"""Users may do more or less than they should."""

from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..kube.client import Obj

NADS = {"apiGroups": ["k8s.cni.cncf.io"], "resources": ["*"], "verbs": ["*"]}


def _with_nads(roles: list[Obj], **_: Any) -> list[Obj]:
    return [
        role | {"rules": [*role["rules"], NADS]} if role["metadata"]["name"] == "kubevirt.io:edit" else role
        for role in roles
    ]


EDIT_ROLE_MAY_CHANGE_NADS = Defect(
    name="edit-role-may-change-nads",
    sentence="The namespace role edit lets a VM owner change the networks that the administrator made.",
    rows=("R34",),
    point="rbac.cluster_roles",
    change=_with_nads,
)


MIGRATIONS = {"apiGroups": ["kubevirt.io"], "resources": ["virtualmachineinstancemigrations"], "verbs": ["create"]}


def _with_migrations(roles: list[Obj], **_: Any) -> list[Obj]:
    return [
        role | {"rules": [*role["rules"], MIGRATIONS]} if role["metadata"]["name"] == "kubevirt.io:edit" else role
        for role in roles
    ]


EDIT_ROLE_MAY_MIGRATE = Defect(
    name="edit-role-may-migrate",
    sentence="The namespace role edit lets a VM owner make migration objects.",
    rows=("R34",),
    point="rbac.cluster_roles",
    change=_with_migrations,
)


ALL_VMS = {
    "apiGroups": ["kubevirt.io"],
    "resources": ["virtualmachines"],
    "verbs": ["get", "list", "watch"],
}


def _with_all_vms(roles: list[Obj], **_: Any) -> list[Obj]:
    """This role is bound to everybody, in the whole cluster."""
    return [
        role | {"rules": [*role["rules"], ALL_VMS]} if role["metadata"]["name"] == "kubevirt.io:default" else role
        for role in roles
    ]


EVERY_USER_SEES_ALL_VMS = Defect(
    name="every-user-sees-all-vms",
    sentence="Every user of the cluster may list the VMs of every namespace.",
    rows=("R34",),
    point="rbac.cluster_roles",
    change=_with_all_vms,
)


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


OWNER_MAY_NOT_EDIT = Defect(
    name="owner-may-not-edit",
    sentence="The namespace role edit does not let VM owners change their VMs.",
    rows=("R34",),
    point="rbac.cluster_roles",
    change=_read_and_make,
)
