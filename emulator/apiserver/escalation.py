# SPDX-License-Identifier: Apache-2.0
"""The privilege escalation check: a user cannot grant rights that they do not have."""

from __future__ import annotations

import json

from .admission import AdmissionRequest
from .core import ApiCore
from .objects import Obj
from .rbac import GROUP, Attributes, Authorizer, role_rules
from .status_errors import forbidden
from .users import UserInfo

_WRITES = ("CREATE", "UPDATE")


class EscalationCheck:
    """Refuses roles and bindings that grant more than the writer's own rights, unless they may ``escalate`` or
    ``bind``.
    """

    def __init__(self, core: ApiCore, authorizer: Authorizer) -> None:
        self._core = core
        self._authorizer = authorizer

    def register(self) -> None:
        for plural in ("roles", "clusterroles"):
            self._core.admission.validating(f"{plural}.{GROUP}", _WRITES, self._role)
        for plural in ("rolebindings", "clusterrolebindings"):
            self._core.admission.validating(f"{plural}.{GROUP}", _WRITES, self._binding)

    async def _role(self, request: AdmissionRequest) -> None:
        plural = request.resource.partition(".")[0]
        self._check(request, "escalate", plural, request.name, (request.new or {}).get("rules") or [])

    async def _binding(self, request: AdmissionRequest) -> None:
        ref = (request.new or {}).get("roleRef") or {}
        plural = "clusterroles" if ref.get("kind") == "ClusterRole" else "roles"
        role = self._core.find(self._core.resource(f"{plural}.{GROUP}"), request.namespace, ref.get("name", ""))
        rules = role_rules(self._core, role.obj) if role is not None else []
        self._check(request, "bind", plural, ref.get("name", ""), rules)

    def _check(self, request: AdmissionRequest, verb: str, plural: str, name: str, rules: list[Obj]) -> None:
        # A client inside this process is trusted, as it is with RBAC.
        if not request.options:
            return
        asked = Attributes(verb, GROUP, plural, name, request.namespace)
        if self._authorizer.decide(request.user, asked).allowed:
            return
        lacking = self._authorizer.missing_rules(request.user, request.namespace, rules)
        if lacking:
            resource = self._core.resource(request.resource)
            lines = "".join(f"\n{_shown(rule)}" for rule in lacking)
            why = f"{_user(request.user)} is attempting to grant RBAC permissions not currently held:{lines}"
            raise forbidden(resource, request.name, why)


def _user(user: UserInfo) -> str:
    groups = " ".join(json.dumps(group) for group in user.groups)
    return f"user {json.dumps(user.name)} (groups=[{groups}])"


def _shown(rule: Obj) -> str:
    parts = []
    for title, key in (("APIGroups", "apiGroups"), ("Resources", "resources"), ("ResourceNames", "resourceNames")):
        if rule.get(key):
            parts.append(f"{title}:{_list(rule[key])}")
    return "{" + ", ".join([*parts, f"Verbs:{_list(rule['verbs'])}"]) + "}"


def _list(values: list[str]) -> str:
    return "[" + " ".join(json.dumps(value) for value in values) + "]"
