# SPDX-License-Identifier: Apache-2.0
"""What a preflight tells of the scenarios: which of them this cluster lets run, and what each of the others lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from testplan.plan import Plan, load_plan
from testplan.results import Results
from testplan.suites import PlannedTest, read_tests

_THERE = "yes"


def forecast(
    results: Results,
    planned: Collection[str] = frozenset(),
    plan: Plan | None = None,
    tests: Collection[PlannedTest] | None = None,
) -> Iterator[str]:
    """A line for each scenario that will be skipped here, with what is lacking; none without a preflight.

    ``planned`` has the names of the tests that are to run, none: all that the suites hold. What the cluster offers is
    in the metadata that the preflight's suite leaves, by capability.
    """
    plan = plan or load_plan()
    names = [capability.name for capability in plan.capabilities]
    measured = {name: one.metadata[name] for one in results.outcomes for name in names if name in one.metadata}
    ran = {outcome.scenario for outcome in results.outcomes if any(name in outcome.metadata for name in names)}
    if not measured or {outcome.scenario for outcome in results.outcomes} - ran:
        return
    wanted = [test for test in (tests or read_tests()) if not planned or test.name in planned]
    scenarios = [
        one for one in plan.scenarios if any(one.id in test.scenarios for test in wanted) and one.id not in ran
    ]
    lacking = {one.id: [name for name in one.needs if not _there(measured.get(name, _THERE))] for one in scenarios}
    count = sum(bool(lacks) for lacks in lacking.values())
    yield f"Of {len(scenarios)} scenarios {len(scenarios) - count} can run here" + (
        ", skipped will be:" if count else "."
    )
    for scenario in scenarios:
        for name in lacking[scenario.id]:
            what = " and P0 is then NOT PROVEN" if scenario.priority == "P0" else ""
            yield f"  {scenario.id}: {name}: {measured[name].removeprefix('no: ')}{what}"


def _there(said: str) -> bool:
    return said.partition(":")[0] == _THERE
