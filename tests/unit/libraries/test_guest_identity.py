# SPDX-License-Identifier: Apache-2.0
"""Keywords on what a guest is, on a guest of paper that says of itself what a test gives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from livenad.api.history import ADDED, History
from livenad.api.kinds import VMI
from livenad.errors import LabError, ProductFault, TestError

from tests.unit.libraries.conftest import Call
from tests.unit.libraries.conftest import open_suite as suite_now
from tests.unit.support.open_suite import open_suite
from tests.unit.support.paper import PaperGuests, swapped
from tests.unit.support.topology import three_guests

IDENTITY = """\
boot {boot}
uptime {uptime}
link eth0 02:00:00:00:00:01 1500 up 1
link net1 02:00:00:00:00:02 {mtu} up 1
link net2 02:00:00:00:00:03 1500 up 1
addr 2: net1    inet 10.10.0.10/24 brd 10.10.0.255 scope global net1
"""

Say = Callable[..., None]


@pytest.fixture
def says(keywords: Call) -> Say:
    """What guest "vm" says of itself from now on."""
    suite = open_suite("demo", History(), three_guests())
    paper: Any = PaperGuests(swapped)
    paper.tell_warnings = suite.guests.tell_warnings
    suite.guests = paper

    def say(boot: str = "b00f", uptime: float = 100.0, mtu: int = 1500) -> None:
        paper.shell("vm").identity = IDENTITY.format(boot=boot, uptime=uptime, mtu=mtu)

    say()
    return say


def test_guest_that_ran_on_has_not_rebooted(keywords: Call, says: Say) -> None:
    keywords("Record Guest", "vm")
    says(uptime=101.0)
    keywords("Guest Should Not Have Rebooted", "vm")
    keywords("Guest Interface Should Be Unchanged", "vm", nic="secondary")
    with pytest.raises(ProductFault, match=r"its guest should have booted .* within the last"):
        keywords("Guest Should Have Rebooted", "vm")


def test_guest_with_another_boot_id_has_rebooted(keywords: Call, says: Say) -> None:
    keywords("Record Guest", "vm")
    says(boot="b011", uptime=2.0)
    keywords("Guest Should Have Rebooted", "vm")
    with pytest.raises(ProductFault, match="should have run on since it was recorded; boot id was b00f"):
        keywords("Guest Should Not Have Rebooted", "vm")


def test_interface_that_changed_is_told(keywords: Call, says: Say) -> None:
    keywords("Record Guest", "vm")
    says(mtu=1400)
    with pytest.raises(
        ProductFault, match=r'guest interface net1 \(NIC "secondary"\) should be .*; MTU was 1500, is 1400'
    ):
        keywords("Guest Interface Should Be Unchanged", "vm", nic="secondary")


def test_guest_that_was_not_recorded_must_have_run_since_its_agent_answered(keywords: Call, says: Say) -> None:
    with pytest.raises(LabError, match="VM demo/vm: its guest agent has not answered yet"):
        keywords("Guest Should Not Have Rebooted", "vm")
    connected = {"conditions": [{"type": "AgentConnected", "status": "True"}]}
    meta = {"name": "vm", "uid": "u", "resourceVersion": "1"}
    suite_now().recorder.history.append(VMI, ADDED, {"metadata": meta, "status": connected})
    keywords("Guest Should Not Have Rebooted", "vm")


@pytest.mark.parametrize(
    ("keyword", "named"),
    [("Guest Should Have Rebooted", {}), ("Guest Interface Should Be Unchanged", {"nic": "other"})],
)
def test_guest_that_was_not_recorded_cannot_be_compared(
    keywords: Call, says: Say, keyword: str, named: dict[str, str]
) -> None:
    with pytest.raises(TestError, match="guest vm was not recorded; call `Record Guest` before the change"):
        keywords(keyword, "vm", **named)


def test_unknown_nic_lists_those_there_are(keywords: Call, says: Say) -> None:
    keywords("Record Guest", "vm")
    with pytest.raises(TestError, match=r'VM demo/vm has no NIC "third"; it has: .*secondary'):
        keywords("Guest Interface Should Be Unchanged", "vm", nic="third")
