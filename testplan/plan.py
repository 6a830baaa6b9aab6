# SPDX-License-Identifier: Apache-2.0
"""The test plan and the vocabulary of tags, read and checked against the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml

HERE = Path(__file__).parent
PLAN = HERE / "plan.yaml"
SCHEMA = HERE / "schema.json"
TAGS = HERE / "tags.yaml"
AUTOMATED = "automated"
# By libyaml where PyYAML has it, which is ten times as quick.
_LOADER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class PlanError(ValueError):
    """The plan or the vocabulary cannot be used; the message names file, place and remedy, one line a problem."""


@dataclass(frozen=True)
class External:
    """An id of another system, its ``tracker``. Kind ``test`` belongs to one scenario, the others may be shared."""

    id: str
    kind: str
    tracker: str
    title: str
    url: str

    @property
    def tag(self) -> str:
        """By which tests are selected."""
        return self.id.lower()

    @property
    def of_one_scenario(self) -> bool:
        return self.kind == "test"


@dataclass(frozen=True)
class Capability:
    """Something that a cluster may lack without being broken; a scenario that needs it is skipped there."""

    name: str
    text: str


@dataclass(frozen=True)
class Requirement:
    """One row. ``status`` is ``planned`` or ``waived``; empty: an automated scenario has to carry it.

    ``approver`` and ``approved`` (a date) are of a waiver; ``open`` until a person approves it.
    """

    id: str
    text: str
    priority: str
    source: tuple[str, ...]
    tier: int | None = None
    status: str = ""
    note: str = ""
    approver: str = ""
    approved: str = ""


@dataclass(frozen=True)
class Scenario:
    """One suite's worth of claims. ``status`` is ``automated``, ``planned`` or ``waived``.

    ``needs`` names the capabilities without which its tests may be skipped, unless its priority is P0.
    """

    id: str
    title: str
    priority: str
    tier: int
    requirements: tuple[str, ...]
    external: tuple[str, ...]
    status: str
    needs: tuple[str, ...] = ()
    note: str = ""

    @property
    def automated(self) -> bool:
        return self.status == AUTOMATED

    def may_skip_without(self, capability: str) -> bool:
        """Whether a cluster that lacks this capability is a reason to skip; never for what must pass."""
        return self.priority != "P0" and capability in self.needs


@dataclass(frozen=True)
class Exclusion:
    """What this plan leaves out, why, and who agreed: ``open`` where no agreement is known."""

    what: str
    reason: str
    agreement: str


@dataclass(frozen=True)
class Plan:
    """The whole plan, in the order of its file."""

    feature: str
    external: tuple[External, ...]
    capabilities: tuple[Capability, ...]
    requirements: tuple[Requirement, ...]
    scenarios: tuple[Scenario, ...]
    exclusions: tuple[Exclusion, ...]

    def scenario(self, name: str) -> Scenario | None:
        return next((scenario for scenario in self.scenarios if scenario.id == name), None)

    def automated_p0(self) -> list[Scenario]:
        return [scenario for scenario in self.scenarios if scenario.automated and scenario.priority == "P0"]


@dataclass(frozen=True)
class Vocabulary:
    """The tags that a test may carry: fixed ones, and patterns by the name that the documentation gives them.

    ``meanings`` tells those of the fixed ones.
    """

    fixed: tuple[str, ...]
    patterns: tuple[tuple[str, str], ...]
    meanings: tuple[tuple[str, str], ...] = ()

    def knows(self, tag: str) -> bool:
        return tag in self.fixed or any(re.fullmatch(pattern, tag) for _, pattern in self.patterns)

    def names(self) -> list[str]:
        return [*self.fixed, *(name for name, _ in self.patterns)]


def load_plan(path: Path = PLAN) -> Plan:
    """Reads the plan; PlanError lists every place that does not fit the schema."""
    data = read_checked(path, json.loads(SCHEMA.read_text(encoding="utf-8")))
    return Plan(
        feature=data["feature"],
        external=tuple(External(**row) for row in data["external"]),
        capabilities=tuple(Capability(**row) for row in data["capabilities"]),
        requirements=tuple(Requirement(**_tuples(row)) for row in data["requirements"]),
        scenarios=tuple(Scenario(**_tuples(row)) for row in data["scenarios"]),
        exclusions=tuple(Exclusion(**row) for row in data["exclusions"]),
    )


def read_checked(path: Path, schema: Any) -> Any:
    """The YAML of a file that fits this schema; PlanError lists every place that does not."""
    data = _read_yaml(path)
    validator = jsonschema.Draft202012Validator(schema)
    problems = [
        f"{path.name}: {_place(error, data)}: {error.message}"
        for error in sorted(validator.iter_errors(data), key=lambda error: [str(part) for part in error.absolute_path])
    ]
    if problems:
        raise PlanError("\n".join(problems))
    return data


def load_vocabulary(path: Path = TAGS) -> Vocabulary:
    """Reads the closed vocabulary of tags."""
    rows = _read_yaml(path)
    return Vocabulary(
        fixed=tuple(row["tag"] for row in rows if "pattern" not in row),
        patterns=tuple((row["tag"], row["pattern"]) for row in rows if "pattern" in row),
        meanings=tuple((row["tag"], row["meaning"]) for row in rows if "pattern" not in row),
    )


def duplicates(names: Iterable[str]) -> list[str]:
    """The names that occur more than once, each once, in order."""
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for name in names:
        if name in seen:
            twice[name] = None
        seen.add(name)
    return list(twice)


def load_yaml(text: str) -> Any:
    """``yaml.safe_load``, but quick. Raises yaml.YAMLError."""
    return yaml.load(text, _LOADER)  # noqa: S506 - both loaders are safe ones


def _read_yaml(path: Path) -> Any:
    try:
        return load_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise PlanError(f"{path}: is not YAML: {error}") from error


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


def _place(error: jsonschema.ValidationError, data: Any) -> str:
    """Where in the plan, by the ids of its rows rather than by their numbers."""
    names = []
    for part in error.absolute_path:
        data = data[part]
        names.append(str(data.get("id") or data.get("name") or part) if isinstance(data, dict) else str(part))
    return " ".join(names) or "the plan"
