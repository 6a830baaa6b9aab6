"""How keywords speak to the log, the report and the console; the one room that knows Robot's logger."""

from __future__ import annotations

import html
import logging
import time
from collections.abc import Sequence

from livenad.api.history import History
from livenad.network_change.completion import NetworkSwap
from livenad.report.chart_html import chart_html
from livenad.report.timeline import text_of, timeline_of
from livenad.report.timeline_svg import timeline_svg
from robot.api import logger
from robot.libraries.BuiltIn import BuiltIn, RobotNotRunningError


def quiet_foreign_loggers() -> None:
    """Keep other libraries' chatter, which may hold tokens, out of the log."""
    for name in ("kubernetes", "urllib3", "websocket", "paramiko"):
        logging.getLogger(name).setLevel(logging.WARNING)


def step(message: str) -> None:
    """The one line of a step."""
    logger.info(message)


def progress(message: str) -> None:
    """A step that somebody at the console wants to see as well."""
    logger.info(message, also_console=True)


def details(title: str, text: str) -> None:
    """Something long, folded, below a step."""
    logger.info(f"<details><summary>{html.escape(title)}</summary><pre>{html.escape(text)}</pre></details>", html=True)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in the log; every cell is plain text."""
    lines = ["".join(f"<th>{html.escape(head)}</th>" for head in heads)]
    lines += ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
    logger.info("<table border=1>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>", html=True)


def timeline(history: History, swap: NetworkSwap, within: float | None = None) -> None:
    """The timeline of a swap up to now, and the same in words folded below it."""
    drawn = timeline_of(history, swap, time.monotonic(), within)
    chart(chart_html(timeline_svg(drawn), "The timeline in words", text_of(drawn)))


def chart(page: str) -> None:
    """A chart of ``livenad.report.chart_html`` in the log."""
    logger.info(page, html=True)


def warn(message: str) -> None:
    """Something that does not fail a test and must be seen."""
    logger.warn(message)


def heartbeat(line: str) -> None:
    """A sign of life on the console during a long wait."""
    logger.console(f"... {line}")


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
