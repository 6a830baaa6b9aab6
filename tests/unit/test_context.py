# SPDX-License-Identifier: Apache-2.0
"""The context of keywords: a run, its open suite, and what is done before the suite's namespace goes."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from livenad.api.client import Cluster
from livenad.context import Session, SuiteContext, new_run_id
from livenad.dns_names import is_dns_label
from livenad.errors import TestError

from tests.unit.support.fake_api import FakeApi
from tests.unit.support.opened import opened


@pytest.fixture
def suite(healthy: FakeApi, cluster: Cluster) -> SuiteContext:
    run = opened(cluster).run
    assert run is not None
    return run.require_suite()


def test_without_an_open_namespace_the_suite_is_told_what_comes_first(healthy: FakeApi, cluster: Cluster) -> None:
    run = opened(cluster).run
    assert run is not None
    run.suite = None
    with pytest.raises(TestError, match="no test namespace is open; call `Open Test Namespace` first"):
        run.require_suite()


def test_a_session_begins_without_a_run() -> None:
    assert Session().run is None


def test_run_ids_are_fit_for_names() -> None:
    ids = {new_run_id() for _ in range(50)}
    assert len(ids) > 40
    assert all(len(one) == 6 and is_dns_label(one) and one[0].isalpha() for one in ids)


def test_hooks_run_once_last_registered_first_and_sessions_in_guests_end_after_them(suite: SuiteContext) -> None:
    order: list[str] = []
    suite.guests = Mock(close=lambda: order.append("guests"))
    suite.before_closing(lambda: order.append("first"))
    suite.before_closing(lambda: order.append("second"))
    assert suite.end() == []
    assert order == ["second", "first", "guests"]
    suite.end()
    assert order == ["second", "first", "guests", "guests"]


def test_a_hook_that_raises_keeps_no_other(suite: SuiteContext) -> None:
    order: list[str] = []
    broken = OSError("broken")
    suite.guests = Mock(close=lambda: order.append("guests"))
    suite.before_closing(lambda: order.append("first"))
    suite.before_closing(Mock(side_effect=broken))
    assert suite.end() == [broken]
    assert order == ["first", "guests"]
