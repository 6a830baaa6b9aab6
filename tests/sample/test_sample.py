# SPDX-License-Identifier: Apache-2.0
"""The sample run is what this code makes of it, and the pictures show its pages as they are."""

from __future__ import annotations

import gzip
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from tests.sample.pages import COMPRESSED, LEFT_OUT, MADE, ROOT, SAMPLE, constant, keep, looks, make
from tests.sample.pictures import EVIDENCE, PICTURES, SOURCES, sources

AGAIN = "is out of date: run python -m tests.sample --pages"
PAGES = sorted(SAMPLE.rglob("*.html"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, with its pages made again."""
    folder = tmp_path_factory.mktemp("made") / "sample"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns(*MADE))
    make(folder)
    return folder


@pytest.mark.parametrize("name", [*MADE, EVIDENCE])
def test_a_page_of_the_sample_is_what_is_made_today(made: Path, name: str) -> None:
    there = constant((SAMPLE / name).read_text(encoding="utf-8"))
    assert there == constant((made / name).read_text(encoding="utf-8")), f"docs/sample/{name} {AGAIN}"


def test_the_pictures_show_the_sample() -> None:
    assert yaml.safe_load(SOURCES.read_text(encoding="utf-8")) == sources(), f"a picture in docs/images {AGAIN}"
    assert sorted(PICTURES) == sorted(path.name for path in SOURCES.parent.glob("*.png"))


class Links(HTMLParser):
    """The targets of a page's links, and its places."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.places: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Of a page's own HTML; what a script makes is looked at in a browser."""
        values = dict(attrs)
        self.places.add(values.get("id") or "")
        if tag == "a":
            self.found.append(values.get("href") or "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(SAMPLE)))
def test_every_link_of_the_sample_leads_somewhere(page: Path) -> None:
    ids = set(re.findall(r'<suite id="([^"]+)"', (SAMPLE / "output.xml").read_text(encoding="utf-8")))
    for link in Links(page).found:
        path, _, place = unquote(link).partition("#")
        target = page.parent / path if path else page
        assert target.is_file(), link
        if target.name in ("log.html", "report.html"):
            assert not place or re.sub(r"-[tk].*", "", place) in ids, link
        else:
            assert not place or place in Links(target).places, link


def test_the_sample_is_small_and_of_no_machine() -> None:
    files = [path for path in SAMPLE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_700_000
    here = str(ROOT).encode()
    contents = ((path, path.read_bytes()) for path in files)
    unpacked = ((path, gzip.decompress(data) if path.suffix == COMPRESSED else data) for path, data in contents)
    assert [path.name for path, data in unpacked if here in data] == []


def test_what_is_kept_is_without_paths_and_without_the_large_file(tmp_path: Path) -> None:
    results, sample = tmp_path / "results", tmp_path / "sample"
    shutil.copytree(SAMPLE, results)
    output = results / "output.xml"
    output.write_text(output.read_text("utf-8").replace('source="suites', f'source="{ROOT}/suites'), encoding="utf-8")
    evidence = results / EVIDENCE
    (evidence.parent / LEFT_OUT).write_text("{}", encoding="utf-8")
    linked = f'<tr><td><a href="{LEFT_OUT}">{LEFT_OUT}</a></td><td>2</td><td>every state</td></tr>'
    evidence.write_text(linked, encoding="utf-8")
    sample.mkdir()
    for name in ("README.md", "old.txt"):
        (sample / name).write_text("x", encoding="utf-8")
    keep(results, sample)
    assert (sample / "output.xml").read_bytes() == (SAMPLE / "output.xml").read_bytes()
    assert not list(sample.rglob(LEFT_OUT)) and not (sample / "old.txt").exists() and (sample / "README.md").exists()
    assert f"<tr><td>{LEFT_OUT}</td><td>2</td><td>every state <i>(left out" in (sample / EVIDENCE).read_text("utf-8")


def test_the_look_of_evidence_is_what_runs_have_in_common() -> None:
    found = looks((SAMPLE / EVIDENCE).read_text(encoding="utf-8"))
    assert {"h2: Files", "dt: Requirements", "th: size", "file: events.txt", "lane: pod", "lane: spec edit"} <= found


def test_pages_of_another_python_are_the_same() -> None:
    page = (SAMPLE / "log.html").read_text(encoding="utf-8")
    assert "(Python 3." in page
    assert constant(re.sub(r"\(Python 3[\d.]+ on", "(Python 3.99.0 on", page)) == constant(page)
