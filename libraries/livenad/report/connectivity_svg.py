# SPDX-License-Identifier: Apache-2.0
"""The probes of a swap as SVG: a track each, a bar for an answer, a dot for none, the migration's phases behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape

from livenad.reachability.samples import Sample
from livenad.report.connectivity import Connectivity, Gap, Role, Track
from livenad.report.svg import CHARACTER, COLOURS, RIGHT, Axis, line_at, middle_cut, picture, text
from livenad.report.timeline import Span, Tone
from livenad.text import human

RESOLUTION = 0.2
"""Seconds between two requests of a watch."""

PAUSE = 3.0
"""Seconds between two requests beyond which they belong to two stretches: between two checks nothing is probed."""

_LEGEND = (
    'Times are seconds from the edit. "old network" and "new network": probes through the NIC that was moved. '
    '"control": probes that are answered before and after the swap in a lab that works; single ones may be lost'
)

_GUTTER = 290
_TRACK = 18
_HEAD = 20
_TOP = 64
_TONES = {Role.OLD: Tone.WAIT, Role.NEW: Tone.GOOD, Role.CONTROL: Tone.CALM}


def connectivity_svg(chart: Connectivity) -> str:
    """The chart; times are seconds after the edit."""
    margin = max(0.5, 0.02 * (chart.end - chart.start))
    axis = Axis(min(0.0, chart.start) - margin, max(0.0, chart.end) + margin, _GUTTER)
    tracks, bottom = "", float(_TOP)
    for role, rows in _groups(chart):
        tracks += text(8, bottom + 15, role, weight="600")
        bottom += _HEAD
        for row in rows:
            tracks += _track(row, bottom, axis, chart.timeline.complete)
            bottom += _TRACK
    gaps = [_gap(gap, chart, axis) for gap in chart.gaps]
    body = [
        text(8, 16, f"Who answered: {chart.timeline.title}", weight="600"),
        text(8, 33, gap_words(chart)),
        text(8, 50, "▌ answered, · no answer, shaded: phases of the migration", opacity=0.75),
        *_phases(chart, axis, bottom),
        axis.draw(_TOP, bottom),
        *gaps,
        tracks,
        line_at(axis.x(0), _TOP - 4, bottom, "currentColor"),
        text(axis.x(0) + 3, _TOP - 6, "edit"),
    ]
    return picture(
        f"Connectivity: {chart.timeline.title}", ". ".join(words_of(chart)), round(bottom + 22, 1), "".join(body)
    )


def _groups(chart: Connectivity) -> Iterator[tuple[Role, list[Track]]]:
    """The rows of each role that has any; controls that differ in nothing but the address asked share a row."""
    for role in Role:
        own = [track for track in chart.tracks if track.role is role]
        if role is Role.CONTROL:
            shared: dict[str, Track] = {}
            for track in own:
                first = shared.setdefault(track.name, replace(track, samples=(), address=""))
                address = f"{first.address}, {track.address}".removeprefix(", ")
                shared[track.name] = replace(first, samples=first.samples + track.samples, address=address)
            own = list(shared.values())
        if own:
            yield role, own


def gap_words(chart: Connectivity) -> str:
    """The gaps in one line, or why there are none to tell."""
    if not chart.gaps:
        return f"The gap is not known: {_no_gap(chart)}"
    ways = {"out": "VM asks", "in": "peers ask"}
    return "Gap: " + ", ".join(f"{_length(gap)} ({ways[gap.way]}, IPv{gap.version})" for gap in chart.gaps)


def _no_gap(chart: Connectivity) -> str:
    """Why no gap was measured."""
    answered = {
        track.role for track in chart.tracks if track.protocol == "ICMP" if any(one.answered for one in track.samples)
    }
    for role in (Role.OLD, Role.NEW):
        if role not in answered:
            return f"no ping on the {role} was answered"
    return "no probe ran all through the swap"


def _length(gap: Gap) -> str:
    """Five requests a second were sent: less than their distance is not seen."""
    return f"less than {RESOLUTION} s" if gap.seconds < RESOLUTION else human(gap.seconds)


def words_of(chart: Connectivity) -> list[str]:
    """The chart in words, a line a track."""
    lines = [gap_words(chart), _LEGEND]
    for track in chart.tracks:
        answers = sum(sample.answered for sample in track.samples)
        line = f"{track.role}: {track.name} ({track.address}): {answers} of {len(track.samples)} answered"
        lines.append(f"{line}{_when(track.samples)}")
    return lines


def _when(samples: Sequence[Sample]) -> str:
    """When the first and the last answer came; of several stretches with a pause between, how many of each."""
    stretches: list[list[Sample]] = []
    for sample in samples:
        if not stretches or sample.asked - stretches[-1][-1].asked > PAUSE:
            stretches.append([])
        stretches[-1].append(sample)
    if len(stretches) > 1:
        return ": " + ", ".join(
            f"{sum(sample.answered for sample in one)} of {len(one)} sent "
            f"from {one[0].asked:+.1f} to {one[-1].asked:+.1f} s"
            for one in stretches
        )
    asked = [sample.asked for sample in samples if sample.answered]
    return f", first {min(asked):+.1f} s, last {max(asked):+.1f} s" if asked else ""


def _track(track: Track, top: float, axis: Axis, complete: float | None) -> str:
    """A row; what the old network answers after the swap is complete has the colour of what is wrong."""
    middle = top + _TRACK / 2
    silent = sorted({axis.x(sample.asked) for sample in track.samples if not sample.answered})
    dots = "".join(f"M{x:g} {middle:g}h.01" for x in silent)
    until = complete if complete is not None and track.role is Role.OLD else float("inf")
    answers = [sample for sample in track.samples if sample.answered]
    groups = (
        (_TONES[track.role], [sample for sample in answers if sample.asked <= until]),
        (Tone.BAD, [sample for sample in answers if sample.asked > until]),
    )
    bars = ""
    for tone, group in groups:
        lines = "".join(f"M{x:g} {middle - 6:g}v12" for x in sorted({axis.x(sample.asked) for sample in group}))
        bars += f'<path d="{lines}" stroke="{COLOURS[tone]}" stroke-width="1.6"/>' if lines else ""
    counts = f"{len([s for s in track.samples if s.answered])} of {len(track.samples)} answered"
    return (
        f"<g>{text(16, middle + 4, middle_cut(track.name, _GUTTER - 20))}"
        f'{bars}<path d="{dots}" stroke="currentColor" stroke-opacity=".55" stroke-width="2.6" stroke-linecap="round"/>'
        f"<title>{escape(f'{track.name} ({track.address}): {counts}')}</title></g>"
    )


def _phases(chart: Connectivity, axis: Axis, bottom: float) -> Iterator[str]:
    """The phases of the migrations as bands behind everything, named where there is room."""
    for lane in chart.timeline.lanes:
        if not lane.name.startswith("migration "):
            continue
        for number, span in enumerate(span for span in lane.spans if not span.open):
            yield _band(span, axis, bottom, 0.16 if number % 2 else 0.09)
    if chart.timeline.complete is not None:
        x = axis.x(chart.timeline.complete)
        yield line_at(x, _TOP - 4, bottom, COLOURS[Tone.GOOD], "4 3") + text(x + 3, _TOP - 6, "complete")


def _band(span: Span, axis: Axis, bottom: float, opacity: float) -> str:
    left, right = axis.x(span.start), axis.x(span.end)
    return (
        f'<g><rect x="{left}" y="{_TOP}" width="{right - left:.1f}" height="{bottom - _TOP:g}" '
        f'fill="{COLOURS[Tone.BUSY]}" fill-opacity="{opacity}"/>'
        f"{text(left + 3, _TOP + 14, _if_it_fits(span.label, right - left - 3), opacity=0.75)}"
        f"<title>{escape(f'{span.label}, {human(span.end - span.start)}')}</title></g>"
    )


def _if_it_fits(label: str, width: float) -> str:
    return label if len(label) * CHARACTER <= width else ""


def _gap(gap: Gap, chart: Connectivity, axis: Axis) -> str:
    """A bar over the tracks of the new network of its direction, from the last answer to the first one."""
    top = float(_TOP)
    parts = []
    for _, rows in _groups(chart):
        top += _HEAD
        for track in rows:
            if (track.role, track.way, track.version, track.protocol) == (Role.NEW, gap.way, gap.version, "ICMP"):
                left, right = axis.x(gap.last), min(axis.x(gap.first), float(RIGHT))
                parts.append(
                    f'<rect x="{left}" y="{top + 2:g}" width="{max(right - left, 1):.1f}" height="{_TRACK - 4}" '
                    f'fill="{COLOURS[Tone.BAD]}" fill-opacity=".25" stroke="{COLOURS[Tone.BAD]}"/>'
                    f"<title>{escape(f'gap of {human(gap.seconds)}')}</title>"
                    f"{text(left + 3, top + 13, _if_it_fits(human(gap.seconds), right - left - 3), weight='600')}"
                )
            top += _TRACK
    return f"<g>{''.join(parts)}</g>"
