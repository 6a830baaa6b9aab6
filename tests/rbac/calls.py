# SPDX-License-Identifier: Apache-2.0
"""What a run called, out of the embedded cluster's audit log."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.embedded import ROOT

OURS = "kubevirt-live-nad-tests"
"""How the libraries' requests begin their User-Agent."""

RECORDED = ROOT / "tests/rbac/calls.json"
EVERYBODYS = ("selfsubjectaccessreviews", "selfsubjectreviews", "selfsubjectrulesreviews")
_REFUSED = (401, 403)


@dataclass(frozen=True, order=True)
class Call:
    """A verb on a resource: at ``home``, which is a test namespace; on ``namespaces``; or ``elsewhere``."""

    place: str
    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        shown = f"{self.resource}.{self.group}" if self.group else self.resource
        return f'"{self.verb}" on {shown} ({self.place})'


@dataclass(frozen=True)
class Audit:
    """The calls that were answered, and those that were refused for lack of rights."""

    allowed: frozenset[Call]
    refused: frozenset[Call]

    @property
    def all(self) -> frozenset[Call]:
        return self.allowed | self.refused


def read_audit(path: Path, user: str, homes: tuple[str, ...]) -> Audit:
    """The libraries' calls as ``user``; namespaces of ``homes`` and those that begin so with a hyphen are the tests'.

    What everybody may call (discovery, and questions about oneself) is left out.
    """
    allowed: set[Call] = set()
    refused: set[Call] = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        target = event.get("objectRef")
        if event["user"].get("username") != user or not event["userAgent"].startswith(OURS) or target is None:
            continue
        if target["resource"] in EVERYBODYS or (target["resource"], target.get("subresource")) == ("version", None):
            continue
        subresource = f"/{target['subresource']}" if "subresource" in target else ""
        place = _place(target, homes)
        call = Call(place, target.get("apiGroup", ""), target["resource"] + subresource, event["verb"])
        (refused if event["responseStatus"]["code"] in _REFUSED else allowed).add(call)
    return Audit(frozenset(allowed), frozenset(refused))


def _place(target: dict[str, str], homes: tuple[str, ...]) -> str:
    namespace = target.get("namespace", "")
    if target["resource"] == "namespaces":
        return "namespaces"
    at_home = any(namespace == home or namespace.startswith(f"{home}-") for home in homes)
    return "home" if at_home else "elsewhere"


def recorded() -> frozenset[Call]:
    """What was seen to be called when all suites were recorded last."""
    return read_calls(RECORDED)


def read_calls(file: Path) -> frozenset[Call]:
    return frozenset(Call(**entry) for entry in json.loads(file.read_text(encoding="utf-8")))


def write_calls(file: Path, calls: Iterable[Call]) -> None:
    """Keep these calls, one a line."""
    lines = ",\n".join(f"  {json.dumps(vars(call))}" for call in sorted(calls))
    file.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
