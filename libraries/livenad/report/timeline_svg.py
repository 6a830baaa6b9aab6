# SPDX-License-Identifier: Apache-2.0
"""A timeline as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from livenad.report.svg import CHARACTER, COLOURS, RIGHT, WIDTH, Axis, fitted, line_at, middle_cut, picture, text
from livenad.report.timeline import Lane, Mark, Span, Timeline, Tone, text_of
from livenad.text import human

_GUTTER = 172
_LANE = 24
_TOP = 42
_LEGIBLE = 9
"""Characters of a label that say something without the rest."""


def timeline_svg(timeline: Timeline) -> str:
    """The timeline, one lane below the other, times after the edit below them."""
    axis = Axis(timeline.start, timeline.end, _GUTTER)
    bottom = _TOP + _LANE * len(timeline.lanes)
    body = [text(8, 16, timeline.title, weight="600"), text(8, 33, timeline.outcome), axis.draw(_TOP, bottom)]
    for number, lane in enumerate(timeline.lanes):
        body.append(_lane(lane, _TOP + _LANE * number, axis))
    body.append(line_at(axis.x(0), _TOP - 4, bottom, "currentColor"))
    for at, name, tone in (
        (timeline.complete, "complete", Tone.GOOD),
        (timeline.deadline, "deadline", Tone.BAD),
    ):
        if at is not None and at <= timeline.end:
            x = axis.x(at)
            body.append(line_at(x, _TOP - 4, bottom, COLOURS[tone], "4 3"))
            body.append(text(x, _TOP - 8, f"{name} {human(at)}", anchor="end"))
    return picture(f"Timeline: {timeline.title}", ". ".join(text_of(timeline)), bottom + 22, "".join(body))


def _lane(lane: Lane, top: float, axis: Axis) -> str:
    name = f"<g>{text(8, top + 16, middle_cut(lane.name, _GUTTER - 16))}<title>{escape(lane.name)}</title></g>"
    starts = [axis.x(span.start) for span in lane.spans[1:]] + [float(RIGHT)]
    spans = "".join(_span(span, top, axis, free) for span, free in zip(lane.spans, starts, strict=False))
    note = text(axis.x(0) + 4, top + 16, fitted(lane.note, WIDTH - axis.x(0) - 4), opacity=0.75) if lane.note else ""
    return name + spans + note + _marks(lane.marks, top, axis)


def _span(span: Span, top: float, axis: Axis, free: float) -> str:
    """A bar, and its words as far as there is room before the next one: all, or without the time, or a good part."""
    left, right = axis.x(span.start), axis.x(span.end)
    colour = COLOURS[span.tone]
    lasted = "" if span.open or span.start < 0 else f" {human(span.end - span.start)}"
    # The words of what goes on over the edit stand behind its line, not under it.
    x, edit = left + 4, axis.x(0) + 4
    if left < edit and len(span.label) * CHARACTER < free - edit:
        x = edit
    return (
        f'<g><rect x="{left}" y="{top + 3:g}" width="{max(right - left, 1.5):.1f}" height="{_LANE - 6}" rx="2" '
        f'fill="{colour}" fill-opacity=".3" stroke="{colour}"/>'
        f"{text(x, top + 16, _words(span.label, lasted, free - x - 2))}"
        f"<title>{escape(f'{span.label}{lasted}, from {span.start:.2f} s')}</title></g>"
    )


def _words(label: str, lasted: str, width: float) -> str:
    """All, or the label alone, or a good part of it, or nothing: whatever there is room for."""
    for words in (label + lasted, label):
        if len(words) * CHARACTER <= width:
            return words
    return fitted(label, width) if width >= _LEGIBLE * CHARACTER else ""


def _marks(marks: Sequence[Mark], top: float, axis: Axis) -> str:
    """A sign each; its words stand behind it where there is room before the next one, the first one's else in front."""
    found, places = [], [axis.x(mark.at) for mark in marks]
    for number, (mark, x) in enumerate(zip(marks, places, strict=True)):
        following = places[number + 1] if number + 1 < len(places) else RIGHT
        words = f"{mark.label} {mark.at:.1f} s" if mark.at else mark.label
        behind, in_front = following - x - 10, x - _GUTTER - 10
        if number == 0 and len(words) * CHARACTER > behind and in_front > behind:
            label = text(x - 8, top + 16, fitted(words, in_front), anchor="end")
        else:
            label = text(x + 8, top + 16, fitted(words, behind))
        middle = top + _LANE / 2
        sign = f'<path d="M{x} {middle - 6:g}l5 6l-5 6l-5 -6z" fill="{COLOURS[mark.tone]}"/>'
        found.append(f"<g>{sign}{label}<title>{escape(f'{mark.label}, at {mark.at:.2f} s')}</title></g>")
    return "".join(found)
