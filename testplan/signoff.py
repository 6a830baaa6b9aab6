"""The sign-off: one page of HTML, two when printed, with the verdict on every requirement and what it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape

from testplan.gate import Judgement
from testplan.matrix import Row, Status, legend, rows
from testplan.plan import Plan
from testplan.results import BAD, Outcome, Results, Verdict, bare
from testplan.summary import skips

_KEPT = re.compile(r"\[([^|\]]+)\|")
_ORDER = ("Cluster", "KubeVirt", "Nodes", "Profile", "Tests", "Run", "Durations")
_LONG = 320
_PRIORITIES = {"env": "what a cluster has to have", "info": "measured and shown, not judged"}


def signoff(plan: Plan, results: Results, judgement: Judgement, log: str) -> str:
    """``log`` is the path of log.html as seen from this page; empty: no links."""
    table = rows(plan, results)
    judged = [row for row in table if row.outcomes]
    others = [row for row in table if not row.outcomes]
    counts = {status: sum(row.status is status for row in table) for status in Status}
    summary = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    not_run = "".join(f"<li>{line}</li>" for line in _not_run(others))
    skipped = "".join(f"<li>{escape(line)}</li>" for line in skips(results.outcomes))
    priorities = {row.requirement.priority for row in judged}
    meanings = [(name, meaning) for name, meaning in _PRIORITIES.items() if name in priorities]
    words = " ".join(f"{name}: {meaning}." for name, meaning in [*meanings, *legend(table)])
    kept = "".join(f"<li>{line}</li>" for line in _kept(results.outcomes, log))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign-off: {escape(plan.feature)}: {escape(judgement.word)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(plan.feature)}: sign-off <b class="{_css(judgement.word)}">{escape(judgement.word)}</b></h1>
<p>{escape(judgement.headline[:1].upper() + judgement.headline[1:])}. Requirements: {escape(summary)}.</p>
<dl>{"".join(_facts(results))}</dl>
{f"<h2>Failed</h2><ul>{kept}</ul>" if kept else ""}
<table>
<thead><tr><th>Row</th><th>Requirement</th><th>Prio</th><th>Verdict</th><th>Tests passed</th></tr></thead>
<tbody>{"".join(_row(row, log) for row in judged)}</tbody>
</table>
{f'<p class="legend">{words}</p>' if words else ""}
{f"<h2>Not judged by this run</h2><ul>{not_run}</ul>" if not_run else ""}
{f"<h2>Skipped</h2><ul>{skipped}</ul>" if skipped else ""}
<h2>Scenarios</h2>
<p>{"; ".join(_scenarios(plan, results, log))}.</p>
<p class="signature"><span>Name</span><span>Date</span><span>Decision</span></p>
</body>
</html>
"""


def _facts(results: Results) -> Iterator[str]:
    started = f"{results.started:%Y-%m-%d %H:%M}, " if results.started else ""
    minutes, seconds = divmod(round(results.seconds), 60)
    took = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    yield f"<dt>When</dt><dd>{escape(started)}took {took}</dd>"
    for name in _ORDER:
        if name in results.metadata:
            yield f"<dt>{escape(name)}</dt><dd>{escape(results.metadata[name])}</dd>"


def _row(row: Row, log: str) -> str:
    cells = (
        escape(row.requirement.id),
        _prose(row.requirement.text),
        escape(row.requirement.priority),
        f'<b class="{_css(row.status)}">{escape(row.status)}</b>',
        ", ".join(_by_scenario(row.outcomes, log)),
    )
    return f'<tr id="{escape(row.requirement.id)}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"


def _by_scenario(outcomes: Iterable[Outcome], log: str) -> Iterator[str]:
    """``nad-01 2/2``, which leads to the first of these tests that is not green, else to the first."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.scenario or outcome.suite, []).append(outcome)
    for name, group in groups.items():
        passed = sum(outcome.verdict is Verdict.PASS for outcome in group)
        shown = next((outcome for outcome in group if outcome.verdict is not Verdict.PASS), group[0])
        yield f"<nobr>{_link(f'{name} {passed}/{len(group)}', shown, log)}</nobr>"


def _kept(outcomes: Iterable[Outcome], log: str) -> Iterator[str]:
    """One line for each message of tests that failed, worst first, with whose fault it is and what was kept.

    A failed setup has failed all its tests.
    """
    groups: dict[tuple[Verdict, str], list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.verdict in BAD:
            for said in outcome.told.items():
                groups.setdefault(said, []).append(outcome)
    for (verdict, message), group in sorted(groups.items(), key=lambda item: BAD.index(item[0][0])):
        found = _KEPT.match(group[0].metadata.get("Evidence", ""))
        kept = f' (<a href="{escape(found[1])}">evidence</a>)' if found else ""
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        word = f'<b class="{_css(verdict)}">{verdict}</b>'
        yield f"{word} {_link(group[0].name, group[0], log)}{more}: {escape(_short(bare(message)))}{kept}"


def _short(text: str) -> str:
    return text if len(text) <= _LONG else text[:_LONG] + "…"


def _not_run(others: Iterable[Row]) -> Iterator[str]:
    """A line for those that the run did not select, and one for each that a run does not prove, with the reason."""
    names = [row.requirement.id for row in others if row.status is Status.NOT_SELECTED]
    if names:
        yield f"Not selected: {', '.join(names)}"
    for row in others:
        if row.status is not Status.NOT_SELECTED:
            yield f"{row.requirement.id}, {row.status}: {_prose(row.requirement.text)} {_prose(row.requirement.note)}"


def _prose(text: str) -> str:
    """With what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _scenarios(plan: Plan, results: Results, log: str) -> Iterator[str]:
    for scenario in plan.scenarios:
        own = [outcome for outcome in results.outcomes if outcome.scenario == scenario.id]
        passed = sum(outcome.verdict is Verdict.PASS for outcome in own)
        words = f"{passed}/{len(own)}" if own else "not run"
        name = _link(scenario.id, own[0], log) if own else escape(scenario.id)
        yield f'<span id="{escape(scenario.id)}">{name} {_prose(scenario.title)} {words}</span>'


def _link(words: str, outcome: Outcome, log: str) -> str:
    return f'<a href="{escape(log)}#{escape(outcome.id)}">{escape(words)}</a>' if log else escape(words)


def _css(word: str) -> str:
    return word.lower().replace(" ", "-")


_STYLE = """
:root { color-scheme: light dark; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 66em; padding: 0 1em; }
h1 { font-size: 1.5em; margin: 0 0 .3em; }
h2 { font-size: 1.05em; margin: 1em 0 .2em; }
p, ul { margin: .2em 0; }
li { overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin-top: .8em; }
th, td { border-bottom: 1px solid #8886; padding: .2em .9em .2em 0; text-align: left; vertical-align: top; }
th { white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content auto; gap: .05em 1em; margin: .6em 0; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
b { white-space: nowrap; }
b.pass { color: #0a7d33; }
b.fail { color: #c01828; }
b.lab-error, b.not-proven, b.interrupted, b.skipped { color: #a85c00; }
b.test-error { color: #7a3fb0; }
.legend { font-size: .9em; opacity: .75; }
.signature { display: flex; gap: 2em; margin-top: 2.5em; }
.signature span { border-top: 1px solid; flex: 1; padding-top: .2em; }
@media (prefers-color-scheme: dark) {
  b.pass { color: #5fd38a; }
  b.fail { color: #ff7b86; }
  b.lab-error, b.not-proven, b.interrupted, b.skipped { color: #ffb454; }
  b.test-error { color: #cfa6ff; }
}
@page { size: A4; margin: 11mm; }
@media print {
  body { font-size: 9.5px; line-height: 1.25; margin: 0; max-width: none; padding: 0; }
  a { color: inherit; text-decoration: none; }
  tr { break-inside: avoid; }
  th, td { padding: .1em .9em .1em 0; }
}
"""
