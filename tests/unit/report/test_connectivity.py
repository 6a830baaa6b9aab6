# SPDX-License-Identifier: Apache-2.0
"""The chart of probes around a swap: roles, the gap, its data, and that its SVG stands alone."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from livenad.changes import NetworkChange
from livenad.reachability.paths import Path, path_between, witness_path
from livenad.reachability.probes import Probe, ProbeRun, series_of
from livenad.reachability.samples import Sample
from livenad.report.connectivity import Connectivity, Role, as_data, connectivity_of
from livenad.report.connectivity_svg import connectivity_svg, words_of
from livenad.report.evidence.diagnostics import wire_findings
from livenad.report.svg import COLOURS
from livenad.report.timeline import Tone, timeline_of

from tests.unit.support.histories import replay
from tests.unit.support.topology import nic, vm

VM = vm("vm1", nic("net1", "nad-a", 1, "10.0.0.10/24"))
OLD = vm("old", nic("main", "nad-a", 2, "10.0.0.11/24", "10.0.1.11/24"), nic("witness", "nad-b", 3, "10.0.2.11/24"))
NEW = vm("new", nic("main", "nad-b", 4, "10.0.0.12/24", "10.0.2.12/24"), nic("witness", "nad-a", 5, "10.0.1.12/24"))


def measured(path: Path, at: float, answered_from: float, answered_until: float, step: float = 0.2) -> ProbeRun:
    """ICMP from 2 s before to 18 s after the edit at ``at``, answered in a span only (seconds after the edit)."""
    times = [number * step - 2 for number in range(round(20 / step))]
    probe = Probe(path, "ICMP")
    samples = [Sample(at + t, at + t + 0.01, answered_from <= t < answered_until) for t in times]
    return ProbeRun(at, {probe: series_of(probe, samples)})


def chart(step: float = 0.2, new_from: float = 14.8) -> tuple[Connectivity, NetworkChange]:
    history, swap = replay("swap-main")
    for one in (VM, OLD, NEW):
        one.namespace = swap.namespace
    tested = VM.nics[0]
    old, new = path_between(VM, tested, OLD), path_between(VM, tested, NEW)
    runs = [
        measured(old, swap.at, -9, 13.9, step),
        measured(new, swap.at, new_from, 99, step),
        measured(old.reverse(), swap.at, -9, 13.9, step),
        measured(witness_path(NEW, OLD, OLD.nics[0], tested), swap.at, -9, 99, step),
    ]
    found = connectivity_of(swap, runs, timeline_of(history, swap, time.monotonic()))
    assert found is not None
    return found, swap


def test_tracks_are_told_by_the_network_of_the_peer() -> None:
    tracks = [(track.role, track.way, track.name) for track in chart()[0].tracks]
    assert tracks == [
        (Role.OLD, "out", "ICMP vm1 → old"),
        (Role.OLD, "in", "ICMP old → vm1"),
        (Role.NEW, "out", "ICMP vm1 → new"),
        (Role.CONTROL, "past", "ICMP new (witness) → old"),
    ]


def test_gap_is_between_the_last_old_and_the_first_new_answer() -> None:
    (gap,) = chart()[0].gaps
    assert (gap.way, gap.version) == ("out", 4)
    assert gap.seconds == pytest.approx(1.0)
    assert words_of(chart()[0])[0] == "Gap: 1.0 s (VM asks, IPv4)"


def test_overlap_leaves_no_gap_and_pauses_tell_none() -> None:
    (gap,) = chart(new_from=5)[0].gaps
    assert gap.seconds == 0
    assert "less than 0.2 s" in words_of(chart(new_from=5)[0])[0]
    assert chart(step=2.5)[0].gaps == ()
    assert words_of(chart(step=2.5)[0])[0] == "The gap is not known: no probe ran all through the swap"
    assert words_of(chart(new_from=99)[0])[0] == "The gap is not known: no ping on the new network was answered"


def test_words_tell_the_stretches_between_which_nothing_was_probed() -> None:
    found = chart()[0]
    control = found.tracks[-1]
    around = tuple(one for one in control.samples if one.asked < -1 or one.asked > 17)
    told = words_of(replace(found, tracks=(*found.tracks[:-1], replace(control, samples=around))))
    assert told[-1].startswith(
        "control: ICMP new (witness) → old (10.0.1.11): 9 of 9 answered: 5 of 5 sent from -2.0 to -1.2 s, "
    )
    assert told[-2].startswith("new network: ICMP vm1 → new (10.0.0.12): 16 of 100 answered, first +14.8 s, last ")


def test_data_is_plain_and_relative_to_the_edit() -> None:
    data = json.loads(json.dumps(as_data(*chart())))
    assert data["gaps"][0]["seconds"] == 1.0
    assert data["old_network"] == "nad-a"
    first = data["series"][0]
    assert (first["role"], first["direction"], first["samples"][0]) == ("old network", "out", [-2.0, -1.99, True])
    assert {"Running", "Scheduling"} <= {phase["state"] for phase in data["phases"]}


def test_svg_stands_alone_and_says_the_gap() -> None:
    root = ET.fromstring(connectivity_svg(chart()[0]))  # noqa: S314 (our own text)
    shown = "".join(root.itertext())
    assert "Gap: 1.0 s" in shown and "gap of 1.0 s" in shown
    assert not [element.tag for element in root.iter() if element.tag.endswith(("script", "style", "image"))]


def test_nothing_measured_is_no_chart() -> None:
    history, swap = replay("swap-main")
    timeline = timeline_of(history, swap, time.monotonic())
    assert connectivity_of(swap, [], timeline) is None
    # Many VMs move in one suite, and few are looked into.
    for one in (OLD, NEW):
        one.namespace = swap.namespace
    others = measured(witness_path(NEW, OLD, OLD.nics[0], VM.nics[0]), swap.at, -9, 99)
    assert connectivity_of(swap, [others], timeline) is None


def test_old_network_that_answers_after_the_swap_is_shown_as_wrong() -> None:
    history, swap = replay("swap-main")
    timeline = timeline_of(history, swap, time.monotonic())
    runs = [measured(path_between(VM, VM.nics[0], OLD), swap.at, -2, 18)]
    found = connectivity_of(swap, runs, timeline)
    assert found is not None
    assert COLOURS[Tone.BAD] in connectivity_svg(found)
    assert COLOURS[Tone.BAD] not in connectivity_svg(replace(found, timeline=replace(timeline, complete=None)))
    (sign,) = wire_findings(found)
    assert re.fullmatch(
        r"old network: ICMP vm1 → old \(10.0.0.11\): (\d+) of \1 answered after the swap was complete", sign
    )


def test_new_network_that_is_silent_after_the_swap_is_a_sign() -> None:
    (sign,) = wire_findings(chart(new_from=99)[0])
    assert sign.startswith("new network: ICMP vm1 → new (10.0.0.12): 0 of ")
    assert wire_findings(chart()[0]) == []


def test_controls_that_differ_in_the_address_alone_share_a_row() -> None:
    found = chart()[0]
    control = found.tracks[-1]
    twice = replace(found, tracks=(*found.tracks, replace(control, address="10.0.9.9")))
    assert connectivity_svg(twice).count(f">{control.name}<") == 1
    assert f"{control.address}, 10.0.9.9" in connectivity_svg(twice)
