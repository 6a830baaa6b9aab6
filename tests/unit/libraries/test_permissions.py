# SPDX-License-Identifier: Apache-2.0
"""Keywords on what users may do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import ACCESS_REVIEW, VM
from livenad.errors import LabError, ProductFault, TestError

from tests.unit.libraries.conftest import NAME, Call, open_suite
from tests.unit.support.fake_api import FakeApi


def test_right_that_is_missing_is_the_labs_fault_with_its_remedy(
    healthy: FakeApi, connect: Callable[..., Call]
) -> None:
    call = connect()
    call("User Should Be Allowed To", "restart-vms", "migrate-vms")
    healthy.answers["POST", ACCESS_REVIEW.path()] = {"status": {"allowed": False}}
    with pytest.raises(LabError, match=r'alice has no right to "update" on virtualmachines/restart'):
        call("User Should Be Allowed To", "restart-vms")


def test_what_nobody_named_is_no_right(connect: Callable[..., Call]) -> None:
    with pytest.raises(TestError, match="no action is named; expected one of restart-vms"):
        connect()("User Should Be Allowed To")


@pytest.fixture
def owner(call: Call, cluster: Cluster) -> Call:
    """Calls keywords where there is a user "ann"."""
    open_suite().users["ann"] = cluster
    return call


def test_user_that_may_do_it_is_a_fault_of_the_product(api: FakeApi, owner: Call) -> None:
    api.answers["GET", VM.path("elsewhere")] = {"items": []}
    with pytest.raises(ProductFault, match=f"VM owner {NAME}/ann: expected to be forbidden to list VMs of another"):
        owner("User Should Be Forbidden To", "ann", "list VMs of another namespace", subject="elsewhere")
    del api.answers["GET", VM.path("elsewhere")]
    api.forbidden.add(("GET", VM.path("elsewhere")))
    owner("User Should Be Forbidden To", "ann", "list VMs of another namespace", subject="elsewhere")


def test_unknown_user_lists_those_there_are(owner: Call) -> None:
    with pytest.raises(TestError, match='user "bob" does not exist; call `Create VM Owner`; existing users: ann'):
        owner("User Should Be Forbidden To", "bob", "change a NAD", subject="blue")
