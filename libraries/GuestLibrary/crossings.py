"""Keywords: probes across a swap, the gap that it left, and the time before it."""

from __future__ import annotations

import html
import json
from datetime import timedelta
from pathlib import Path

from livenad.context import Run
from livenad.errors import BadInput, LabError, ProductFault
from livenad.migrations.induced_failure import Breakages
from livenad.migrations.judge_induced_failure import retry_left_queue
from livenad.outage.judge_outage import Gap, Kept, describe_span, gap_of, gap_text, judge_kept
from livenad.outage.probes_across import Crossing, Crossings, begin_crossing, end_crossing
from livenad.reachability.samples import headed
from livenad.text import human
from robot.api import logger
from robot.api.deco import keyword
from robot.libraries.BuiltIn import BuiltIn
from robot.utils import timestr_to_secs

from GuestLibrary.context import Family, current_guests, log_probes


class CrossingKeywords:
    """The guests ask by themselves from before the edit on; what they saw is fetched in the end."""

    @keyword(tags=["reachability"])
    def watch_the_crossing(
        self, vm: str, *, nic: str, old: str, new: str, families: list[Family] | None = None
    ) -> None:
        """Lets the VM and two peers ask one another from now on, by ICMP five times a second, and returns at once.

        Args:
        | ``vm``       | Name of the VM; it has an address in a subnet with each peer. |
        | ``nic``      | Name of the VM's NIC that is moved. |
        | ``old``      | Name of the peer on the network that it leaves. |
        | ``new``      | Name of the peer on the network that it comes to. |
        | ``families`` | ``['ipv4']``, which is the default, or ``['ipv4', 'ipv6']``. |
        """
        guests, settings = current_guests(), Run.current().settings
        versions = [family.value for family in families or [Family.ipv4]]
        longest = settings.swap_timeout + settings.reach_timeout
        crossing = begin_crossing(guests, vm, nic=nic, old=old, new=new, versions=versions, longest=longest)
        Crossings.of(guests).remember(guests.record(vm).namespace, crossing)
        logger.info(f'{vm} is watched from the network of {old} to that of {new}, through NIC "{nic}"')

    @keyword(tags=["reachability"])
    def end_the_watch_of_the_crossing(self, vm: str, *, within: timedelta) -> None:
        """Ends the watch once the new network answers, and fetches what the guests saw. Judges nothing.

        Args:
        | ``vm``     | Name of a VM of `Watch The Crossing`. |
        | ``within`` | How long the new network has for its first answers, from now on. |
        """
        guests = current_guests()
        crossing = Crossings.of(guests).last(guests.record(vm).namespace, vm)
        run = end_crossing(guests, crossing, within.total_seconds())
        log_probes(f"{vm} was watched while it changed its network", run)

    @keyword(tags=["reachability", "verdict"])
    def gap_in_connectivity_should_be_shown(self, vm: str, *, threshold: str = "") -> None:
        """Shows for how long nothing was answered between the two networks, by direction and IP version.

        The table is in the log, the data in ``gap-<namespace>-<vm>.json`` beside it. Five requests a second are sent,
        so that is how exact it is; the VM's own clock, by which "out" goes, stands still while the guest is switched
        over. Fails only when a threshold is given and a gap is longer.

        Args:
        | ``vm``        | Name of a VM of `Watch The Crossing`. |
        | ``threshold`` | Longest gap that is accepted, such as ``2 s``; empty: any. |
        """
        guests = current_guests()
        namespace = guests.record(vm).namespace
        crossing = Crossings.of(guests).last(namespace, vm)
        limit = _seconds(threshold)
        gaps = _gaps(crossing, f"VM {namespace}/{vm}")
        _show(gaps)
        _store(gaps, crossing, f"gap-{namespace}-{vm}.json", limit)
        longest = max(gaps, key=lambda gap: gap.seconds)
        if limit is not None and longest.seconds > limit:
            told = ", ".join(f"{_name(gap)} {gap_text(gap)}" for gap in gaps)
            raise ProductFault(
                f"VM {namespace}/{vm}: expected no gap in connectivity over its swap longer than {human(limit)} "
                f"(GAP_THRESHOLD); the longest is {gap_text(longest)} ({_name(longest)}); all: {told}"
            )

    @keyword(tags=["reachability", "verdict"])
    def old_network_should_have_been_kept_until_the_next_try(self, vm: str) -> None:
        """Fails unless the VM stayed on its old network between the failed migration and the next one, heard by ICMP.

        The old peer and the VM answered each other all that time, and nothing was heard of the new peer since before
        the edit; both peers answered each other meanwhile, past the VM.

        Args:
        | ``vm`` | Name of a VM of `Watch The Crossing` and `Break The Migration Of VM`. |
        """
        guests, run = current_guests(), Run.current()
        namespace = guests.record(vm).namespace
        crossing, breakage = Crossings.of(guests).last(namespace, vm), Breakages.of(run).last(run.scope)
        history = run.require_recorder().history
        retry = retry_left_queue(history, breakage)
        start = breakage.at
        directions = crossing.directions()
        witness, other = crossing.series(crossing.witness), crossing.series(crossing.other)
        last = max((sample.asked for one in directions for sample in one.old.samples), default=start)
        end = last if retry is None else retry
        subject = f"VM {namespace}/{vm}"
        span = (
            f"the {human(end - start)} from its failed migration to {'the next' if retry else 'the end of the watch'}"
        )
        shown = "; ".join(describe_span(one.old, start, end) for one in directions)
        verdict = judge_kept(directions, witness, other, start, end)
        if verdict is Kept.HEARD:
            heard = [one.new for one in directions if any(sample.asked < end for sample in one.new.answers)]
            raise ProductFault(
                f"{subject} should be silent to {crossing.to_new[crossing.versions[0]].target.name} before it is "
                f"moved; answers came: {headed(heard, start)}"
            )
        if verdict is Kept.CUT_OFF:
            raise ProductFault(f"{subject} should reach its old network throughout {span}; {shown}")
        if verdict is not Kept.PROVEN:
            more = "; ".join(describe_span(series, start, end) for series in (witness, other))
            why = "too few requests were sent: was a guest frozen or overloaded?"
            reason = why if verdict is Kept.TOO_FEW else verdict.value
            raise LabError(f"{subject}: nothing is known of {span}: {reason}; {shown}; {more}")
        logger.info(f"{subject} reached its old network, and nothing of the new one, throughout {span}; {shown}")


def _gaps(crossing: Crossing, title: str) -> list[Gap]:
    gaps = []
    for direction in crossing.directions():
        gap = gap_of(direction)
        if gap is None:
            raise LabError(
                f"{title}: the gap in connectivity cannot be measured: its old network never answered; "
                f"{direction.old.describe(crossing.window.began)}"
            )
        gaps.append(gap)
    return gaps


def _seconds(threshold: str) -> float | None:
    if not threshold.strip():
        return None
    try:
        seconds = float(timestr_to_secs(threshold))
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        raise BadInput(f'variable GAP_THRESHOLD is "{threshold}"; expected a time above 0, such as "2 s", or nothing')
    return seconds


def _name(gap: Gap) -> str:
    way = "VM asks" if gap.direction.way == "out" else "peers ask"
    return f"IPv{gap.direction.version}, {way}"


def _show(gaps: list[Gap]) -> None:
    rows = "".join(
        f"<tr><td>{html.escape(_name(gap))}</td><td>{html.escape(gap_text(gap))}</td>"
        f"<td>{gap.direction.old.target if gap.direction.way == 'out' else gap.direction.old.source}</td>"
        f"<td>{gap.direction.new.target if gap.direction.way == 'out' else gap.direction.new.source}</td></tr>"
        for gap in gaps
    )
    head = "<tr><th>ICMP</th><th>gap</th><th>from the last answer with</th><th>to the first with</th></tr>"
    logger.info(f"<table>{head}{rows}</table>", html=True)


def _store(gaps: list[Gap], crossing: Crossing, name: str, limit: float | None) -> None:
    folder = BuiltIn().get_variable_value("${OUTPUT DIR}")
    data = {"vm": crossing.vm, "threshold": limit, "gaps": [gap.as_data(crossing.window.began) for gap in gaps]}
    path = Path(str(folder)) / name
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    logger.info(f"Stored as {path}")
