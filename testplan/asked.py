# SPDX-License-Identifier: Apache-2.0
"""Which capabilities a suite asks its cluster for, read from its keywords and those of its resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from robot.api import TestSuite
from robot.running import ResourceFile

ASKING = ("Cluster Should Offer", "Get Cluster Capability")


def asked_capabilities(suite_file: Path) -> set[str]:
    """The arguments of every ``Cluster Should Offer`` that the suite's setups and tests can come to."""
    status = suite_file.stat()
    return set(_capabilities(suite_file, status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=64)
def _capabilities(suite_file: Path, *_: int) -> frozenset[str]:
    suite = TestSuite.from_file_system(suite_file)
    keywords = _keywords(suite.resource, suite_file.parent)
    seen: set[str] = set()
    starts = [suite.setup, *(step for test in suite.tests for step in (test.setup, *test.body, test.teardown))]
    return frozenset(name for step in starts if step for name in _asked(step, keywords, seen))


def _asked(step: Any, keywords: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    words = [getattr(step, "name", None) or "", *(str(word) for word in getattr(step, "args", ()))]
    if _same(words[0]) in map(_same, ASKING):
        yield from words[1:]
    # Arguments, too: a keyword may be handed to another one that runs it.
    for word in map(_same, words):
        if word in keywords and word not in seen:
            seen.add(word)
            for inner in (keywords[word].setup, *keywords[word].body, keywords[word].teardown):
                if inner:
                    yield from _asked(inner, keywords, seen)
    for inner in getattr(step, "body", ()):
        yield from _asked(inner, keywords, seen)


def _keywords(resource: Any, folder: Path) -> dict[str, Any]:
    """User keywords by name: those of the file, then those of the resources that it imports, and so on."""
    found: dict[str, Any] = {}
    for item in resource.imports:
        if item.type == item.RESOURCE and (path := (folder / item.name).resolve()).is_file():
            found |= _keywords(_resource(path), path.parent)
    return found | {_same(keyword.name): keyword for keyword in resource.keywords}


@cache
def _resource(path: Path) -> Any:
    return ResourceFile.from_file_system(path)


def _same(name: str) -> str:
    return name.lower().replace(" ", "").replace("_", "")
