"""The traceability matrix of a run: verdict and evidence of every requirement, as data, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape

from testplan.gate import Judgement, skipped_in_order
from testplan.plan import Plan, Requirement
from testplan.results import BAD, Outcome, Results, Verdict


class Status(StrEnum):
    """What a run says of a requirement."""

    PASS = "PASS"  # noqa: S105 (a verdict)
    FAIL = "FAIL"
    TEST_ERROR = "TEST ERROR"
    LAB_ERROR = "LAB ERROR"
    NOT_PROVEN = "NOT PROVEN"
    SKIPPED = "SKIPPED"
    NOT_SELECTED = "not selected"
    PLANNED = "planned"
    WAIVED = "waived"


_MEANINGS = {
    Status.FAIL: "the product did not do what is required",
    Status.TEST_ERROR: "a suite misused a keyword, which has to be mended; nothing is said of the product",
    Status.LAB_ERROR: "the lab kept tests from judging; nothing is said of the product",
    Status.NOT_PROVEN: "a test was skipped without a reason that the plan accepts, or did not run",
}


@dataclass(frozen=True)
class Row:
    """One requirement, the scenarios that cover it, and the tests of this run that judged it."""

    requirement: Requirement
    status: Status
    scenarios: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


def rows(plan: Plan, results: Results) -> list[Row]:
    """One row a requirement, in the order of the plan."""
    found = []
    for requirement in plan.requirements:
        outcomes = tuple(outcome for outcome in results.outcomes if requirement.id in outcome.requirements)
        scenarios = tuple(scenario.id for scenario in plan.scenarios if requirement.id in scenario.requirements)
        found.append(Row(requirement, _status(requirement, outcomes, plan), scenarios, outcomes))
    return found


def _status(requirement: Requirement, outcomes: Sequence[Outcome], plan: Plan) -> Status:
    verdicts = {outcome.verdict for outcome in outcomes if not skipped_in_order(outcome, plan)}
    worst = next((verdict for verdict in BAD if verdict in verdicts), None)
    if worst:
        return Status(worst)
    if verdicts - {Verdict.PASS}:
        return Status.NOT_PROVEN
    if verdicts:
        return Status.PASS
    if outcomes:
        return Status.SKIPPED
    return Status(requirement.status) if requirement.status else Status.NOT_SELECTED


def legend(table: Sequence[Row]) -> list[tuple[Status, str]]:
    """What those words mean that stand in the table and are no PASS."""
    shown = {row.status for row in table}
    return [(status, meaning) for status, meaning in _MEANINGS.items() if status in shown]


def markdown(plan: Plan, results: Results, judgement: Judgement, log: str) -> str:
    """The matrix as Markdown. ``log`` is the path of log.html as seen from the matrix; empty: no links."""
    lines = [
        f"# {plan.feature}: {judgement.word}",
        "",
        f"{judgement.headline}. {_when(results)}",
        "",
        *(f"- {name}: {value}" for name, value in results.metadata.items()),
        "",
        "| Requirement | Priority | Scenario | Verdict | Tests |",
        "|---|---|---|---|---|",
    ]
    table = rows(plan, results)
    for row in table:
        tests = "<br>".join(_markdown_link(outcome, log) for outcome in row.outcomes) or _cell(row.requirement.note)
        lines.append(
            f"| {row.requirement.id} {_cell(row.requirement.text)} | {row.requirement.priority} "
            f"| {', '.join(row.scenarios)} | {row.status} | {tests} |"
        )
    if meanings := legend(table):
        lines += ["", *(f"- {status}: {meaning}" for status, meaning in meanings)]
    lines += ["", "Not covered by this plan:", ""]
    lines += [f"- {exclusion.what}. {exclusion.reason}" for exclusion in plan.exclusions]
    return "\n".join(lines) + "\n"


def html(plan: Plan, results: Results, judgement: Judgement, log: str) -> str:
    """The matrix as one HTML file that needs nothing else."""
    title = f"{plan.feature}: {judgement.word}"
    metadata = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in results.metadata.items())
    table = rows(plan, results)
    body = "".join(_html_row(row, log) for row in table)
    meanings = "".join(
        f'<li><span class="{_css(status)}">{status}</span> {escape(meaning)}</li>' for status, meaning in legend(table)
    )
    details = "".join(f"<li>{escape(detail)}</li>" for detail in judgement.details)
    exclusions = "".join(
        f"<li>{escape(exclusion.what)}. {escape(exclusion.reason)}</li>" for exclusion in plan.exclusions
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(plan.feature)} <span class="{_css(judgement.word)}">{escape(judgement.word)}</span></h1>
<p>{escape(judgement.headline)}. {escape(_when(results))}</p>
<ul>{details}</ul>
<dl>{metadata}</dl>
<table>
<thead><tr><th>Row</th><th>Requirement</th><th>Priority</th><th>Scenario</th><th>Verdict</th><th>Tests</th></tr></thead>
<tbody>{body}</tbody>
</table>
{f"<ul>{meanings}</ul>" if meanings else ""}
<h2>Not covered by this plan</h2>
<ul>{exclusions}</ul>
</body>
</html>
"""


def _html_row(row: Row, log: str) -> str:
    tests = "<br>".join(_html_link(outcome, log) for outcome in row.outcomes) or escape(row.requirement.note)
    cells = (
        escape(row.requirement.id),
        escape(row.requirement.text),
        escape(row.requirement.priority),
        escape(", ".join(row.scenarios)),
        f'<span class="{_css(row.status)}">{escape(row.status)}</span>',
        tests,
    )
    return f'<tr id="{escape(row.requirement.id)}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"


def _html_link(outcome: Outcome, log: str) -> str:
    name = escape(outcome.name)
    link = f'<a href="{escape(log)}#{escape(outcome.id)}">{name}</a>' if log else name
    return f"{link} ({escape(_verdict(outcome))})"


def _markdown_link(outcome: Outcome, log: str) -> str:
    name = _cell(outcome.name)
    return (f"[{name}]({log}#{outcome.id})" if log else name) + f" ({_cell(_verdict(outcome))})"


def _verdict(outcome: Outcome) -> str:
    """With the reason of a skip: it is all that such a test has to say."""
    return f"{outcome.verdict}: {outcome.first_line}" if outcome.verdict is Verdict.SKIP else outcome.verdict


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _css(word: str) -> str:
    return word.lower().replace(" ", "-")


def _when(results: Results) -> str:
    started = f"{results.started:%Y-%m-%d %H:%M:%S}, " if results.started else ""
    return f"{started}{results.seconds:.1f} s, {results.generator}."


_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 80em; padding: 0 1em; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #8886; padding: .3em .6em; text-align: left; vertical-align: top; }
th { background: #8882; }
dl { display: grid; grid-template-columns: max-content auto; gap: .2em 1em; }
dt { font-weight: bold; }
dd { margin: 0; }
span { border-radius: .3em; padding: 0 .4em; white-space: nowrap; }
.pass { background: #0a7d3322; color: #0a7d33; }
.fail { background: #c0182822; color: #c01828; font-weight: bold; }
.lab-error, .not-proven, .interrupted { background: #b8650022; color: #b86500; font-weight: bold; }
.test-error { background: #7a3fb022; color: #7a3fb0; font-weight: bold; }
.skipped { background: #8882; }
@media (prefers-color-scheme: dark) {
  .pass { color: #5fd38a; } .fail { color: #ff7b86; } .lab-error, .not-proven, .interrupted { color: #ffb454; }
  .test-error { color: #cfa6ff; }
}
@media print { body { font-size: 10px; margin: 0; max-width: none; } a { color: inherit; } }
"""
