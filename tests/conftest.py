"""What all tests share: the fixture that asserts what a circumstance's mark says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.circumstances.marks import parts_of


@pytest.fixture
def sees(request: pytest.FixtureRequest) -> Callable[[object], None]:
    """Asserts that a message shows what the test's mark says that a user sees: all parts, in this order."""
    mark = request.node.get_closest_marker("circumstance")

    def shown_in(message: object) -> None:
        text, place = str(message), 0
        for part in parts_of(mark.kwargs["sees"]):
            place = text.find(part, place)
            assert place >= 0, f'"{part}" is not, or not in this order, in: {text}'
            place += len(part)

    return shown_in
