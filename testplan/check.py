# SPDX-License-Identifier: Apache-2.0
"""Whether the plan and the suites say the same: offline, in well under a second."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from testplan.asked import asked_capabilities
from testplan.plan import Plan, Scenario, Vocabulary, duplicates
from testplan.suites import PlannedTest

_EXTERNAL_TAG = re.compile(r"(?:vep|virtstrat|cnv)-[0-9]")


def problems(plan: Plan, tests: Sequence[PlannedTest], vocabulary: Vocabulary) -> list[str]:
    """One line a problem, each naming its culprit; empty: all is well."""
    return [
        *_ids(plan),
        *_rows(plan),
        *_scenarios(plan),
        *(problem for test in tests for problem in _test(test, plan, vocabulary)),
        *_coverage(plan, tests),
        *_unique(tests),
        *_needs(plan, tests),
    ]


def _ids(plan: Plan) -> Iterator[str]:
    for kind, names in (
        ("requirement", [row.id for row in plan.requirements]),
        ("scenario", [scenario.id for scenario in plan.scenarios]),
        ("external id", [external.id for external in plan.external]),
        ("capability", [capability.name for capability in plan.capabilities]),
    ):
        for name in duplicates(names):
            yield f"plan: {kind} {name} is there twice"
    of_one_scenario = {external.id for external in plan.external if external.of_one_scenario}
    used = [name for scenario in plan.scenarios for name in scenario.external if name in of_one_scenario]
    for name in duplicates(used):
        owners = ", ".join(scenario.id for scenario in plan.scenarios if name in scenario.external)
        yield f"plan: external id {name} is of one test case, but belongs to several scenarios: {owners}"


def _rows(plan: Plan) -> Iterator[str]:
    automated = {row: scenario.id for scenario in plan.scenarios if scenario.automated for row in scenario.requirements}
    for row in plan.requirements:
        if not row.status and row.id not in automated:
            yield f"plan: {row.id} is covered by no automated scenario; add it to one, or mark it planned or waived"
        if row.status and row.id in automated:
            yield f"plan: {row.id} is marked {row.status}, but scenario {automated[row.id]} covers it"


def _scenarios(plan: Plan) -> Iterator[str]:
    rows = {row.id for row in plan.requirements}
    external = {external.id for external in plan.external}
    capabilities = {capability.name for capability in plan.capabilities}
    for scenario in plan.scenarios:
        for name in scenario.requirements:
            if name not in rows:
                yield f"plan: scenario {scenario.id} names requirement {name}, which the plan does not have"
        for name in scenario.external:
            if name not in external:
                yield f"plan: scenario {scenario.id} names external id {name}, which the plan does not have"
        for name in scenario.needs:
            if name not in capabilities:
                yield f"plan: scenario {scenario.id} needs capability {name}, which the plan does not have"


def _test(test: PlannedTest, plan: Plan, vocabulary: Vocabulary) -> Iterator[str]:
    where = f'{_short(test.source)}:{test.line}: test "{test.name}"'
    for tag in test.tags:
        if not vocabulary.knows(tag):
            yield f"{where}: tag {tag} is not in the vocabulary (testplan/tags.yaml)"
    if not test.requirements:
        yield f"{where}: has no [Metadata] Requirements"
    if len(test.scenarios) != 1:
        yield f"{where}: has {len(test.scenarios)} scenario tags (nad-NN), needs one"
        return
    scenario = plan.scenario(test.scenarios[0])
    if scenario is None:
        yield f"{where}: scenario {test.scenarios[0]} is not in the plan"
        return
    for problem in _against_scenario(test, scenario, plan):
        yield f"{where}: {problem}"


def _against_scenario(test: PlannedTest, scenario: Scenario, plan: Plan) -> Iterator[str]:
    if not scenario.automated:
        yield f"scenario {scenario.id} is marked {scenario.status}, but has this test"
    if (stated := test.metadata.get("Scenario")) != scenario.id:
        yield f"the suite's metadata Scenario is {stated or 'missing'}, the tag says {scenario.id}"
    for kind, expected in (("p", scenario.priority.lower()), ("tier", f"tier{scenario.tier}")):
        found = [tag for tag in test.tags if tag.rstrip("0123456789") == kind and tag != kind]
        if found != [expected]:
            yield f"tags of kind {kind}N are {found or 'missing'}, the plan says {expected} for {scenario.id}"
    known = {row.id for row in plan.requirements}
    for name in test.requirements:
        if name not in known:
            yield f"requirement {name} is not in the plan"
        elif name not in scenario.requirements:
            yield f"requirement {name} is not one of scenario {scenario.id}"
    yield from _row_tags(test)
    yield from _external_tags(test, scenario, plan)


def _row_tags(test: PlannedTest) -> Iterator[str]:
    rows = {name.lower() for name in test.requirements}
    for tag in sorted(rows.difference(test.row_tags)):
        yield f"tag {tag} is missing, as it carries requirement {tag.upper()}"
    for tag in sorted(set(test.row_tags) - rows):
        yield f"has tag {tag}, but does not carry requirement {tag.upper()}"


def _external_tags(test: PlannedTest, scenario: Scenario, plan: Plan) -> Iterator[str]:
    known = {external.tag for external in plan.external}
    for tag in test.tags:
        if _EXTERNAL_TAG.match(tag) and tag not in known:
            yield f"tag {tag} is of no external id of the plan"
    for external in plan.external:
        of_scenario = external.id in scenario.external
        if external.tag in test.tags and not of_scenario:
            yield f"external id {external.id} (tag {external.tag}) is not one of scenario {scenario.id}"
        if external.tag not in test.tags and of_scenario and not external.of_one_scenario:
            yield f"tag {external.tag} is missing, the plan says {external.id} for {scenario.id}"


def _coverage(plan: Plan, tests: Sequence[PlannedTest]) -> Iterator[str]:
    for scenario in plan.scenarios:
        if not scenario.automated:
            continue
        of_scenario = [test for test in tests if scenario.id in test.scenarios]
        if not of_scenario:
            yield f"plan: scenario {scenario.id} is automated, but no test carries its tag"
            continue
        tags = {tag for test in of_scenario for tag in test.tags}
        for external in plan.external:
            if external.of_one_scenario and external.id in scenario.external and external.tag not in tags:
                yield f"plan: external id {external.id} of scenario {scenario.id} is carried by no test"
        carried = {name for test in of_scenario for name in test.requirements}
        for name in scenario.requirements:
            if name not in carried:
                yield f"plan: requirement {name} of scenario {scenario.id} is carried by no test"


def _unique(tests: Sequence[PlannedTest]) -> Iterator[str]:
    """A name in a report or on the command line then means one test."""
    for name in duplicates(test.name for test in tests):
        places = ", ".join(f"{_short(test.source)}:{test.line}" for test in tests if test.name == name)
        yield f'plan: several tests are called "{name}": {places}; rename all but one'


def _needs(plan: Plan, tests: Sequence[PlannedTest]) -> Iterator[str]:
    """A suite that asks for more than the plan says would be skipped where the gate does not accept it."""
    sources = {test.source: test.scenarios[0] for test in tests if test.scenarios}
    for source, name in sources.items():
        scenario = plan.scenario(name)
        for capability in sorted(asked_capabilities(source).difference(scenario.needs)) if scenario else ():
            yield f"{_short(source)}: asks for capability {capability}, which the plan's {name} does not need"


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
