# SPDX-License-Identifier: Apache-2.0
"""Keywords on metrics: what has to come before them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from KubeVirtLibrary.metrics import Metric
from livenad.errors import TestError
from robot.api import SkipExecution

from tests.unit.libraries.conftest import Call, boot
from tests.unit.support.fake_api import FakeApi

VERDICTS = {
    "Metrics Should Show New Network": {"metric": Metric.VMI},
    "Metrics Should Not Show Old Network": {},
    "Metrics Of Other NICs Should Be Unchanged": {},
}
SOON = timedelta(seconds=0.2)


def test_cluster_whose_metrics_nobody_shows_is_skipped(api: FakeApi, started: Call) -> None:
    boot(api)
    with pytest.raises(SkipExecution, match="capability metrics is not there: "):
        started("Record Metrics", "web", within=SOON)


@pytest.mark.parametrize("keyword", VERDICTS)
def test_verdict_needs_a_change_and_what_was_recorded_before_it(replayed: Callable[[str], Call], keyword: str) -> None:
    call, named = replayed("swap-main"), VERDICTS[keyword]
    with pytest.raises(TestError, match="metrics of VM lab-b-basic/vm1 are not recorded; call `Record Metrics` before"):
        call(keyword, "vm1", nic="net1", within=SOON, **named)
    with pytest.raises(TestError, match=r'NIC "default" of VM lab-b-basic/vm1 was not moved; .* "net1"'):
        call(keyword, "vm1", nic="default", within=SOON, **named)


@pytest.mark.parametrize("keyword", VERDICTS)
def test_verdict_on_a_vm_that_was_not_changed_is_a_test_error(started: Call, keyword: str) -> None:
    named: dict[str, Any] = VERDICTS[keyword]
    with pytest.raises(TestError, match='the network of VM "web" was not changed in this suite'):
        started(keyword, "web", nic="secondary", within=SOON, **named)
