# SPDX-License-Identifier: Apache-2.0
"""SVG helpers of all charts. Without a style sheet or script, so that the surrounding page is not affected.

Text and lines have the colour of the page's own text; the fills have a medium tone, for light and dark backgrounds.
"""

from __future__ import annotations

import hashlib
from html import escape

from livenad.report.timeline import Tone

WIDTH = 880
"""The width of a message in Robot's log, so that the chart is not scaled down there."""

RIGHT = WIDTH - 14
CHARACTER = 6.5
"""Width of a character of the small type; names are measured by it."""

COLOURS = {
    Tone.CALM: "#8a8f98",
    Tone.BUSY: "#3b82c4",
    Tone.WAIT: "#c98a1b",
    Tone.GOOD: "#2e9e5b",
    Tone.BAD: "#d9434e",
}
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


class Axis:
    """Seconds to pixels. ``gutter`` is its left edge, where the names of the lanes end."""

    def __init__(self, start: float, end: float, gutter: float) -> None:
        self.start, self.end = start, end
        self._gutter = gutter
        self._scale = (RIGHT - gutter) / (end - start)

    def x(self, seconds: float) -> float:
        """Where a moment lies, kept within the chart."""
        return round(self._gutter + (min(max(seconds, self.start), self.end) - self.start) * self._scale, 1)

    def ticks(self) -> list[float]:
        """Round times, a dozen at most."""
        step = next((step for step in _STEPS if (self.end - self.start) / step <= 12), 7200)
        first = int(-(-self.start // step))
        return [number * step for number in range(first, int(self.end // step) + 1)]

    def draw(self, top: float, bottom: float) -> str:
        """The grid, with times below."""
        lines = []
        for tick in self.ticks():
            x = self.x(tick)
            lines.append(f'<path d="M{x} {top}V{bottom}" stroke="currentColor" stroke-opacity=".15"/>')
            lines.append(text(x, bottom + 14, f"{tick:g} s", anchor="middle", opacity=0.75))
        return "".join(lines)


def text(x: float, y: float, words: str, *, anchor: str = "start", opacity: float = 1, weight: str = "") -> str:
    """A line of text."""
    extra = f' text-anchor="{anchor}"' if anchor != "start" else ""
    extra += f' opacity="{opacity:g}"' if opacity != 1 else ""
    extra += f' font-weight="{weight}"' if weight else ""
    return f'<text x="{x:g}" y="{y:g}"{extra}>{escape(words)}</text>'


def fitted(words: str, width: float) -> str:
    """As much of the words as there is room for; nothing when there is room for next to nothing."""
    room = int(width / CHARACTER)
    if len(words) <= room:
        return words
    return words[: room - 1] + "…" if room >= 4 else ""


def middle_cut(words: str, width: float) -> str:
    """A long name without its middle: generated names differ at their end."""
    room = int(width / CHARACTER)
    if len(words) <= room:
        return words
    return f"{words[: room - 9]}…{words[-8:]}"


def line_at(x: float, top: float, bottom: float, colour: str, dashes: str = "") -> str:
    """An upright line at a moment."""
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="M{x} {top}V{bottom}" stroke="{colour}" stroke-width="1.5"{dash}/>'


def picture(title: str, description: str, height: float, body: str) -> str:
    """The whole SVG, with a name and a description for those who do not see it."""
    ident = hashlib.sha256((title + description + body).encode()).hexdigest()[:10]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}" '
        f'style="max-width:100%;height:auto" role="img" aria-labelledby="t{ident} d{ident}" fill="currentColor" '
        f'font-family="system-ui,sans-serif" font-size="11.5"><title id="t{ident}">{escape(title)}</title>'
        f'<desc id="d{ident}">{escape(description)}</desc>{body}</svg>'
    )
