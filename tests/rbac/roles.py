# SPDX-License-Identifier: Apache-2.0
"""The roles of docs/rbac as text, as objects, and as the calls that they allow."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from testplan.plan import load_yaml
from tests.embedded import ROOT
from tests.rbac.calls import Call

Object = dict[str, Any]

FOLDER = ROOT / "docs/rbac"
PREFIX = "kubevirt-nad-tests-"
HOME_PLACEHOLDER = "team-a"
_RBAC = "rbac.authorization.k8s.io"
_WIDTH = 116


@dataclass(frozen=True)
class Rule:
    """Verbs on resources of one group. ``uncalled``: the API server asks for it without a call of its own."""

    why: str
    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()
    without: str = ""
    uncalled: bool = False

    def calls(self, place: str) -> Iterator[Call]:
        """The calls that it is for."""
        for resource in () if self.uncalled else self.resources:
            yield from (Call(place, self.group, resource, verb) for verb in self.verbs)

    def as_object(self, verbs: tuple[str, ...] | None = None) -> Object:
        """The rule as the API takes it, with other ``verbs`` where given."""
        found: Object = {"apiGroups": [self.group], "resources": list(self.resources)}
        if self.names:
            found["resourceNames"] = list(self.names)
        return found | {"verbs": list(self.verbs if verbs is None else verbs)}


@dataclass(frozen=True)
class Role:
    """``place`` is where its rules count: at home, on namespaces, or elsewhere; ``rules`` has included ones first."""

    name: str
    about: str
    place: str
    rules: tuple[Rule, ...]
    included: int = 0

    @property
    def namespaced(self) -> bool:
        return self.place == "home"

    def calls(self) -> frozenset[Call]:
        """What the role is published for; that of its own rules where it includes those of another one."""
        return frozenset(call for rule in self.rules[self.included :] for call in rule.calls(self.place))

    def as_object(self, namespace: str = HOME_PLACEHOLDER) -> Object:
        """The Role or ClusterRole."""
        metadata: Object = {"name": PREFIX + self.name}
        if self.namespaced:
            metadata["namespace"] = namespace
        rules = [rule.as_object() for rule in self.rules]
        return {"apiVersion": f"{_RBAC}/v1", "kind": self.kind, "metadata": metadata, "rules": rules}

    def less(self, resources: Sequence[str]) -> Role:
        """The role without the rules on these resources."""
        return replace(self, rules=tuple(rule for rule in self.rules if not set(rule.resources) & set(resources)))

    @property
    def kind(self) -> str:
        return "Role" if self.namespaced else "ClusterRole"

    def binding(self, account: str, namespace: str = HOME_PLACEHOLDER) -> Object:
        """That of a service account of ``namespace`` to the role."""
        metadata: Object = {"name": PREFIX + self.name}
        if self.namespaced:
            metadata["namespace"] = namespace
        return {
            "apiVersion": f"{_RBAC}/v1",
            "kind": f"{self.kind}Binding",
            "metadata": metadata,
            "roleRef": {"apiGroup": _RBAC, "kind": self.kind, "name": PREFIX + self.name},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
        }

    def text(self) -> str:
        """The file in docs/rbac: the role with the reason of each rule, and a binding to be changed."""
        head = {key: value for key, value in self.as_object().items() if key != "rules"}
        generated = "Made by `.venv/bin/python -m tests.rbac --write`, of what the libraries were seen to call."
        lines = [
            *_comment(self.about),
            "#",
            *_comment(generated),
            yaml.safe_dump(head, sort_keys=False).rstrip(),
            "rules:",
        ]
        for rule in self.rules:
            lines += _comment(rule.why + (f". Optional: without it {rule.without}" if rule.without else "") + ".", "  ")
            first, *rest = _yaml(rule.as_object(), flow=None)
            lines += [f"  - {first}", *(f"    {line}" for line in rest)]
        return "\n".join([*lines, "---", *_yaml(self.binding("kubevirt-nad-tests"))]) + "\n"


def read_roles() -> dict[str, Role]:
    """The roles, by name."""
    source = load_yaml((ROOT / "tests/rbac/reasons.yaml").read_text(encoding="utf-8"))
    roles: dict[str, Role] = {}
    for name, entry in source.items():
        included = roles[entry["includes"]].rules if "includes" in entry else ()
        rules = tuple(_rule(rule) for rule in entry["rules"])
        roles[name] = Role(name, entry["about"], entry["place"], (*included, *rules), len(included))
    return roles


def _rule(entry: Object) -> Rule:
    resource = entry["resource"]
    return Rule(
        entry["why"],
        entry["group"],
        tuple([resource] if isinstance(resource, str) else resource),
        tuple(entry["verbs"]),
        tuple(entry.get("names", ())),
        entry.get("without", ""),
        entry.get("uncalled", False),
    )


def _comment(text: str, indent: str = "") -> list[str]:
    return [f"{indent}# {line}" for line in textwrap.wrap(text, _WIDTH - len(indent))]


def _yaml(item: Object, *, flow: bool | None = False) -> list[str]:
    return yaml.safe_dump(item, sort_keys=False, default_flow_style=flow, width=_WIDTH).splitlines()
