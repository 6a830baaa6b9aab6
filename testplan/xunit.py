# SPDX-License-Identifier: Apache-2.0
"""xUnit with the ids of scenario, requirements and other systems at each test, which Robot's own does not have.

The ids of other systems have the names by which their importers know them:

- ``polarion-testcase-id`` for the xUnit importer of Polarion,
- ``test_key``, a test, and ``requirements``, what it covers, for Xray, whose tests and requirements are issues of Jira.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from testplan.cases import Case
from testplan.plan import External, Plan
from testplan.results import Outcome, Results, Verdict

_ERRORS = {Verdict.TEST_ERROR: "TestError", Verdict.LAB_ERROR: "LabError"}
_ELEMENTS = {
    Verdict.FAIL: "failure",
    **dict.fromkeys(_ERRORS, "error"),
    Verdict.SKIP: "skipped",
    Verdict.NOT_RUN: "skipped",
}
_CASE_IDS = {"polarion": "polarion-testcase-id", "jira": "test_key"}


def xunit(plan: Plan, results: Results, properties: Mapping[str, str]) -> str:
    """The run as xUnit: failures are the product's, and what did not run is skipped.

    Errors have a ``type``: LabError is the lab's, TestError that of a suite.

    ``properties`` are those of the run as a whole, such as Polarion's ``polarion-project-id``.
    """
    root = _root(plan, [outcome.verdict for outcome in results.outcomes], results.seconds, properties)
    for name, group in groupby(results.outcomes, key=lambda outcome: outcome.suite):
        outcomes = tuple(group)
        counts = _counts([outcome.verdict for outcome in outcomes], sum(outcome.seconds for outcome in outcomes))
        suite = ET.SubElement(root, "testsuite", {"name": name, **counts})
        if results.started:
            suite.set("timestamp", results.started.isoformat(timespec="seconds"))
        _properties(suite, list(results.metadata.items()))
        for outcome in outcomes:
            _test(suite, outcome, plan)
    return _text(root)


def xunit_of_cases(plan: Plan, results: Results, cases: Sequence[Case], properties: Mapping[str, str]) -> str:
    """The same with one result for each test case of another system, for importers that take no more."""
    verdicts = [case.verdict for case in cases]
    root = _root(plan, verdicts, results.seconds, properties)
    suite = ET.SubElement(root, "testsuite", {"name": plan.feature, **_counts(verdicts, results.seconds)})
    _properties(suite, list(results.metadata.items()))
    for case in cases:
        covered = [one for one in _externals(plan, case.worst) if not one.of_one_scenario]
        element = _testcase(suite, case.worst.scenario, case.external.title, case.seconds)
        _properties(element, _importers([case.external, *covered]))
        _verdict(element, case.verdict, case.reason, case.reason)
    return _text(root)


def _test(suite: ET.Element, outcome: Outcome, plan: Plan) -> None:
    element = _testcase(suite, outcome.suite, outcome.name, outcome.seconds)
    properties = [("scenario", outcome.scenario)] if outcome.scenario else []
    properties += [("requirement", row) for row in outcome.requirements]
    scenario = plan.scenario(outcome.scenario)
    if scenario:
        properties += [("priority", scenario.priority), ("tier", str(scenario.tier))]
    externals = _externals(plan, outcome)
    properties += [("external", external.id) for external in externals]
    _properties(element, [*properties, *_importers(externals)])
    _verdict(element, outcome.verdict, outcome.first_line, outcome.message)


def _externals(plan: Plan, outcome: Outcome) -> list[External]:
    return [external for external in plan.external if external.tag in outcome.tags]


def _importers(externals: Sequence[External]) -> list[tuple[str, str]]:
    """The ids under the names that importers look for; what their systems do not know is left out."""
    found = [
        (_CASE_IDS[external.tracker], external.id)
        for external in externals
        if external.of_one_scenario and external.tracker in _CASE_IDS
    ]
    covered = [external.id for external in externals if external.tracker == "jira" and not external.of_one_scenario]
    return [*found, ("requirements", ",".join(covered))] if covered else found


def _root(plan: Plan, verdicts: Sequence[Verdict], seconds: float, properties: Mapping[str, str]) -> ET.Element:
    root = ET.Element("testsuites", {"name": plan.feature, **_counts(verdicts, seconds)})
    _properties(root, list(properties.items()))
    return root


def _testcase(suite: ET.Element, classname: str, name: str, seconds: float) -> ET.Element:
    return ET.SubElement(suite, "testcase", {"classname": classname, "name": name, "time": f"{seconds:.3f}"})


def _verdict(element: ET.Element, verdict: Verdict, first_line: str, message: str) -> None:
    if verdict in _ELEMENTS:
        bad = ET.SubElement(element, _ELEMENTS[verdict], {"message": _xml_text(first_line)})
        if verdict in _ERRORS:
            bad.set("type", _ERRORS[verdict])
        bad.text = _xml_text(message)


def _properties(parent: ET.Element, pairs: Sequence[tuple[str, str]]) -> None:
    if pairs:
        properties = ET.SubElement(parent, "properties")
        for name, value in pairs:
            ET.SubElement(properties, "property", {"name": name, "value": _xml_text(value)})


def _counts(verdicts: Sequence[Verdict], seconds: float) -> dict[str, str]:
    return {
        "tests": str(len(verdicts)),
        "failures": str(verdicts.count(Verdict.FAIL)),
        "errors": str(sum(map(verdicts.count, _ERRORS))),
        "skipped": str(verdicts.count(Verdict.SKIP) + verdicts.count(Verdict.NOT_RUN)),
        "time": f"{seconds:.3f}",
    }


def _text(root: ET.Element) -> str:
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _xml_text(text: str) -> str:
    """Without the control characters that XML cannot hold and a console's output can."""
    return "".join(char if char in "\t\n\r" or char >= " " else "\ufffd" for char in text)
