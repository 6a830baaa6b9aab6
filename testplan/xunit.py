"""xUnit with the ids of scenario, requirements and other systems at each test, which Robot's own does not have."""

from __future__ import annotations

from itertools import groupby
from xml.etree import ElementTree as ET

from testplan.plan import Plan
from testplan.results import Outcome, Results, Verdict


def xunit(plan: Plan, results: Results) -> str:
    """The run as xUnit: failures are the product's, errors the lab's, and what did not run is skipped."""
    root = ET.Element("testsuites", {"name": plan.feature, **_counts(results.outcomes, results.seconds)})
    for name, group in groupby(results.outcomes, key=lambda outcome: outcome.suite):
        outcomes = tuple(group)
        attributes = {"name": name, **_counts(outcomes, sum(outcome.seconds for outcome in outcomes))}
        if results.started:
            attributes["timestamp"] = results.started.isoformat(timespec="seconds")
        suite = ET.SubElement(root, "testsuite", attributes)
        _properties(suite, list(results.metadata.items()))
        for outcome in outcomes:
            _case(suite, outcome, plan)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, outcome: Outcome, plan: Plan) -> None:
    case = ET.SubElement(
        suite, "testcase", {"classname": outcome.suite, "name": outcome.name, "time": f"{outcome.seconds:.3f}"}
    )
    properties = [("scenario", outcome.scenario)] if outcome.scenario else []
    properties += [("requirement", row) for row in outcome.requirements]
    scenario = plan.scenario(outcome.scenario)
    if scenario:
        properties += [("priority", scenario.priority), ("tier", str(scenario.tier))]
    properties += [("external", external.id) for external in plan.external if external.tag in outcome.tags]
    _properties(case, properties)
    element = {Verdict.FAIL: "failure", Verdict.ERROR: "error", Verdict.SKIP: "skipped", Verdict.NOT_RUN: "skipped"}
    if outcome.verdict in element:
        bad = ET.SubElement(case, element[outcome.verdict], {"message": _xml_text(outcome.first_line)})
        bad.text = _xml_text(outcome.message)


def _properties(parent: ET.Element, pairs: list[tuple[str, str]]) -> None:
    if pairs:
        properties = ET.SubElement(parent, "properties")
        for name, value in pairs:
            ET.SubElement(properties, "property", {"name": name, "value": _xml_text(value)})


def _counts(outcomes: tuple[Outcome, ...], seconds: float) -> dict[str, str]:
    verdicts = [outcome.verdict for outcome in outcomes]
    return {
        "tests": str(len(outcomes)),
        "failures": str(verdicts.count(Verdict.FAIL)),
        "errors": str(verdicts.count(Verdict.ERROR)),
        "skipped": str(verdicts.count(Verdict.SKIP) + verdicts.count(Verdict.NOT_RUN)),
        "time": f"{seconds:.3f}",
    }


def _xml_text(text: str) -> str:
    """Without the control characters that XML cannot hold and a console's output can."""
    return "".join(char if char in "\t\n\r" or char >= " " else "\ufffd" for char in text)
