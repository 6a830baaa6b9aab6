"""What every page of a run has to be: quick, small, whole, and quiet on the browser's console."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.browser.webdriver import Browser

PAGES = ("log.html", "report.html", "signoff.html", "matrix.html")
LARGEST = 8_000_000
"""Bytes of log.html, of a run of all suites too."""

SLOWEST = 2.0
"""Seconds until log.html is open."""

PRINTED = 2
"""Pages of the sign-off."""

_LINKS = "return [...document.querySelectorAll('a[href]')].map(a => a.href)"


def broken_links(window: Browser) -> list[str]:
    """Links of the open page that lead to nothing."""
    files = {urlsplit(link).path for link in window.run(_LINKS) if link.startswith("file:")}
    return sorted(path for path in map(unquote, files) if not Path(path).exists())


def opens_in(window: Browser, log: Path, tries: int = 3) -> float:
    """Seconds until the suites of a log are shown; the best of a few tries, since others use the machine, too."""
    seconds = []
    for _ in range(tries):
        began = time.monotonic()
        window.open(log)
        window.wait_for("document.getElementById('s1')")
        seconds.append(time.monotonic() - began)
    return min(seconds)


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


def _of_sizes(folder: Path, window: Browser) -> Iterator[str]:
    log = folder / "log.html"
    if log.stat().st_size > LARGEST:
        yield f"{log} has {log.stat().st_size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}"
    if (took := opens_in(window, log)) > SLOWEST:
        yield f"{log} takes {took:.1f} s to open, more than {SLOWEST:.0f}"
    window.open(folder / "signoff.html")
    if (pages := window.pages()) > PRINTED:
        yield f"{folder / 'signoff.html'} takes {pages} pages when printed, more than {PRINTED}"
