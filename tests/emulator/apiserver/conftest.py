# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from .harness import Api, LiveApi, LiveServer, running


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A fresh server in the test's event loop."""
    async with running(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    """One server for all tests of a module, for clients that block."""
    server = LiveServer(tmp_path_factory.mktemp("api"))
    try:
        yield server.start()
    finally:
        server.stop()
