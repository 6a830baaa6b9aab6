# SPDX-License-Identifier: Apache-2.0
"""What every page of a run has to be: quick, small, whole, and quiet on the browser's console."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from robot.api import ExecutionResult, ResultVisitor

from tests.browser.webdriver import Browser

PAGES = ("log.html", "report.html", "signoff.html", "matrix.html")
LARGEST = 8_000_000
"""Bytes of log.html, of a run of all suites too."""

SLOWEST = 2.0
"""Seconds of the processor until log.html is open."""

PRINTED = 2
"""Pages of the sign-off."""

WIDTHS = (1000, 1400)
SCHEMES = ("light", "dark")
_OF_ROBOT = ("log.html", "report.html")
_GENERATOR = '<meta content="Robot Framework'
_ROBOTS_ID = re.compile(r"s\d+(?:-[stk]\d+)*")
# Text whose box is larger than the one that shows it, labels of charts outside their picture or over each other.
_CUT_OFF = """
const found = [], wide = document.documentElement;
const say = (what, node) => found.push(what + ': ' + node.textContent.trim().slice(0, 60));
if (wide.scrollWidth > wide.clientWidth + 1) found.push('page is wider than the window');
for (const node of document.querySelectorAll('td, th, dd, li, h1, h2, p')) {
  if (node.offsetParent === null) continue;
  if (node.scrollWidth > node.clientWidth + 1 && node.clientWidth) say('cut off', node);
  if (node.getBoundingClientRect().right > innerWidth + 1) say('outside the window', node);
}
for (const picture of document.querySelectorAll('svg[role=img]')) {
  const frame = picture.getBoundingClientRect();
  if (!frame.width) continue;
  const labels = [...picture.querySelectorAll('text')].filter(one => one.textContent)
    .map(one => [one, one.getBoundingClientRect()]);
  for (const [one, box] of labels)
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 2) say('cut off', one);
  labels.forEach(([one, a], at) => labels.slice(at + 1).forEach(([other, b]) => {
    const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (width > 2 && height > 4) say('lies over "' + other.textContent + '"', one);
  }));
}
return found;
"""

# Contrast of a verdict's word with the page, as WCAG counts it: 4.5 is what can be read.
_FAINT = """
const light = colour => { const part = colour.match(/[\\d.]+/g).slice(0, 3).map(Number)
  .map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * part[0] + .7152 * part[1] + .0722 * part[2]; };
const dark = matchMedia('(prefers-color-scheme: dark)').matches, ground = dark ? light('18, 18, 18') : 1;
return [...document.querySelectorAll('b[class]')].filter(one => {
  const own = light(getComputedStyle(one).color), [high, low] = own > ground ? [own, ground] : [ground, own];
  return (high + .05) / (low + .05) < 4.5; }).map(one => 'faint: ' + one.textContent);
"""

_LINKS = "return [...document.querySelectorAll('a[href]')].map(a => a.href)"


def broken_links(window: Browser) -> list[str]:
    """Links of the open page that lead to nothing: to no file, or in a page of ours to no place within it."""
    found = set()
    for link in window.run(_LINKS):
        parts = urlsplit(link)
        path = Path(unquote(parts.path))
        if parts.scheme == "file" and not path.exists():
            found.add(str(path))
        elif parts.scheme == "file" and parts.fragment and not _has_place(path, unquote(parts.fragment)):
            found.add(f"{path}#{parts.fragment}")
    return sorted(found)


def _has_place(path: Path, fragment: str) -> bool:
    """Whether a page has an anchor. Robot's pages make theirs as they are opened: they come from the result file."""
    if _ROBOTS_ID.fullmatch(fragment) and (output := next(path.parent.glob("*output*.xml"), None)):
        return fragment in _robots_ids(output)
    text = path.read_text(encoding="utf-8", errors="replace")
    return path.name.endswith(_OF_ROBOT) or _GENERATOR in text or f'id="{fragment}"' in text


@cache
def _robots_ids(output: Path) -> frozenset[str]:
    """The ids of all suites, tests and keywords of a run."""
    ids = _Ids()
    ExecutionResult(output).visit(ids)
    return frozenset(ids.found)


class _Ids(ResultVisitor):  # type: ignore[misc]
    def __init__(self) -> None:
        self.found: set[str] = set()

    def start_suite(self, suite: Any) -> None:
        self.found.add(suite.id)

    def start_test(self, test: Any) -> None:
        self.found.add(test.id)

    def start_keyword(self, keyword: Any) -> None:
        self.found.add(keyword.id)


def cut_off(window: Browser) -> list[str]:
    """What of the open page is wider than the window or than what holds it, or lies over other text."""
    found: list[str] = window.run(_CUT_OFF)
    return found


def opens_in(window: Browser, log: Path) -> float:
    """Seconds of the processor that the page takes until the suites of a log are shown."""
    window.open(log)
    window.wait_for("document.getElementById('s1')")
    return window.worked()


def flaws(folder: Path, window: Browser) -> list[str]:
    """What is wrong with the pages of the results in ``folder``, a line each."""
    return [*_of_pages(folder, window), *_of_sizes(folder, window)]


def _of_pages(folder: Path, window: Browser) -> Iterator[str]:
    for page in (*(folder / name for name in PAGES), *sorted(folder.glob("evidence/*/index.html"))):
        if not page.is_file():
            yield f"{page} is not there"
            continue
        window.open(page)
        yield from (f"{page}: link to {link} leads nowhere" for link in broken_links(window))
        yield from (f"{page}: {complaint}" for complaint in window.complaints())
        if page.name.endswith(_OF_ROBOT):
            continue
        for width in WIDTHS:
            for scheme in SCHEMES:
                window.look_at(width, scheme)
                yield from (f"{page}, {width} px, {scheme}: {said}" for said in cut_off(window))
                yield from (f"{page}, {scheme}: {said}" for said in window.run(_FAINT))
        window.look_at()


def _of_sizes(folder: Path, window: Browser) -> Iterator[str]:
    log = folder / "log.html"
    if log.stat().st_size > LARGEST:
        yield f"{log} has {log.stat().st_size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}"
    if (took := opens_in(window, log)) > SLOWEST:
        yield f"{log} takes {took:.1f} s to open, more than {SLOWEST:.0f}"
    window.open(folder / "signoff.html")
    if (pages := window.pages()) > PRINTED:
        yield f"{folder / 'signoff.html'} takes {pages} pages when printed, more than {PRINTED}"
