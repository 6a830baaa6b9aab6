"""Options of Robot that make the statistics by tag say something: what a tag means, and which tags are worth a line."""

from __future__ import annotations

from testplan.plan import TAGS, Plan, load_plan, load_vocabulary

# One line a requirement is what the matrix and the sign-off are for; what every test carries tells nothing.
_HIDDEN = ("r?", "r??", "vep-*")
_TIERS = {1: "in the API alone", 2: "in guest and network"}


def tag_options(plan: Plan | None = None) -> dict[str, list[str]]:
    """``tagdoc``, ``tagstatcombine``, ``tagstatlink`` and ``tagstatexclude``, as Robot takes them."""
    plan = plan or load_plan()
    documented = [f"{tag}:{meaning}" for tag, meaning in load_vocabulary(TAGS).meanings]
    documented += [f"{scenario.id}:{_plain(scenario.title)}" for scenario in plan.scenarios]
    documented += [f"{external.tag}:{_plain(external.title)}" for external in plan.external]
    cases = [external.tag for external in plan.external if external.of_one_scenario]
    combined = [
        f"{priority.lower()}ANDtier{tier}:{priority} {words}"
        for priority in ("P0", "P1", "P2")
        for tier, words in _TIERS.items()
        if any((one.priority, one.tier) == (priority, tier) for one in plan.scenarios)
    ]
    return {
        "tagdoc": documented,
        "tagstatcombine": [*combined, f"{'OR'.join(cases)}:test cases of other plans"],
        "tagstatlink": [f"{scenario.id}:signoff.html#{scenario.id}:sign-off" for scenario in plan.scenarios],
        "tagstatexclude": list(_HIDDEN),
    }


def _plain(text: str) -> str:
    """Robot shows it as it is."""
    return text.replace("`", "")
