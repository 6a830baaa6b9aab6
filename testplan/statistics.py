# SPDX-License-Identifier: Apache-2.0
"""Options of Robot that make the statistics by tag say something: what a tag means, and which tags are worth a line."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from testplan.plan import TAGS, Plan, load_plan, load_vocabulary

# One line a requirement is what the matrix and the sign-off are for; what every test carries tells nothing.
_HIDDEN = ("r?", "r??", "vep-*")
_TIERS = {"tier1": "in the API alone", "tier2": "in guest and network", "tier3": "measured only"}


def tag_options(selected: Iterable[Collection[str]], plan: Plan | None = None) -> dict[str, list[str]]:
    """``tagdoc``, ``tagstatcombine``, ``tagstatlink`` and ``tagstatexclude``, as Robot takes them.

    ``selected`` has the tags of each test of the run: Robot shows a combination that no test has as a line of zeros.
    """
    plan = plan or load_plan()
    every = [set(tags) for tags in selected]
    documented = [f"{tag}:{meaning}" for tag, meaning in load_vocabulary(TAGS).meanings]
    documented += [f"{scenario.id}:{_plain(scenario.title)}" for scenario in plan.scenarios]
    documented += [f"{external.tag}:{_plain(external.title)}" for external in plan.external]
    documented += [f"{row.id.lower()}:{_plain(row.text)}" for row in plan.requirements]
    cases = [external.tag for external in plan.external if external.of_one_scenario]
    combined = [
        f"{priority}AND{tier}:{priority.upper()} {words}"
        for priority in ("p0", "p1", "p2")
        for tier, words in _TIERS.items()
        if any({priority, tier} <= tags for tags in every)
    ]
    if any(tags.intersection(cases) for tags in every):
        combined.append(f"{'OR'.join(cases)}:test cases of other plans")
    return {
        "tagdoc": documented,
        "tagstatcombine": combined,
        "tagstatlink": [f"{scenario.id}:signoff.html#{scenario.id}:sign-off" for scenario in plan.scenarios],
        "tagstatexclude": list(_HIDDEN),
    }


def _plain(text: str) -> str:
    """Robot shows it as it is."""
    return text.replace("`", "")
