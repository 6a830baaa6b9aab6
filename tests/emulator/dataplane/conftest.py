# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.dataplane import users


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where tests are spread over processes, those that share one run of scenarios stay together."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            values = getattr(getattr(item, "callspec", None), "params", {})
            if str(values.get("module", "")).startswith("scenarios_"):
                item.add_marker(pytest.mark.xdist_group(f"{values['user']}-{values['module']}"))


@pytest.fixture(scope="session", autouse=True)
def _no_copies_left() -> Iterator[None]:
    yield
    users.remove_copies()
