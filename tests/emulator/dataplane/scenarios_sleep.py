# SPDX-License-Identifier: Apache-2.0
"""Guests that are started at the first look: what is told of them before, and what counts as a look."""

from __future__ import annotations

from emulator.dataplane.model import AgentReport
from tests.emulator.dataplane.lab import NEW, Lab, address, at_login, eventually


def _asleep(lab: Lab, guest: str) -> bool:
    return lab.dataplane._guests[guest].is_asleep


def _facts(report: AgentReport) -> tuple[object, ...]:
    interfaces = sorted((one.name, one.mac, frozenset(one.addresses)) for one in report.interfaces)
    return report.hostname, interfaces, report.os, report.timezone


async def what_is_told_of_a_guest_before_is_what_its_agent_reports(lab: Lab) -> None:
    lab.dataplane._lazy_guests = True
    await lab.guest(1, "node-1")
    expected = await lab.ready("g1")
    assert _asleep(lab, "g1")
    await lab.run("g1", "true")
    assert not _asleep(lab, "g1")

    async def alike() -> bool:
        return _facts(await lab.ready("g1")) == _facts(expected)

    await eventually(alike)


async def a_guest_is_woken_by_a_frame_for_it_and_by_no_other(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    lab.dataplane._lazy_guests = True
    for number in (2, 3, 4):
        await lab.guest(number, "node-2")
    assert [_asleep(lab, f"g{number}") for number in (2, 3, 4)] == [True, True, True]
    await lab.reaches("g1", address(2))
    await lab.reaches("g1", "fd00::3")
    assert [_asleep(lab, f"g{number}") for number in (2, 3, 4)] == [False, False, True]
    assert lab.dataplane.started_text() == "4 guests were defined, 3 of them were started"


async def a_connection_and_a_console_wake_a_guest(lab: Lab) -> None:
    lab.dataplane._lazy_guests = True
    await lab.guest(1, "node-1")
    await lab.guest(2, "node-1")
    (await lab.dial("p1")).close()
    console = await lab.dataplane.console("g2")
    await at_login(console)
    assert not _asleep(lab, "g1")
    assert not _asleep(lab, "g2")


async def a_guest_that_moved_before_it_was_started_wakes_on_its_new_network(lab: Lab) -> None:
    await lab.guest(1, "node-1", NEW)
    await lab.guest(2, "node-1")
    lab.dataplane._lazy_guests = True
    await lab.guest(3, "node-1")
    await lab.pod("target", "node-2", NEW)
    await lab.dataplane.move("g3", "target", {"default": "eth0", "secondary": "net1"})
    assert not await lab.pings("g2", address(3))
    assert _asleep(lab, "g3")
    await lab.reaches("g1", address(3))
    assert not _asleep(lab, "g3")


async def a_guest_that_was_never_started_ends_at_once(lab: Lab) -> None:
    lab.dataplane._lazy_guests = True
    await lab.guest(1, "node-1")
    await lab.dataplane.halt("g1", 30)
    assert lab.dataplane.exited("g1").is_set()
    assert lab.dataplane.started_text() == "1 guests were defined, 0 of them were started"
