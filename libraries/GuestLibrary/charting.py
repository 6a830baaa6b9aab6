"""The chart of connectivity around each swap: in the log, and as data beside the results."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

from livenad.context import Run
from livenad.guest.guests import Guests
from livenad.network_change.completion import NetworkSwap, edits_of
from livenad.report.chart_html import chart_html
from livenad.report.connectivity import Connectivity, as_data, connectivity_of
from livenad.report.connectivity_svg import connectivity_svg, words_of
from livenad.report.timeline import timeline_of
from robot.api import logger
from robot.libraries.BuiltIn import BuiltIn


def log_connectivity(guests: Guests) -> None:
    """One chart for each swap of the open namespace around which anything was measured."""
    folder = Path(str(BuiltIn().get_variable_value("${OUTPUT DIR}")))
    for name, swap, chart in charts_of(guests):
        file = folder / f"connectivity-{swap.namespace}-{name}.json"
        file.write_text(json.dumps(as_data(chart, swap), separators=(",", ":")) + "\n", encoding="utf-8")
        page = chart_html(connectivity_svg(chart), "The chart in words", words_of(chart), file.name)
        logger.info(page, html=True)


def charts_of(guests: Guests) -> Iterator[tuple[str, NetworkSwap, Connectivity]]:
    """The swaps of the open namespace that have a chart, each with a name that fits a file's."""
    recorder = guests.run.recorder
    if recorder is None:
        return
    for name, swap in swaps_of(guests.run):
        timeline = timeline_of(recorder.history, swap, time.monotonic())
        chart = connectivity_of(swap, list(guests.measured), timeline)
        if chart is not None:
            yield name, swap, chart


def swaps_of(run: Run) -> Iterator[tuple[str, NetworkSwap]]:
    """Every edit of the VMs of a run, each once."""
    seen: set[int] = set()
    for key, last in run.swaps.items():
        for number, swap in enumerate(edits_of(last), 1):
            if id(swap) not in seen:
                seen.add(id(swap))
                yield key.replace("/", "-") + (f"-{number}" if number > 1 else ""), swap
