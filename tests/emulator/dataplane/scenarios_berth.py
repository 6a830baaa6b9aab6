# SPDX-License-Identifier: Apache-2.0
"""The lines of QEMU guests, without QEMU: what one machine sends another one gets, by tap devices and by the relay."""

from __future__ import annotations

import asyncio
import os

import pytest

from emulator.dataplane.links import mac_bytes
from emulator.dataplane.model import GuestNic
from emulator.qemu import berth as berths
from emulator.qemu.berth import Berth
from emulator.qemu.machine import MachineNic
from tests.emulator.dataplane.dhcp_client import DISCOVER, question
from tests.emulator.dataplane.lab import NEW, OLD, Lab, eventually, nic_mac, pod_mac

_MARK = 0x88B5
_PATIENCE = 0.3


def frame(source: str, target: str = "ff:ff:ff:ff:ff:ff", size: int = 60) -> bytes:
    return (mac_bytes(target) + mac_bytes(source) + _MARK.to_bytes(2, "big")).ljust(size, b"\0")


async def _berth(lab: Lab, number: int, node: str, segment: object = OLD) -> tuple[Berth, MachineNic]:
    """A berth in a new pod, with one NIC on the segment."""
    await lab.pod(f"p{number}", node, segment)  # type: ignore[arg-type]
    return await _another_berth(lab, number)


async def _another_berth(lab: Lab, number: int, mac: int = 0) -> tuple[Berth, MachineNic]:
    dataplane = lab.dataplane
    builder, plumbing = dataplane._parts()
    assert dataplane._topology
    berth = Berth(builder, dataplane._topology, plumbing, dataplane._pod(f"p{number}"), f"g{number}")
    await berth.open()
    return berth, await berth.add(GuestNic("secondary", nic_mac(mac or number), "net1"))


def _send(nic: MachineNic, data: bytes) -> None:
    os.write(nic.line, data)


def _take(nic: MachineNic) -> list[bytes]:
    """Whole frames of ours that have come."""
    found = []
    os.set_blocking(nic.line, False)
    try:
        while True:
            data = os.read(nic.line, 65536)
            if data[12:14] == _MARK.to_bytes(2, "big"):
                found.append(data)
    except BlockingIOError:
        return found


async def _reaches(source: MachineNic, target: MachineNic, data: bytes) -> None:
    """Sent until it comes: a port that was just made takes its time to forward."""

    async def there() -> bool:
        _send(source, data)
        return data in _take(target)

    await eventually(there)


async def frames_reach_the_other_machine_and_no_other_segment(lab: Lab) -> None:
    here, one = await _berth(lab, 1, "node-1")
    there, other = await _berth(lab, 2, "node-2")
    apart, third = await _berth(lab, 3, "node-2", NEW)
    await _reaches(one, other, frame(one.mac, size=1514))
    await _reaches(other, one, frame(other.mac, one.mac))
    await asyncio.sleep(_PATIENCE)
    assert _take(third) == [], "a frame crossed to another segment"
    for berth in (here, there, apart):
        await berth.close()


async def relay_does_what_a_tap_device_does(lab: Lab) -> None:
    def refuse(_name: str) -> int:
        raise PermissionError(13, "no tun device for this user")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(berths, "open_tap", refuse)
        here, one = await _berth(lab, 1, "node-1")
    there, other = await _berth(lab, 2, "node-2")
    assert one.kind == "dgram"
    for size in (60, 1514):
        await _reaches(one, other, frame(one.mac, size=size))
        await _reaches(other, one, frame(other.mac, one.mac, size))
    await here.close()
    await there.close()


async def link_that_is_down_carries_nothing(lab: Lab) -> None:
    here, one = await _berth(lab, 1, "node-1")
    there, other = await _berth(lab, 2, "node-2")
    await there.set_link("secondary", False)
    _send(one, frame(one.mac))
    await asyncio.sleep(_PATIENCE)
    assert _take(other) == []
    await there.set_link("secondary", True)
    await _reaches(one, other, frame(one.mac, size=100))
    await here.close()
    await there.close()


async def berth_on_another_node_takes_over_a_mac(lab: Lab) -> None:
    """As in a migration: both are connected for a while, and who announces itself gets the frames."""
    here, source = await _berth(lab, 1, "node-1")
    there, peer = await _berth(lab, 2, "node-2")
    await _reaches(source, peer, frame(source.mac))
    await lab.pod("p3", "node-2")
    elsewhere, target = await _another_berth(lab, 3, mac=1)
    # Another one than the source's, of which some may still be on their way.
    await _reaches(target, peer, frame(target.mac, size=99))
    _take(source)
    await _reaches(peer, target, frame(peer.mac, target.mac))
    assert frame(peer.mac, target.mac) not in _take(source)
    for berth in (here, there, elsewhere):
        await berth.close()


async def pod_network_has_a_server_for_addresses(lab: Lab) -> None:
    await lab.pod("p1", "node-1")
    berth, _ = await _another_berth(lab, 1)
    nic = await berth.add(GuestNic("default", pod_mac(1), "eth0", "masquerade"))
    os.set_blocking(nic.line, False)

    async def offered() -> bytes | None:
        _send(nic, question(DISCOVER, mac_bytes(pod_mac(1))))
        try:
            while data := os.read(nic.line, 65536):
                if data[12:14] == b"\x08\x00" and data[34:38] == b"\x00\x43\x00\x44":
                    return data
        except BlockingIOError:
            pass
        return None

    assert (await eventually(offered))[42 + 16 : 42 + 20] == bytes([10, 0, 2, 2])
    await berth.remove("default")
    await berth.close()
