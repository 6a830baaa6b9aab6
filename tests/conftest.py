# SPDX-License-Identifier: Apache-2.0
"""How tests are shared out to the workers: whole runs first and one by one, all others a file at a time.

Whole runs often wait for a cluster. The processor time that they leave is for workers that yield to the others, and
that begin at the other end.

Also the fixture that asserts what the mark of a circumstance says.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from tests.circumstances.marks import parts_of

# Files whose tests are whole runs with a cluster of their own.
ONE_BY_ONE = (
    "tests/matrix/test_reduced",
    "tests/detection/test_reduced",
    "tests/faults/test_reduced",
    "tests/emulator/fuzz",
    "tests/acceptance/test_interrupt",
    "tests/acceptance/test_docs",
    "tests/acceptance/test_networks",
    "tests/acceptance/test_parallel",
    "tests/acceptance/test_selection",
    "tests/emulator/cluster_process",
    "tests/console/test_fuzz",
)
# What runs suites or boots guests. If such a test came last, one worker would end long after the others.
FIRST = (
    "tests/matrix/test_reduced",
    "tests/acceptance/test_keyword_examples",
    "tests/acceptance/test_examples",
    "tests/emulator/fuzz",
    "tests/browser",
    "tests/detection/test_reduced",
    "tests/faults/test_reduced",
    "tests/real_guests",
    "tests/killing",
    "tests/acceptance",
    "tests/rbac",
    "tests/console",
    "tests/emulator",
)
# What waits for seconds to pass, and where the workers that yield begin.
LAST = ("tests/unit/libraries", "tests/unit/api", "tests/unit/guest")

YIELDING = ("gw4", "gw5")
"""The workers that begin at the other end: there is one from five workers on."""
YIELDS = 5
"""As of ``nice``."""


class FileScheduling(LoadScopeScheduling):
    """Tests of a file go to the same worker, but for those of ``ONE_BY_ONE``."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path.startswith("tests/browser/"):
            return "tests/browser"
        return nodeid if path.startswith(ONE_BY_ONE) else path

    def _assign_work_unit(self, node: WorkerController) -> None:
        if node.gateway.id in YIELDING:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


def pytest_configure(config: pytest.Config) -> None:
    if _worker(config) in YIELDING:
        os.nice(YIELDS)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileScheduling:
    return FileScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of tests and their modules stay to the end of a worker: the search for garbage passes over them."""
    if _worker(session.config):
        gc.freeze()


def _worker(config: pytest.Config) -> str:
    """Its name; "" in any other process, such as one that a test starts."""
    return str(getattr(config, "workerinput", {}).get("workerid", ""))


def _rank(item: pytest.Item) -> int:
    """By what it belongs to: ``FIRST``, all others, ``LAST``."""
    order = (*FIRST, None, *LAST)
    return next((rank for rank, start in enumerate(order) if start and item.nodeid.startswith(start)), len(FIRST))


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
