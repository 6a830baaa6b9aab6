# SPDX-License-Identifier: Apache-2.0
"""The examples in the documentation of the libraries' keywords, and suites made of them.

A keyword's documentation ends with ``Example:`` and preformatted lines of Robot data; the introduction of a library has
a section ``Minimal suite``.
"""

from __future__ import annotations

import re
from typing import Any

from robot.libdoc import LibraryDocumentation

from tests.embedded import ROOT

LIBRARIES: list[Any] = [
    LibraryDocumentation(str(ROOT / "libraries" / name)) for name in ("KubeVirtLibrary", "GuestLibrary")
]
_EXAMPLE = re.compile(r"\n\nExample:\n((?:\| .*(?:\n|$))+)$")
_MINIMAL_SUITE = re.compile(r"^= Minimal suite =\n\n((?:\|.*\n)+)", re.MULTILINE)
_HEAD = """\
*** Settings ***
Library    KubeVirtLibrary
Library    GuestLibrary

*** Variables ***
{variables}
*** Test Cases ***
"""


def examples() -> dict[str, list[str]]:
    """The lines of each keyword's example; empty where its documentation does not end with one."""
    return {keyword.name: example_of(keyword.doc) for library in LIBRARIES for keyword in library.keywords}


def example_of(doc: str) -> list[str]:
    """The lines of the example at the end of a documentation."""
    found = _EXAMPLE.search(doc)
    return _lines(found[1]) if found else []


def minimal_suites() -> dict[str, str]:
    """The minimal suite in the introduction of each library. AssertionError for a library without one."""
    suites = {}
    for library in LIBRARIES:
        found = _MINIMAL_SUITE.search(library.doc)
        assert found, library.name
        suites[str(library.name)] = "\n".join(_lines(found[1])) + "\n"
    return suites


def suite_of(tests: dict[str, list[str]], variables: str = "") -> str:
    """A suite with these tests, each with the lines of its body."""
    bodies = ("\n".join([name, *(f"    {line}" for line in lines)]) + "\n" for name, lines in tests.items())
    return _HEAD.format(variables=variables) + "\n".join(bodies)


def _lines(block: str) -> list[str]:
    return [line[2:] for line in block.splitlines()]
