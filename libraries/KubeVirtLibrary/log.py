# SPDX-License-Identifier: Apache-2.0
"""What keywords write to the log, the report and the console; the only module that uses Robot's logger."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from livenad.api.history import History
from livenad.changes import NetworkChange
from livenad.context import SuiteContext
from livenad.reachability.probes import ProbeRun
from livenad.report.chart_html import chart_html
from livenad.report.connectivity import as_data
from livenad.report.connectivity_charts import charts_of
from livenad.report.connectivity_svg import connectivity_svg, words_of
from livenad.report.timeline import text_of, timeline_of
from livenad.report.timeline_svg import timeline_svg
from robot.api import logger
from robot.libraries.BuiltIn import BuiltIn, RobotNotRunningError

_heard: list[list[str]] = []


@contextmanager
def heard() -> Iterator[list[str]]:
    """The lines of steps that are logged meanwhile."""
    lines: list[str] = []
    _heard.append(lines)
    try:
        yield lines
    finally:
        _heard.pop()


def _tell(message: str) -> None:
    for lines in _heard:
        lines.append(message)


def step(message: str) -> None:
    """The one line of a step."""
    _tell(message)
    logger.info(message)


def progress(message: str) -> None:
    """A step that is shown on the console as well."""
    logger.info(message, also_console=True)


def details(title: str, text: str) -> None:
    """Something long, folded, below a step."""
    logger.info(f"<details><summary>{html.escape(title)}</summary><pre>{html.escape(text)}</pre></details>", html=True)


def folded(headline: str, title: str, text: str) -> None:
    """The one line of a step, with something long folded in it."""
    _tell(headline)
    block = f"<details><summary>{html.escape(title)}</summary><pre>{html.escape(text)}</pre></details>"
    logger.info(html.escape(headline) + block, html=True)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in the log; every cell is plain text."""
    lines = ["".join(f"<th>{html.escape(head)}</th>" for head in heads)]
    lines += ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
    logger.info("<table border=1>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>", html=True)


def timeline(history: History, change: NetworkChange, within: float | None = None) -> None:
    """The timeline of a network change up to now, and the same in words folded below it."""
    drawn = timeline_of(history, change, time.monotonic(), within)
    chart(chart_html(timeline_svg(drawn), "The timeline in words", text_of(drawn)))


def chart(page: str) -> None:
    """A chart of `livenad.report.chart_html` in the log."""
    logger.info(page, html=True)


def warn(message: str) -> None:
    """Something that does not fail a test and must be seen."""
    logger.warn(message)


def heartbeat(line: str) -> None:
    """A progress message on the console during a long wait, with the test, or part of a suite, that waits."""
    logger.console(f"... {_place()}{line}")


def _place() -> str:
    try:
        if test := variable("TEST NAME"):
            return f"{test}: "
        part = "teardown" if suite_status() else "setup"
        return f"{part} of {suite_name().rpartition('.')[2]}: "
    except RobotNotRunningError:
        return ""


def suite_metadata(name: str, value: str, *, top: bool = True) -> None:
    """Show a fact in the report, at the top suite or at the current one. Outside a run there is none to show."""
    try:
        BuiltIn().set_suite_metadata(name, value, append=not top, top=top, separator=", ")
    except RobotNotRunningError:
        logger.debug(f"{name}: {value}")


def variable(name: str) -> object:
    """Value of a Robot variable, None where it is not set."""
    value: object = BuiltIn().get_variable_value(f"${{{name}}}")
    return value


def suite_name() -> str:
    """Full name of the Robot suite that runs, "" outside a run."""
    return _of_suite("NAME")


def suite_status() -> str:
    """PASS, FAIL or SKIP of the suite in its teardown, "" before it and outside a run."""
    return _of_suite("STATUS")


def _of_suite(what: str) -> str:
    try:
        return str(variable(f"SUITE {what}") or "")
    except RobotNotRunningError:
        return ""


def output_folder() -> Path:
    """Where results lie."""
    return Path(str(variable("OUTPUT DIR")))


def probes(headline: str, run: ProbeRun) -> None:
    """One line, and the series of probes folded in it."""
    lines = "\n".join(series.describe(run.began) for series in run.series.values())
    folded(headline, "each protocol, source and target", lines)


def log_connectivity(suite: SuiteContext) -> None:
    """A chart for each network change of the suite with measurements from or to its VM; its data lie beside the log."""
    for name, change, drawn in charts_of(suite):
        file = output_folder() / f"connectivity-{change.namespace}-{name}.json"
        file.write_text(json.dumps(as_data(drawn, change), separators=(",", ":")) + "\n", encoding="utf-8")
        chart(chart_html(connectivity_svg(drawn), "The chart in words", words_of(drawn), file.name))
