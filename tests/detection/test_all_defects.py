"""No defect without an expectation: one that nothing catches proves nothing."""

from __future__ import annotations

import importlib
import pkgutil

import tests.detection
from emulator.decisions import all_defects


def test_every_defect_has_an_expectation() -> None:
    """Each module ``test_*_defects`` here has a table EXPECTED by the defects' names."""
    expected: set[str] = set()
    for module in pkgutil.iter_modules(tests.detection.__path__, "tests.detection."):
        expected |= set(getattr(importlib.import_module(module.name), "EXPECTED", {}))
    assert expected - {""} == set(all_defects())
