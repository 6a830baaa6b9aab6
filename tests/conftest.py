"""How tests are shared out to the workers: those with a common fixture to one of them, whole runs before quick ones."""

from __future__ import annotations

import pytest

# What runs whole suites or boots guests. If such a test came last, one worker would end long after the others.
LONG = (
    "tests/matrix/test_reduced",
    "tests/acceptance/test_keyword_examples",
    "tests/acceptance/test_examples",
    "tests/emulator/fuzz",
    "tests/browser",
    "tests/detection/test_reduced",
    "tests/faults/test_reduced",
    "tests/killing",
    "tests/acceptance",
    "tests/rbac",
    "tests/emulator/cluster_process",
    "tests/console",
    "tests/emulator",
)
SHARED = {"module", "package", "session"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if shared := _shared_fixture(item):
            item.add_marker(pytest.mark.xdist_group(shared))
    items.sort(key=_rank)


def _shared_fixture(item: pytest.Item) -> str:
    """The widest fixture of our own that several tests have in common; "" if each test has its own."""
    definitions = getattr(item, "_fixtureinfo").name2fixturedefs  # noqa: B009 - pytest offers no other way
    own = [
        found[-1]
        for name, found in definitions.items()
        if found[-1].scope in SHARED and found[-1].baseid.startswith("tests") and not name.startswith("_")
    ]
    session = sorted(f"{one.baseid}::{one.argname}" for one in own if one.scope != "module")
    return session[0] if session else item.nodeid.partition("::")[0] if own else ""


def _rank(item: pytest.Item) -> int:
    return next((rank for rank, start in enumerate(LONG) if item.nodeid.startswith(start)), len(LONG))
