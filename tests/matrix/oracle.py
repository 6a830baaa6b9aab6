# SPDX-License-Identifier: Apache-2.0
"""What must come out of a scenario on an embedded cluster, and what did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testplan.plan import load_yaml
from testplan.results import Outcome, Verdict

ORACLE = Path(__file__).with_name("oracle.yaml")
NOT_RUN = "not run"


@dataclass(frozen=True)
class Cell:
    """One embedded cluster: a version of KubeVirt on a platform."""

    version: str
    platform: str

    def __str__(self) -> str:
        return f"{self.version} on {self.platform}"


@dataclass(frozen=True)
class Oracle:
    """The table of oracle.yaml."""

    versions: tuple[str, ...]
    platforms: Mapping[str, Mapping[str, Sequence[str]]]
    lacking: Mapping[str, Mapping[str, Sequence[str]]]
    scenarios: Mapping[str, Mapping[str, Sequence[str]]]

    def options(self, cell: Cell) -> list[str]:
        """Of run.sh, for such a cluster."""
        return ["--kubevirt", cell.version, *self.platforms[cell.platform].get("options", ())]

    def whole(self, cell: Cell) -> bool:
        """Whether all suites run there."""
        return "scenarios" not in self.platforms[cell.platform]

    def cells(self, versions: Iterable[str], platforms: Iterable[str]) -> list[Cell]:
        """Those of these versions and platforms that the table knows: some platforms are tried with a few versions."""
        versions = list(versions)
        return [
            Cell(version, platform)
            for platform in platforms
            for version in versions
            if version in self.platforms[platform].get("versions", self.versions)
        ]

    def worth_running(self, scenarios: Iterable[str], cell: Cell) -> list[str]:
        only = self.platforms[cell.platform].get("scenarios")
        return [name for name in scenarios if only is None or name in only]

    def lacks(self, cell: Cell, capability: str) -> bool:
        where = self.lacking.get(capability, {})
        return cell.version in where.get("versions", ()) or cell.platform in where.get("platforms", ())

    def expected(self, scenario: str, cell: Cell) -> str:
        """``PASS``, ``SKIP <capability>``, or both; KeyError for a scenario that the table does not have."""
        row = self.scenarios[scenario]
        for capability in row.get("all", ()):
            if self.lacks(cell, capability):
                return skip(capability)
        some = [skip(capability) for capability in row.get("some", ()) if self.lacks(cell, capability)]
        return ", ".join([Verdict.PASS, *some])

    def capabilities(self, scenario: str) -> set[str]:
        row = self.scenarios[scenario]
        return {*row.get("all", ()), *row.get("some", ())}


def load_oracle(path: Path = ORACLE) -> Oracle:
    data: dict[str, Any] = load_yaml(path.read_text(encoding="utf-8"))
    return Oracle(tuple(data["versions"]), data["platforms"], data["lacking"], data["scenarios"])


def skip(capability: str) -> str:
    return f"{Verdict.SKIP} {capability}"


def seen(outcomes: Iterable[Outcome]) -> str:
    """The outcomes of one scenario in the oracle's words; anything that it never expects names its test and message."""
    words: dict[str, None] = {}
    for outcome in sorted(outcomes, key=lambda outcome: outcome.verdict is not Verdict.PASS):
        if outcome.verdict is Verdict.PASS:
            words[Verdict.PASS] = None
        elif outcome.missing_capability:
            words[skip(outcome.missing_capability)] = None
        else:
            words[f"{outcome.verdict} {outcome.name}: {outcome.first_line}"] = None
    return ", ".join(words) or NOT_RUN


def by_scenario(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.scenario, []).append(outcome)
    return found
