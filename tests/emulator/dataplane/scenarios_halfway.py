# SPDX-License-Identifier: Apache-2.0
"""What fails, or is given up, half-way: nothing of it stays behind."""

from __future__ import annotations

import asyncio

import pytest

from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.model import GuestNic, GuestSpec
from emulator.dataplane.netns import Namespace
from tests.emulator.dataplane.lab import NEW, Lab


async def nic_that_could_not_be_plugged_can_be_later(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    nic = GuestNic("extra", "02:00:00:00:03:01", "net2")
    for _ in range(2):
        with pytest.raises(DataPlaneError, match="pod p1 has no interface 'net2'"):
            await lab.dataplane.plug("g1", nic)
    await lab.dataplane.attach("p1", "net2", NEW)
    await lab.dataplane.plug("g1", nic)
    assert "02:00:00:00:03:01" in await lab.run("g1", "ip", "link", "show", "eth2", "up")


async def nothing_is_plugged_into_a_guest_that_ends(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    await lab.dataplane.attach("p1", "net2", NEW)
    ended = asyncio.create_task(lab.dataplane.halt("g1"))
    await asyncio.sleep(0)
    with pytest.raises(DataPlaneError, match="guest g1 has ended or is about to"):
        await lab.dataplane.plug("g1", GuestNic("extra", "02:00:00:00:03:01", "net2"))
    await ended


async def what_nobody_waits_for_any_more_is_taken_down(lab: Lab) -> None:
    builder = lab.dataplane._builder
    assert builder is not None
    make, made = builder.new_namespace, list[Namespace]()

    def noted(name: str, *, forwarding: bool = False) -> Namespace:
        made.append(make(name, forwarding=forwarding))
        return made[-1]

    builder.new_namespace = noted  # type: ignore[method-assign]
    await lab.pod("p1", "node-1")
    spec = GuestSpec("g1", "g1", "g1", "firmware", (GuestNic("secondary", "02:00:00:00:03:01", "net1"),))
    for cancelled in (lab.dataplane.add_pod("p2", "node-1"), lab.dataplane.boot(spec, "p1")):
        task = asyncio.create_task(cancelled)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert made[-1].descriptor == -1, made[-1].name
    assert [namespace.name for namespace in made] == ["pod p1", "pod p2", "guest ports g1"]
    await lab.pod("p2", "node-1")
    await lab.dataplane.boot(spec, "p1")
