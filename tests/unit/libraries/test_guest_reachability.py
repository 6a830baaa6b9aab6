# SPDX-License-Identifier: Apache-2.0
"""Keywords on reachability: verdicts on guests of paper, and whose fault it is when they do not hold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest
from GuestLibrary.guest_component import blamed_on
from KubeVirtLibrary.base import SESSION
from livenad.api.history import History
from livenad.api.kinds import MIGRATION, Object
from livenad.api.status import EVACUATION
from livenad.errors import LabError, ProductFault, TestError
from livenad.reachability.measurements import Measurements

from tests.unit.libraries.conftest import Call
from tests.unit.libraries.conftest import open_suite as open_keyword_suite
from tests.unit.support.open_suite import open_suite
from tests.unit.support.paper import PaperGuests, swapped
from tests.unit.support.topology import three_guests

pytestmark = pytest.mark.usefixtures("at_once")

SOON, WINDOW = timedelta(seconds=0.3), timedelta(seconds=5)
ACROSS = {"nic": "secondary", "control": "new-peer", "duration": WINDOW}


@pytest.fixture
def call(keywords: Call) -> Call:
    """Calls keywords after a good change."""
    suite = open_suite("demo", History(), three_guests())
    paper: Any = PaperGuests(swapped)
    paper.tell_warnings = lambda: None
    suite.guests, suite.measurements = paper, Measurements(paper)
    return keywords


def test_new_network_is_reached_and_the_old_one_is_not(call: Call) -> None:
    call("Guests Should Reach Each Other", "vm", "new-peer", nic="secondary", within=SOON)
    with pytest.raises(ProductFault, match=r"old-peer .* should reach each other"):
        call("Guests Should Reach Each Other", "vm", "old-peer", nic="secondary", within=SOON)


def test_what_a_guest_has_no_tool_for_is_noted(call: Call) -> None:
    suite = cast(Any, SESSION.run).suite
    call("Guests Should Reach Each Other", "vm", "new-peer", nic="secondary", within=SOON)
    assert suite.unobserved == []
    suite.guests.missing_tools = lambda name: ["python3"] if name == "vm" else []
    call("Guests Should Reach Each Other", "vm", "new-peer", nic="secondary", within=SOON)
    assert "UDP (vm has no python3)" in suite.unobserved


def test_message_begins_with_what_the_test_found_before(call: Call) -> None:
    reached = {"nic": "secondary", "within": SOON, "context": "Nothing more happened, but at its end:"}
    with pytest.raises(ProductFault, match=r"^Nothing more happened, but at its end: VM .* should reach each other"):
        call("Guests Should Reach Each Other", "vm", "old-peer", **reached)
    with pytest.raises(LabError, match=r"^LAB ERROR: Nothing more happened, but at its end: before the change: VM "):
        call("Guests Should Reach Each Other", "vm", "old-peer", blame="lab", **reached)


def test_window_is_judged_whether_it_was_opened_before_or_not(call: Call) -> None:
    call("Start Silence Monitoring", "vm", "old-peer", **ACROSS)
    call("Guests Should Be Silent To Each Other", "vm", "old-peer", **ACROSS)
    call("Guests Should Be Silent To Each Other", "vm", "old-peer", **ACROSS)


def test_pod_network_is_judged_both_ways(call: Call) -> None:
    call("Pod Network Should Work", "vm", "new-peer", within=SOON)


def migrating(name: str, vm: str, phase: str, version: int) -> Object:
    metadata = {"name": name, "namespace": "demo", "uid": name, "resourceVersion": str(version)}
    return {
        "metadata": metadata | {"annotations": {EVACUATION: "n1"}},
        "spec": {"vmiName": vm},
        "status": {"phase": phase},
    }


@pytest.mark.circumstance(
    "a drain migrates a guest while it is asked what it reaches",
    topic="others",
    sees="cannot be judged, as migration",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_what_a_migration_of_others_cuts_off_is_the_labs(call: Call) -> None:
    """Of a guest that is named, and under way meanwhile: no other migration is an excuse."""
    history = open_keyword_suite().recorder.history
    history.append(MIGRATION, "ADDED", migrating("ended", "vm", "Succeeded", 1))
    history.append(MIGRATION, "ADDED", migrating("elsewhere", "another", "Running", 2))
    with pytest.raises(ProductFault, match=r"old-peer .* should reach each other"):
        call("Guests Should Reach Each Other", "vm", "old-peer", nic="secondary", within=SOON)
    history.append(MIGRATION, "ADDED", migrating("drain", "old-peer", "Running", 3))
    with pytest.raises(LabError, match=r"cannot be judged, as migration demo/drain of VM old-peer was made by"):
        call("Guests Should Reach Each Other", "vm", "old-peer", nic="secondary", within=SOON)
    call("Guests Should Reach Each Other", "vm", "new-peer", nic="secondary", within=SOON)


def test_before_the_change_a_fault_is_the_labs(call: Call) -> None:
    with pytest.raises(LabError, match=r"^LAB ERROR: before the change: .* should reach each other"):
        call("Guests Should Reach Each Other", "vm", "old-peer", nic="secondary", within=SOON, blame="lab")
    with pytest.raises(ProductFault, match=r"^it is there$"), blamed_on("product"):
        raise ProductFault("it is there")
    with pytest.raises(LabError, match=r"^LAB ERROR: peer is dead$"), blamed_on("lab"):
        raise LabError("peer is dead")


@pytest.mark.parametrize(
    ("keyword", "peers", "named", "said"),
    [
        ("Guests Should Reach Each Other", ("vm", "x"), {"nic": "secondary", "within": SOON}, 'VM "x" is not defined'),
        ("Guests Should Reach Each Other", ("vm", "new-peer"), {"nic": "x", "within": SOON}, 'has no NIC "x"; it has'),
        (
            "Guests Should Reach Each Other",
            ("vm", "old-peer"),
            {"nic": "other", "within": SOON},
            "shares no IPv4 subnet with old-peer; give both an address in one subnet with `Add NIC`",
        ),
        ("Guests Should Be Silent To Each Other", ("vm", "x"), ACROSS, 'VM "x" is not defined'),
        ("Guests Should Be Silent To Each Other", ("vm", "old-peer"), {**ACROSS, "control": "x"}, 'VM "x" is not'),
        ("Start Silence Monitoring", ("vm", "old-peer"), {**ACROSS, "nic": "x"}, 'has no NIC "x"; it has'),
        ("Pod Network Should Work", ("vm", "x"), {"within": SOON}, 'VM "x" is not defined'),
    ],
)
def test_wrong_guest_or_nic_is_a_test_error(
    call: Call, keyword: str, peers: tuple[str, str], named: dict[str, Any], said: str
) -> None:
    with pytest.raises(TestError) as caught:
        call(keyword, *peers, **named)
    assert said in str(caught.value)
