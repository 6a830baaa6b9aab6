# SPDX-License-Identifier: Apache-2.0
"""RBAC: roles and bindings, evaluated from the store on every request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .core import ApiCore
from .objects import Obj
from .users import MASTERS, UserInfo

GROUP = "rbac.authorization.k8s.io"
SERVICE_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True)
class Attributes:
    """What a request asks for: ``path`` for non-resource requests, otherwise the rest. ``resource`` includes the
    subresource.
    """

    verb: str
    group: str = ""
    resource: str = ""
    name: str = ""
    namespace: str = ""
    path: str = ""


@dataclass(frozen=True)
class Decision:
    """Whether a request is allowed; ``reason`` names the binding that allows it, or the errors of bindings."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True)
class Grant:
    """The rules of one role that a binding gives to a user; ``missing`` when the role does not exist."""

    rules: tuple[Obj, ...]
    why: str
    missing: str = ""


class Authorizer:
    """RBAC over the roles and bindings in the store."""

    def __init__(self, core: ApiCore) -> None:
        self._core = core

    def decide(self, user: UserInfo, asked: Attributes) -> Decision:
        if MASTERS in user.groups:
            return Decision(True)
        missing = []
        for grant in self.grants(user, asked.namespace):
            if grant.missing:
                missing.append(grant.missing)
            elif any(rule_allows(rule, asked) for rule in grant.rules):
                return Decision(True, f"RBAC: allowed by {grant.why}")
        if not missing:
            return Decision(False)
        said = missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]"
        return Decision(False, f"RBAC: {said}")

    def grants(self, user: UserInfo, namespace: str) -> Iterator[Grant]:
        """What every binding of the user gives cluster-wide and in the namespace ("" for none)."""
        core = self._core
        kinds = [("clusterrolebindings", "")] + ([("rolebindings", namespace)] if namespace else [])
        for plural, home in kinds:
            for item in core.items(core.resource(f"{plural}.{GROUP}"), home):
                binding = item.obj
                subject = next((s for s in binding.get("subjects") or () if _is_subject(s, user, home)), None)
                if subject is not None:
                    yield self._grant(binding, subject, home)

    def _grant(self, binding: Obj, subject: Obj, namespace: str) -> Grant:
        ref = binding.get("roleRef") or {}
        plural = "clusterroles" if ref.get("kind") == "ClusterRole" else "roles"
        resource = self._core.resource(f"{plural}.{GROUP}")
        item = self._core.find(resource, namespace, ref.get("name", ""))
        kind = "RoleBinding" if namespace else "ClusterRoleBinding"
        name = binding["metadata"]["name"] + (f"/{namespace}" if namespace else "")
        shown = f'{subject["kind"]} "{subject["name"]}{"/" + subject["namespace"] if subject.get("namespace") else ""}"'
        why = f'{kind} "{name}" of {ref.get("kind")} "{ref.get("name")}" to {shown}'
        if item is None:
            missing = f'{plural[:-1]}.{GROUP} "{ref.get("name")}" not found'
            return Grant((), why, missing)
        return Grant(tuple(role_rules(self._core, item.obj)), why)

    def rules(self, user: UserInfo, namespace: str) -> tuple[list[Obj], list[str]]:
        """Every rule that the user has in the namespace, and what was wrong with bindings."""
        found: list[Obj] = []
        problems = []
        for grant in self.grants(user, namespace):
            found += grant.rules
            if grant.missing:
                problems.append(grant.missing)
        if MASTERS in user.groups and not any(rule.get("verbs") == ["*"] for rule in found):
            found.append({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
            found.append({"verbs": ["*"], "nonResourceURLs": ["*"]})
        return found, problems

    def missing_rules(self, user: UserInfo, namespace: str, wanted: Iterable[Obj]) -> list[Obj]:
        """The rules of ``wanted`` that the user does not have, one for each resource."""
        if MASTERS in user.groups:
            return []
        held, _ = self.rules(user, namespace)
        lacking = []
        for rule in wanted:
            for group in rule.get("apiGroups") or ():
                for resource in rule.get("resources") or ():
                    asked = [Attributes(verb, group, resource) for verb in rule["verbs"]]
                    names = rule.get("resourceNames") or [""]
                    covered = all(
                        any(rule_allows(mine, Attributes(one.verb, group, resource, name)) for mine in held)
                        for one in asked
                        for name in names
                    )
                    if not covered:
                        lacking.append({**rule, "apiGroups": [group], "resources": [resource]})
        return lacking


def role_rules(core: ApiCore, role: Obj) -> list[Obj]:
    """A role's rules; an aggregated ClusterRole has those of every ClusterRole that its selectors choose."""
    selectors = (role.get("aggregationRule") or {}).get("clusterRoleSelectors")
    if not selectors:
        return list(role.get("rules") or ())
    found: list[Obj] = []
    for item in core.items(core.resource(f"clusterroles.{GROUP}")):
        labels = item.obj["metadata"].get("labels") or {}
        if item.obj["metadata"]["name"] == role["metadata"]["name"]:
            continue
        if any(_matches(selector, labels) for selector in selectors):
            found += role_rules(core, item.obj)
    return found


def _matches(selector: Obj, labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels") or {}
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def _is_subject(subject: Obj, user: UserInfo, namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "User":
        return bool(name == user.name)
    if kind == "Group":
        return name in user.groups
    if kind == "ServiceAccount":
        home = subject.get("namespace") or namespace
        return user.name == f"{SERVICE_ACCOUNT}{home}:{name}"
    return False


def rule_allows(rule: Obj, asked: Attributes) -> bool:
    if not _has(rule.get("verbs"), asked.verb):
        return False
    if asked.path:
        return any(_path_matches(pattern, asked.path) for pattern in rule.get("nonResourceURLs") or ())
    if not _has(rule.get("apiGroups"), asked.group):
        return False
    resources = rule.get("resources") or ()
    _, _, sub = asked.resource.partition("/")
    if not ("*" in resources or asked.resource in resources or (sub and f"*/{sub}" in resources)):
        return False
    names = rule.get("resourceNames")
    return not names or asked.name in names


def _has(values: list[str] | None, wanted: str) -> bool:
    return values is not None and ("*" in values or wanted in values)


def _path_matches(pattern: str, path: str) -> bool:
    if pattern in ("*", path):
        return True
    return pattern.endswith("*") and path.startswith(pattern[:-1])
