# SPDX-License-Identifier: Apache-2.0
"""The sign-off: one page of HTML, two when printed, with the verdict on every requirement and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from testplan.gate import Judgement
from testplan.page import Links, badge, banner, facts, page, prose, sentence, unbroken
from testplan.plan import Exclusion, Plan
from testplan.results import BAD, Outcome, Results, Verdict, by_message
from testplan.standing import NOT_SELECTED, Row, ScenarioRow, Status, legend, rows, scenario_rows
from testplan.suites import PlannedTest
from testplan.summary import skips

_ORDER = ("Environment", "Cluster", "KubeVirt", "Nodes", "Profile", "Tests", "Run", "Durations")
_LONG = 320
_SHORT = 24
"""Characters of a reason that are kept on one line."""
_PRIORITIES = {"env": "what a cluster has to have", "info": "measured and shown, not judged"}


def signoff(
    plan: Plan, results: Results, judgement: Judgement, tests: Sequence[PlannedTest], links: Links | None = None
) -> str:
    """The page. ``tests`` are all that the suites hold; it lies beside ``matrix.html``."""
    to = links or Links()
    table, scenarios = rows(plan, results, tests), scenario_rows(plan, results, tests)
    judged = [row for row in table if row.outcomes]
    counts = {status: sum(row.status is status for row in table) for status in Status}
    summary = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    title = f"Sign-off: {plan.feature}: {judgement.word}" + (f" ({results.where})" if results.where else "")
    parts = [
        f"<h1>{escape(plan.feature)}: sign-off {badge(judgement.word)}</h1>",
        banner(results.where),
        f"<p>{unbroken(escape(sentence(judgement.headline)))} Requirements: {escape(summary)}.</p>",
        facts(dict(_facts(results))),
        _section("Not passed", _list(_kept(results.outcomes, to))),
        _requirements(judged, to),
        _legend(judged),
        _section("Not judged by this run", _list(_not_judged(table))),
        _section("Skipped", _list(prose(line) for line in skips(results.outcomes))),
        _section("Scenarios", _scenarios(scenarios, to)),
        _section("Waived", _waived(table)),
        _section("Not covered by this plan", _list(_exclusions(plan.exclusions))),
        f'<p class="more">More: {", ".join(_more(to))}</p>',
        '<p class="signature"><span>Name</span><span>Date</span><span>Decision</span></p>',
    ]
    return page(title, "\n".join(part for part in parts if part), _STYLE)


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{content}" if content else ""


def _list(lines: Iterable[str]) -> str:
    found = "".join(f"<li>{line}</li>" for line in lines)
    return f"<ul>{found}</ul>" if found else ""


def _facts(results: Results) -> Iterator[tuple[str, str]]:
    started = f"{results.started:%Y-%m-%d %H:%M}, " if results.started else ""
    minutes, seconds = divmod(round(results.seconds), 60)
    took = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    yield "When", f"{started}took {took}"
    for name in _ORDER:
        if name in results.metadata:
            yield name, results.metadata[name]


def _requirements(judged: Sequence[Row], to: Links) -> str:
    if not judged:
        return ""
    heads = "<th>Id</th><th>Requirement</th><th>Prio</th><th>Verdict</th><th>Tests passed</th>"
    return _table(heads, (_requirement(row, to) for row in judged))


def _requirement(row: Row, to: Links) -> str:
    cells = (
        unbroken(escape(row.requirement.id)),
        prose(row.requirement.text),
        escape(row.requirement.priority),
        badge(row.status) + _why(row.standing.why),
        ", ".join(_by_scenario(row.outcomes, to)),
    )
    return _line(row.requirement.id, cells)


def _why(why: str) -> str:
    if not why:
        return ""
    return f' <span class="why{" id" if len(why) < _SHORT else ""}">({prose(why)})</span>'


def _by_scenario(outcomes: Iterable[Outcome], to: Links) -> Iterator[str]:
    """``nad-01 2/2``, which leads to the first of these tests that is not green, or to the first; its evidence."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.scenario or outcome.suite, []).append(outcome)
    for name, group in groups.items():
        shown = _shown(group)
        kept = f' <a href="{escape(shown.evidence)}">evidence</a>' if shown.evidence else ""
        yield f'<span class="id">{to.test(shown, f"{name} {_passed(group)}")}</span>{kept}'


def _shown(group: Sequence[Outcome]) -> Outcome:
    return next((outcome for outcome in group if outcome.verdict is not Verdict.PASS), group[0])


def _passed(group: Sequence[Outcome]) -> str:
    return f"{sum(outcome.verdict is Verdict.PASS for outcome in group)}/{len(group)}"


def _legend(judged: Sequence[Row]) -> str:
    priorities = {row.requirement.priority for row in judged}
    words = [(name, meaning) for name, meaning in _PRIORITIES.items() if name in priorities]
    words += [(str(status), meaning) for status, meaning in legend(row.status for row in judged)]
    return f'<p class="legend">{" ".join(f"{name}: {meaning}." for name, meaning in words)}</p>' if words else ""


def _kept(outcomes: Iterable[Outcome], to: Links) -> Iterator[str]:
    """One line for each message of tests that are red, worst first, with whose fault it is and what was kept."""
    for told in by_message(outcome for outcome in outcomes if outcome.verdict in BAD):
        links = ", ".join(to.charts(told.first))
        said = prose(_short(told.message)) + (f" ({links})" if links else "")
        listed = _list(prose(_short(item)) for item in told.items)
        yield f"{badge(told.verdict)} {to.test(told.first)}{told.more}: {said}{listed}"


def _short(text: str) -> str:
    return text if len(text) <= _LONG else text[:_LONG] + "…"


def _not_judged(table: Iterable[Row]) -> Iterator[str]:
    """The rows without a test in this run, but those that are waived."""
    others = [row for row in table if not row.outcomes]
    names = [row.requirement.id for row in others if row.status is Status.NOT_JUDGED]
    if names:
        yield f"Not selected: {unbroken(', '.join(names))}"
    for row in others:
        if row.status is Status.PLANNED:
            yield f"{prose(row.requirement.id)}, planned: {prose(row.requirement.text)} {prose(row.requirement.note)}"


def _scenarios(table: Sequence[ScenarioRow], to: Links) -> str:
    """A table of the selected ones, and the others by name: a run of P0 would be hard to find among their lines."""
    heads = "<th>Scenario</th><th>What it is about</th><th>Prio</th><th>Verdict</th><th>Tests passed</th><th>See</th>"
    selected = [row for row in table if row.standing != NOT_SELECTED]
    shown = _table(heads, (_scenario(row, to) for row in selected)) if selected else ""
    others = ", ".join(
        f'<span class="id" id="{escape(row.scenario.id)}" title="{escape(row.scenario.title)}">{row.scenario.id}</span>'
        for row in table
        if row.standing == NOT_SELECTED
    )
    return shown + (f"<p>Not selected: {others}</p>" if others else "")


def _scenario(row: ScenarioRow, to: Links) -> str:
    links = [*to.charts(_shown(row.outcomes))] if row.outcomes else []
    cells = (
        unbroken(escape(row.scenario.id)),
        prose(row.scenario.title),
        escape(row.scenario.priority),
        badge(row.standing.status) + _why(row.standing.why),
        to.test(_shown(row.outcomes), _passed(row.outcomes)) if row.outcomes else "",
        ", ".join(links),
    )
    return _line(row.scenario.id, cells)


def _waived(table: Sequence[Row]) -> str:
    waived = [row.requirement for row in table if row.status is Status.WAIVED]
    if not waived:
        return ""
    heads = "<th>Id</th><th>Requirement, and why no test proves it</th><th>Approved by</th><th>On</th>"
    lines = (
        _line(
            one.id,
            (unbroken(one.id), f"{prose(one.text)} Waived: {prose(one.note)}", box(one.approver), box(one.approved)),
        )
        for one in waived
    )
    return _table(heads, lines)


def box(value: str) -> str:
    """A value of the plan, or an empty box for one that is still to come."""
    return '<span class="id">[ ] open</span>' if value in {"", "open"} else escape(value)


def _exclusions(exclusions: Iterable[Exclusion]) -> Iterator[str]:
    for exclusion in exclusions:
        yield f"{prose(exclusion.what)}. {prose(exclusion.reason)}"


def _more(to: Links) -> Iterator[str]:
    yield '<a href="matrix.html">all requirements and tests</a>'
    for words, href in (("report", to.report), ("log", to.log)):
        if href:
            yield f'<a href="{escape(href)}">{words}</a>'


def _table(heads: str, lines: Iterable[str]) -> str:
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>{''.join(lines)}</tbody>\n</table>"


def _line(anchor: str, cells: Iterable[str]) -> str:
    return f'<tr id="{escape(anchor)}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"


_STYLE = """
body { max-width: 70em; }
td:nth-child(4) { min-width: 9em; }
.signature { display: flex; gap: 2em; margin-top: 2.5em; }
.signature span { border-top: 1px solid; flex: 1; padding-top: .2em; }
@page { size: A4; margin: 10mm; }
@media print {
  body { font-size: 8.5px; line-height: 1.22; margin: 0; max-width: none; padding: 0; }
  a { color: inherit; text-decoration: none; }
  tr { break-inside: avoid; }
  h2 { margin: .7em 0 .1em; break-after: avoid; }
  th, td { padding: .08em .8em .08em 0; }
  dl { margin: .3em 0; }
  .more { display: none; }
}
"""
