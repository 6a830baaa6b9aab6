# SPDX-License-Identifier: Apache-2.0
"""The page with the score of each module: docs/mutation.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from tests.mutants.runner import ROOT
from tests.mutants.work import DEAD, Module, paths

PAGE = ROOT / "docs" / "mutation.md"
_HEAD = """\
# Mutation testing

This page is made by `python -m tests.mutants --document`; do not edit it. Each module that judges, and each that
records what is judged, is changed in one place after another by the operators of
[cosmic-ray](https://cosmic-ray.readthedocs.io/), and its tests are run: a mutant that no test notices *lives*. The
score is the share of mutants that do not live among those that are not explained. Explained are mutants that change
nothing that can be seen, one by one, in [equivalent.yaml](../tests/mutants/equivalent.yaml). A mutant that runs
longer than five times its tests is killed too. The tests of a mutant are those that reach its line.

"""


def write(modules: Sequence[Module], commit: str) -> None:
    """Bring the page up to date."""
    seconds = sum(took for module in modules for _, took in module.outcomes.values())
    lines = [
        f"Commit {commit}, {datetime.now(UTC):%Y-%m-%d}, {seconds / 60:.0f} minutes for all mutants, without a seed: "
        "all mutants are tried, and hypothesis draws the same each time.\n",
        "| Group | Module | Mutants | Killed | of these by time | Explained | Live | Not tried | Score |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for group in dict.fromkeys(module.group for module in modules):
        of_group = [module for module in modules if module.group == group]
        lines += [_row(group, f"`{module.path}`", [module]) for module in of_group]
    lines.append(_row("**all**", "", modules))
    others = sorted(set(paths()) - {module.path for module in modules})
    if others:
        lines += ["", f"Not tried for this page: {', '.join(f'`{path}`' for path in others)}."]
    PAGE.write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def total(modules: Sequence[Module]) -> int:
    """All mutants."""
    return sum(len(module.mutants) for module in modules)


def explained(modules: Sequence[Module]) -> int:
    """The mutants that are explained and live."""
    return sum(
        module.outcomes.get(mutant.key, ("", 0))[0] not in DEAD and module.explanation(mutant) is not None
        for module in modules
        for mutant in module.mutants
    )


def score(modules: Sequence[Module]) -> float:
    """The share of killed mutants among those that were tried and are not explained."""
    dead, alive = _killed(modules), sum(len(module.alive()) for module in modules)
    return dead / (dead + alive) if dead + alive else 0.0


def _killed(modules: Sequence[Module], outcomes: Sequence[str] = DEAD) -> int:
    known = ({mutant.key for mutant in module.mutants} for module in modules)
    return sum(
        outcome in outcomes
        for module, keys in zip(modules, known, strict=True)
        for key, (outcome, _) in module.outcomes.items()
        if key in keys
    )


def _row(group: str, name: str, modules: Sequence[Module]) -> str:
    alive, left = sum(len(module.alive()) for module in modules), sum(len(module.left()) for module in modules)
    cells = [total(modules), _killed(modules), _killed(modules, DEAD[1:]), explained(modules), alive, left]
    return f"| {group} | {name} | {' | '.join(map(str, cells))} | {score(modules):.1%} |"
