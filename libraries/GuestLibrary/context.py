"""What the keyword components share: the guests of the current run, and how a result is logged."""

from __future__ import annotations

import enum
import html
from collections.abc import Iterator
from contextlib import contextmanager

from livenad.context import Run
from livenad.errors import LabError, ProductFault
from livenad.guest.guests import Guests
from livenad.reachability.probes import ProbeRun
from robot.api import logger


class Blame(enum.Enum):
    """Whose fault it is when a check does not hold: the product's after the act, the lab's before it."""

    product = "product"
    lab = "lab"


class Family(enum.Enum):
    """By which addresses guests are asked."""

    ipv4 = 4
    ipv6 = 6


class Via(enum.Enum):
    """The way into a guest; ``auto`` is SSH, or the console where SSH fails or cannot be."""

    auto = "auto"
    ssh = "ssh"
    console = "console"


def current_guests() -> Guests:
    """The guests of the current run. LabError when no cluster is open."""
    return Guests.of(Run.current(), logger.warn)


@contextmanager
def blamed_on(blame: Blame) -> Iterator[None]:
    """Turns a fault of the product into one of the lab where the lab is to blame: the product has not acted yet."""
    try:
        yield
    except ProductFault as fault:
        if blame is Blame.product:
            raise
        raise LabError(f"before the act: {fault}") from None


def log_probes(headline: str, run: ProbeRun) -> None:
    """One line, and the series behind it in a folded block."""
    lines = "\n".join(html.escape(series.describe(run.began)) for series in run.series.values())
    logger.info(
        f"{html.escape(headline)}<details><summary>{len(run.series)} probes</summary><pre>{lines}</pre></details>",
        html=True,
    )
