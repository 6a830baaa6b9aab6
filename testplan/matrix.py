# SPDX-License-Identifier: Apache-2.0
"""The traceability matrix of a run: verdict and evidence of every requirement, as Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from testplan.gate import Judgement
from testplan.page import Links, badge, banner, facts, page, prose, sentence, unbroken
from testplan.plan import Plan
from testplan.results import Outcome, Results, Verdict
from testplan.standing import Row, legend, rows
from testplan.suites import PlannedTest


def markdown(
    plan: Plan, results: Results, judgement: Judgement, tests: Sequence[PlannedTest], links: Links | None = None
) -> str:
    """The matrix as Markdown."""
    log = (links or Links()).log
    where = f" ({results.where})" if results.where else ""
    lines = [
        f"# {plan.feature}: {judgement.word}{where}",
        "",
        f"{sentence(judgement.headline)} {_when(results)}",
        "",
        *(f"- {name}: {value}" for name, value in results.metadata.items()),
        "",
        "| Requirement | Priority | Scenario | Verdict | Tests |",
        "|---|---|---|---|---|",
    ]
    table = rows(plan, results, tests)
    for row in table:
        judged = "<br>".join(_markdown_link(outcome, log) for outcome in row.outcomes) or _cell(row.requirement.note)
        lines.append(
            f"| {row.requirement.id} {_cell(row.requirement.text)} | {row.requirement.priority} "
            f"| {', '.join(row.scenarios)} | {_cell(str(row.standing))} | {judged} |"
        )
    lines += ["", *(f"- {status}: {meaning}" for status, meaning in legend(row.status for row in table))]
    lines += ["", "Not covered by this plan:", ""]
    lines += [f"- {exclusion.what}. {exclusion.reason}" for exclusion in plan.exclusions]
    return "\n".join(lines) + "\n"


def html(
    plan: Plan, results: Results, judgement: Judgement, tests: Sequence[PlannedTest], links: Links | None = None
) -> str:
    """The matrix as one HTML file, which lies beside ``signoff.html``."""
    to = links or Links()
    table = rows(plan, results, tests)
    where = f" ({results.where})" if results.where else ""
    heads = "<th>Id</th><th>Requirement</th><th>Priority</th><th>Scenario</th><th>Verdict</th><th>Tests</th>"
    body = "".join(_html_row(row, to) for row in table)
    meanings = (f"{badge(status)} {escape(meaning)}" for status, meaning in legend(row.status for row in table))
    exclusions = (f"{prose(exclusion.what)}. {prose(exclusion.reason)}" for exclusion in plan.exclusions)
    parts = [
        f"<h1>{escape(plan.feature)} {badge(judgement.word)}</h1>",
        banner(results.where),
        f"<p>{unbroken(escape(sentence(judgement.headline)))} {escape(_when(results))} "
        f'<a href="signoff.html">Sign-off</a></p>',
        _list(prose(detail) for detail in judgement.details),
        facts(results.metadata),
        f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>{body}</tbody></table>",
        _list(meanings),
        f"<h2>Not covered by this plan</h2>{_list(exclusions)}",
    ]
    return page(f"{plan.feature}: {judgement.word}{where}", "\n".join(part for part in parts if part), _STYLE)


def _list(lines: Iterable[str]) -> str:
    found = "".join(f"<li>{line}</li>" for line in lines)
    return f"<ul>{found}</ul>" if found else ""


def _html_row(row: Row, to: Links) -> str:
    name = row.requirement.id
    cells = (
        f'<a class="id" href="signoff.html#{escape(name)}">{escape(name)}</a>' if _signed_off(row) else escape(name),
        prose(row.requirement.text),
        escape(row.requirement.priority),
        ", ".join(_scenario_links(row.scenarios)),
        badge(row.status) + (f"<br>{prose(row.standing.why)}" if row.standing.why else ""),
        "<br>".join(_html_link(outcome, to) for outcome in row.outcomes) or prose(row.requirement.note),
    )
    return f'<tr id="{escape(name)}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"


def _signed_off(row: Row) -> bool:
    """Whether the sign-off has a line of its own for it."""
    return bool(row.outcomes) or row.requirement.status == "waived"


def _scenario_links(scenarios: Iterable[str]) -> Iterator[str]:
    return (f'<a class="id" href="signoff.html#{escape(name)}">{escape(name)}</a>' for name in scenarios)


def _html_link(outcome: Outcome, to: Links) -> str:
    links = ", ".join(to.charts(outcome)) if outcome.verdict is not Verdict.PASS else ""
    return f"{to.test(outcome)} ({prose(_verdict(outcome))})" + (f" {links}" if links else "")


def _markdown_link(outcome: Outcome, log: str) -> str:
    name = _cell(outcome.name)
    return (f"[{name}]({log}#{outcome.id})" if log else name) + f" ({_cell(_verdict(outcome))})"


def _verdict(outcome: Outcome) -> str:
    """With the reason of a skip: it is all that such a test has to say."""
    return f"{outcome.verdict}: {outcome.first_line}" if outcome.verdict is Verdict.SKIP else outcome.verdict


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _when(results: Results) -> str:
    started = f"{results.started:%Y-%m-%d %H:%M:%S}, " if results.started else ""
    return f"{started}{results.seconds:.1f} s, {results.generator}."


_STYLE = """
body { max-width: 84em; }
th, td { border: 1px solid #8886; padding: .3em .6em; }
th { background: #8882; }
td:nth-child(3), td:nth-child(5) { min-width: 5em; }
@media print { body { font-size: 10px; margin: 0; max-width: none; } a { color: inherit; } }
"""
