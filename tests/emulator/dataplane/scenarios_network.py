# SPDX-License-Identifier: Apache-2.0
"""Segments and the pod network."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from typing import Any

import pytest

from emulator.dataplane import packet_loss
from emulator.dataplane.detour import KINDS, Detour
from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.wiring import Segment
from tests.emulator.dataplane.lab import NEW, OLD, Lab, address, eventually


async def guests_meet_across_nodes_on_their_vlan_only(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-2"), lab.guest(3, "node-2", NEW))
    await lab.reaches("g1", address(2))
    await lab.reaches("g2", address(1))
    await lab.reaches("g1", "fd00::2")
    assert not await lab.pings("g1", address(3))
    assert not await lab.pings("g2", address(3)), "a VLAN leaks to another one on the same node"
    assert not await lab.pings("g1", "fd00::3")


async def same_vlan_of_another_bridge_is_another_network(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1", OLD), lab.guest(2, "node-1", Segment("br2", OLD.vlan)))
    assert not await lab.pings("g1", address(2))


async def pod_network_carries_both_ways_across_nodes(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-2"))
    await lab.reaches("g1", lab.addresses["p2"])
    await lab.reaches("g2", lab.addresses["p1"])
    await lab.reaches("g1", "10.0.2.1")
    assert (await lab.run("g1", "ip", "-4", "-o", "address", "show", "eth0")).split()[3] == "10.0.2.2/24"
    # TCP and UDP arrive with the sender's pod address, not the one that it believes to have.
    tcp = "import socket; s = socket.create_server(('', 7000)); c, a = s.accept(); c.sendall(a[0].encode()); c.close()"
    serving = asyncio.create_task(lab.run("g2", "python3", "-c", tcp))
    ask = f"import socket; print(socket.create_connection(('{lab.addresses['p2']}', 7000)).recv(100).decode())"

    async def answer() -> str:
        status, output = await lab.dataplane.run_inside("g1", ["python3", "-c", ask])
        return output.decode() if status == 0 else ""

    assert (await eventually(answer)).strip() == lab.addresses["p1"]
    await serving


async def udp_is_forwarded_to_the_guest(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    echo = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 7000))\n"
        "while True:\n d, a = s.recvfrom(100); s.sendto(d.upper(), a)"
    )
    serving = asyncio.create_task(lab.dataplane.run_inside("g1", ["python3", "-c", echo]))
    connection = await lab.dataplane.dial("p1", 7000, "udp")
    loop = asyncio.get_running_loop()

    async def answer() -> bytes:
        with contextlib.suppress(OSError, TimeoutError):
            await loop.sock_sendall(connection, b"hello")
            return await asyncio.wait_for(loop.sock_recv(connection, 100), 0.2)
        return b""

    assert await eventually(answer) == b"HELLO"
    connection.close()
    serving.cancel()


async def dialling_fails_as_over_a_network(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    with pytest.raises(ConnectionRefusedError):
        await lab.dataplane.dial("p1", 4711)
    with pytest.raises(DataPlaneError, match="no pod p9"):
        await lab.dataplane.dial("p9", 22)


async def every_pod_has_its_own_address(lab: Lab) -> None:
    addresses = [await lab.pod(f"p{number}", f"node-{number % 2 + 1}") for number in range(6)]
    assert len(set(addresses)) == 6
    await lab.dataplane.remove_pod("p0")
    assert await lab.pod("p0", "node-1") not in addresses, "an address comes back while clients may remember it"


async def large_transfer_over_the_pod_network(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    async with lab.ssh("p1") as ssh:
        result = await ssh.run("head -c 5000000 /dev/zero", encoding=None)
        assert isinstance(result.stdout, bytes)
        assert len(result.stdout) == 5_000_000


async def plain_pod_answers_itself(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    plain = await lab.pod("plain", "node-2")
    await lab.reaches("g1", plain)


async def joined_interface_is_on_both_segments_that_stay_apart(lab: Lab) -> None:
    await asyncio.gather(*(lab.guest(n, "node-1", segment) for n, segment in ((1, OLD), (2, OLD), (3, NEW))))
    await lab.dataplane.join("p1", "net1", NEW)
    await lab.reaches("g1", address(2))
    await lab.reaches("g1", address(3))
    assert not await lab.pings("g2", address(3))


async def interface_loses_what_it_is_told_to(lab: Lab) -> None:
    await asyncio.gather(*(lab.guest(n, "node-1") for n in (1, 2, 3)))
    await lab.dataplane.drop_frames("p1", "net1", (packet_loss.ECHO_REQUEST,))
    await lab.reaches("g1", address(2))
    assert not await lab.pings("g2", address(1))
    await lab.reaches("g2", address(3))


async def joined_segment_loses_what_it_is_told_to(lab: Lab) -> None:
    await asyncio.gather(*(lab.guest(n, "node-1", segment) for n, segment in ((1, OLD), (2, OLD), (3, NEW))))
    await lab.dataplane.join("p1", "net1", NEW, (packet_loss.ECHO_REPLY,))
    await lab.reaches("g3", address(1))
    assert not await lab.pings("g1", address(3))
    await lab.reaches("g1", address(2))


async def some_frames_are_lost(lab: Lab) -> None:
    await asyncio.gather(*(lab.guest(n, "node-1") for n in (1, 2)))
    await lab.dataplane.drop_frames("p1", "net1", (packet_loss.some(100),))
    assert not await lab.pings("g1", address(2))


async def unknown_things_are_named(lab: Lab) -> None:
    with pytest.raises(DataPlaneError, match="no node 'nowhere'; there are node-1, node-2"):
        await lab.dataplane.add_pod("p1", "nowhere")
    await lab.pod("p1", "node-1")
    with pytest.raises(DataPlaneError, match="a pod p1 already"):
        await lab.dataplane.add_pod("p1", "node-1")
    with pytest.raises(DataPlaneError, match="no guest g1"):
        await lab.dataplane.console("g1")
    assert await lab.dataplane.agent_report("g1") is None
    await lab.dataplane.halt("g1")


async def connection_survives_in_the_background_of_many_pods(lab: Lab) -> None:
    """Building and removing pods disturbs no other pod."""
    await lab.guest(1, "node-1")
    connection = await lab.dial("p1")
    connection.setblocking(False)
    for number in range(5):
        await lab.pod(f"x{number}", "node-1")
        await lab.dataplane.detach(f"x{number}", "net1")
        await lab.dataplane.remove_pod(f"x{number}")
    loop = asyncio.get_running_loop()
    assert (await asyncio.wait_for(loop.sock_recv(connection, 100), 2)).startswith(b"SSH-2.0")
    assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    connection.close()


async def node_is_known_by_one_mac_however_many_pods_come(lab: Lab) -> None:
    """A pod that knows its gateway must not lose it when another pod is plugged in."""
    builder, _ = lab.dataplane._parts()
    assert lab.dataplane._topology is not None
    node = lab.dataplane._topology.node("node-1")

    async def known() -> dict[str, str]:
        links = await builder.run(node.namespace.links.all)
        return {link.name: link.mac for link in links if link.name.startswith("seg")}

    await lab.pod("first", "node-1")
    before = await known()
    for number in range(12):
        await lab.pod(f"x{number}", "node-1")
    assert await known() == before


async def frames_of_a_kind_go_another_way(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-1"))
    await lab.reaches("g1", address(2))
    seen: list[str] = []

    async def divert(kind: str, how: str, **more: Any) -> None:
        detour = Detour(kind=KINDS[kind], how=how, first=lambda: seen.append(kind), **more)
        await lab.dataplane.divert("g1", "secondary", detour)

    ping = ["ping", "-c", "2", "-i", "0.3", "-W", "2", address(2)]
    await divert("ICMP echo reply", "duplicated", to_guest=True)
    assert "DUP!" in await lab.run("g1", *ping)
    assert seen == ["ICMP echo reply"]
    await divert("ICMP echo request", "delayed", to_guest=False, seconds=0.2)
    assert (times := [float(one) for one in re.findall(r"time=([\d.]+)", await lab.run("g1", *ping))])
    assert all(200 <= one < 1000 for one in times), times
    await divert("ARP reply", "astray", to_guest=True, nic_astray="default")
    await lab.run("g1", "ip", "neigh", "flush", "dev", "eth1")
    assert not await lab.pings("g1", address(2))
