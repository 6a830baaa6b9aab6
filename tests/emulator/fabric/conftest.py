from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.fabric import users


@pytest.fixture(scope="session", autouse=True)
def _no_copies_left() -> Iterator[None]:
    yield
    users.remove_copies()
