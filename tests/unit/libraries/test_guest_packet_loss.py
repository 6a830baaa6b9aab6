# SPDX-License-Identifier: Apache-2.0
"""Keywords on lost pings, on guests of paper."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from livenad.api.history import History
from livenad.errors import ProductFault, TestError
from livenad.reachability.measurements import Measurements

from tests.unit.libraries.conftest import Call
from tests.unit.support.open_suite import open_suite
from tests.unit.support.paper import VM, PaperGuests, swapped
from tests.unit.support.topology import three_guests

pytestmark = pytest.mark.usefixtures("at_once")

STREAM = {"nic": "secondary", "control": "old-peer", "duration": timedelta(seconds=5)}


def guests_that(keywords: Call, answers: Any) -> Call:
    suite = open_suite("demo", History(), three_guests())
    paper: Any = PaperGuests(answers)
    paper.tell_warnings = lambda: None
    suite.guests, suite.measurements = paper, Measurements(paper)
    return keywords


def test_stream_is_judged_whether_it_was_begun_before_or_not(keywords: Call) -> None:
    call = guests_that(keywords, swapped)
    call("Start Packet Loss Monitoring", "vm", "new-peer", **STREAM)
    call("Packet Loss Should Be Below", "vm", "new-peer", **STREAM)
    call("Packet Loss Should Be Below", "vm", "new-peer", limit=0, **STREAM)


def test_stream_that_is_lost_is_a_fault(keywords: Call) -> None:
    call = guests_that(keywords, lambda source, target: source != "vm" and target != VM)
    with pytest.raises(ProductFault, match="VM demo/vm"):
        call("Packet Loss Should Be Below", "vm", "new-peer", **STREAM)
    call("Packet Loss Should Be Below", "vm", "new-peer", limit=100, **STREAM)


@pytest.mark.parametrize("keyword", ["Start Packet Loss Monitoring", "Packet Loss Should Be Below"])
def test_wrong_guest_or_nic_is_a_test_error(keywords: Call, keyword: str) -> None:
    call = guests_that(keywords, swapped)
    with pytest.raises(TestError, match='VM "x" is not defined in this suite'):
        call(keyword, "vm", "x", **STREAM)
    with pytest.raises(TestError, match='has no NIC "x"; it has'):
        call(keyword, "vm", "new-peer", **{**STREAM, "nic": "x"})
