# SPDX-License-Identifier: Apache-2.0
"""The switch-over of a live migration."""

from __future__ import annotations

import asyncio
import time

import pytest

from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.wiring import Segment
from tests.emulator.dataplane.lab import NEW, OLD, Lab, address, eventually

BOTH = {"default": "eth0", "secondary": "net1"}


async def _move(lab: Lab, number: int, node: str, segment: Segment) -> None:
    target = f"p{number}-target"
    await lab.pod(target, node, segment)
    await lab.dataplane.move(f"g{number}", target, BOTH)
    await lab.dataplane.remove_pod(f"p{number}")


async def moved_guest_changes_its_network_and_nothing_else(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1", OLD), lab.guest(2, "node-1", OLD), lab.guest(3, "node-2", NEW))
    await lab.reaches("g1", address(2))
    look = ["sh", "-c", "cat /sys/class/net/eth1/carrier_changes; ip -o address; ip route; ip -6 route"]

    async def settled() -> str:
        """The guest's view once its link-local addresses have passed the detection of duplicates."""
        seen = await lab.run("g1", *look)
        return "" if "tentative" in seen else seen

    before = await eventually(settled)
    process = (await lab.run("g1", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!")).strip()
    boot_id = await lab.boot_id("g1")
    await _move(lab, 1, "node-2", NEW)
    await lab.reaches("g1", address(3))
    await lab.reaches("g3", address(1))
    assert not await lab.pings("g1", address(2))
    assert not await lab.pings("g2", address(1))
    after = await lab.run("g1", *look)
    assert after == before, f"the guest noticed its move: {before}\n{after}"
    assert await lab.boot_id("g1") == boot_id
    await lab.run("g1", "kill", "-0", process)


async def pod_network_works_after_a_move_by_the_new_address(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-1"))
    await lab.reaches("g1", lab.addresses["p2"])
    await _move(lab, 1, "node-2", OLD)
    await lab.reaches("g1", lab.addresses["p2"])
    await lab.reaches("g2", lab.addresses["p1-target"])
    assert not await lab.pings("g2", lab.addresses["p1"])
    await lab.reaches("g1", "10.0.2.1")
    async with lab.ssh("p1-target") as ssh:
        assert (await ssh.run("hostname", check=True)).stdout == "g1\n"


async def move_works_within_a_node_and_there_and_back(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1", OLD), lab.guest(2, "node-1", OLD), lab.guest(3, "node-1", NEW))
    await lab.pod("a", "node-1", NEW)
    await lab.dataplane.move("g1", "a", BOTH)
    await lab.reaches("g1", address(3))
    assert not await lab.pings("g1", address(2))
    await lab.pod("b", "node-2", OLD)
    await lab.dataplane.move("g1", "b", BOTH)
    await lab.reaches("g1", address(2))
    assert not await lab.pings("g1", address(3))


async def tcp_survives_a_move_while_the_peer_stays_reachable(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-1"))
    echo = (
        "import socket; s = socket.create_server(('', 7000)); c, a = s.accept()\nwhile d := c.recv(100): c.sendall(d)"
    )
    serving = asyncio.create_task(lab.run("g2", "python3", "-c", echo))
    client = f"""
import socket, time
while True:
    try:
        s = socket.create_connection(("{address(2)}", 7000), timeout=5)
        break
    except ConnectionRefusedError:
        time.sleep(0.02)
gap = 0
end = time.monotonic() + 1.5
while time.monotonic() < end:
    began = time.monotonic()
    s.sendall(b"x")
    assert s.recv(1) == b"x"
    gap = max(gap, time.monotonic() - began)
    time.sleep(0.005)
print(gap)
"""
    asking = asyncio.create_task(lab.run("g1", "python3", "-c", client))
    await asyncio.sleep(0.7)
    await lab.pod("p1-target", "node-2")
    await lab.dataplane.move("g1", "p1-target", BOTH)
    gap = float(await asking)
    assert gap < 1, f"the connection stood still for {gap:.3f} s"
    await serving


async def old_connections_and_console_end_with_the_move(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    connection, console = await lab.dial("p1"), await lab.dataplane.console("g1")
    loop = asyncio.get_running_loop()
    assert (await loop.sock_recv(connection, 100)).startswith(b"SSH-2.0")
    await lab.pod("p1-target", "node-2")
    await lab.dataplane.move("g1", "p1-target", BOTH)
    assert await asyncio.wait_for(loop.sock_recv(connection, 100), 2) == b""
    async with asyncio.timeout(2):
        while await console.read():
            pass


async def neighbours_learn_of_a_move_from_the_guest_itself(lab: Lab) -> None:
    """The guest announces each address on its new segment without having been asked for anything."""
    await asyncio.gather(lab.guest(1, "node-1", OLD), lab.guest(3, "node-2", NEW))
    listen = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("eth1", 0))
s.settimeout(5)
print("listening", flush=True)
wanted = {b"\\x08\\x06", b"\\x86\\xdd"}
while wanted:
    frame = s.recv(200)
    if frame[6:12] == bytes.fromhex("020000000201"):
        wanted.discard(frame[12:14])
"""
    hearing = asyncio.create_task(lab.run("g3", "python3", "-c", listen))
    await asyncio.sleep(0.3)
    await _move(lab, 1, "node-2", NEW)
    await hearing


async def move_is_quick(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    await lab.pod("p1-target", "node-2", NEW)
    began = time.monotonic()
    await lab.dataplane.move("g1", "p1-target", BOTH)
    # Generous for a busy machine: on an idle one it is some 20 ms.
    assert time.monotonic() - began < 1


async def nic_that_the_target_does_not_carry_is_silent(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-1"))
    await lab.reaches("g1", address(2))
    await lab.pod("p1-target", "node-1")
    await lab.dataplane.move("g1", "p1-target", {"default": "eth0"})
    await lab.reaches("g1", lab.addresses["p2"])
    assert not await lab.pings("g1", address(2))


async def failed_move_changes_nothing(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-1"))
    await lab.pod("p1-target", "node-2", NEW)
    with pytest.raises(DataPlaneError, match="no interface 'net7'; it has eth0, net1"):
        await lab.dataplane.move("g1", "p1-target", {"default": "eth0", "secondary": "net7"})
    await lab.reaches("g1", address(2))
    await lab.reaches("g1", lab.addresses["p2"])


async def frozen_guest_can_be_moved(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1", OLD), lab.guest(3, "node-2", NEW))
    await lab.dataplane.freeze("g1", True)
    await _move(lab, 1, "node-2", NEW)
    assert not await lab.pings("g3", address(1))
    await lab.dataplane.freeze("g1", False)
    await lab.reaches("g3", address(1))
