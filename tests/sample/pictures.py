# SPDX-License-Identifier: Apache-2.0
"""Pictures of the sample's pages, and of what each was taken."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.browser.webdriver import browser
from tests.sample.pages import ROOT, SAMPLE, constant

IMAGES = ROOT / "docs" / "images"
SOURCES = IMAGES / "sources.yaml"
EVIDENCE = "evidence/sample-1-restartrequired-is-never-set/index.html"
_NOTE = "# Written by python -m tests.sample: the page that each picture shows, and its checksum when it was taken.\n"


@dataclass(frozen=True)
class Picture:
    """``shown`` is a CSS selector and which of its matches; None: the head of the page, ``height`` pixels of it."""

    page: str
    shown: tuple[str, int] | None = None
    height: int = 640


PICTURES = {
    "report.png": Picture("report.html", height=600),
    "signoff.png": Picture("signoff.html", height=660),
    "evidence.png": Picture(EVIDENCE, height=880),
    "timeline.png": Picture("log.html", ("svg[role=img]", 0)),
    "connectivity.png": Picture("log.html", ("svg[role=img]", 1)),
}
_WIDTH = 1000
_WIDE, _HIGH = 1400, 2400
"""The window in which charts have their full size."""


def checksum(page: Path) -> str:
    """Of what the page says."""
    return hashlib.sha256(constant(page.read_text(encoding="utf-8")).encode()).hexdigest()


def sources(sample: Path = SAMPLE) -> dict[str, dict[str, str]]:
    """What ``docs/images/sources.yaml`` has to hold."""
    return {
        name: {"page": picture.page, "sha256": checksum(sample / picture.page)} for name, picture in PICTURES.items()
    }


def take() -> None:
    """Takes all pictures."""
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder)) as window:
        window.look_at(_WIDTH)
        for name, picture in PICTURES.items():
            if picture.shown:
                window.look_at(_WIDE, height=_HIGH)
            window.open(SAMPLE / picture.page)
            if picture.shown is None:
                window.picture(IMAGES / name, _WIDTH, picture.height)
            else:
                selector, number = picture.shown
                # Robot builds what is folded only when it is unfolded.
                window.run("expandAll('s1')")
                window.wait_for(f"document.querySelectorAll('{selector}').length > {number}")
                window.picture_of(IMAGES / name, selector, number)
    SOURCES.write_text(_NOTE + yaml.safe_dump(sources(), sort_keys=False), encoding="utf-8")
