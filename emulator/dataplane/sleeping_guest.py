# SPDX-License-Identifier: Apache-2.0
"""A guest that has not been started yet, as nothing has looked at it: what is known of it, and what wakes it."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from collections.abc import Callable, Sequence

from emulator.dataplane.frame_filter import frames_for, listening, program
from emulator.dataplane.model import AgentReport, GuestInterface, GuestSpec
from emulator.dataplane.netns import Builder, Namespace
from emulator.guest.identity import release_fields
from emulator.guest.netconfig import Ethernet, read_network_data
from emulator.guest.spec import BootNic

_LOOPBACK = GuestInterface("lo", "00:00:00:00:00:00", ("127.0.0.1/8", "::1/128"))


def expected_report(spec: GuestSpec, nics: Sequence[BootNic]) -> AgentReport:
    """What the agent of the guest will report once it runs, by its cloud-init data and its leases."""
    entries = read_network_data(spec.network_data, lambda _: None)
    interfaces = [_LOOPBACK]
    for number, nic in enumerate(nics):
        chosen = Ethernet(key=nic.device, dhcp4=number == 0)
        if entries is not None:
            chosen = next((entry for entry in entries if entry.fits(nic)), Ethernet(key=nic.device))
        addresses = [address if "/" in address else f"{address}/24" for address in chosen.addresses]
        addresses += [nic.lease.address] if chosen.dhcp4 and nic.lease else []
        interfaces.append(
            GuestInterface(chosen.new_name or nic.device, nic.mac, (*addresses, f"{_link_local(nic.mac)}/64"))
        )
    release, system = release_fields(), os.uname()
    return AgentReport(
        hostname=spec.hostname,
        interfaces=tuple(interfaces),
        os={
            "name": release["NAME"],
            "id": release["ID"],
            "version": release["VERSION"],
            "versionId": release["VERSION_ID"],
            "prettyName": release["PRETTY_NAME"],
            "kernelRelease": system.release,
            "kernelVersion": system.version,
            "machine": system.machine,
        },
    )


def _link_local(mac: str) -> str:
    """The address that a kernel derives from a MAC (RFC 4291, appendix A)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    identifier = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + identifier))


class Ears:
    """Calls ``heard`` when a frame comes that the guest would answer. All methods run in the event loop."""

    def __init__(self, heard: Callable[[], None]) -> None:
        self._heard = heard
        self._lines: list[socket.socket] = []

    async def open(self, builder: Builder, namespace: Namespace, repeaters: dict[str, GuestInterface]) -> None:
        """Listen on the device of each NIC."""

        def make() -> list[socket.socket]:
            return [
                listening(device, program(frames_for(interface.mac, interface.addresses)))
                for device, interface in repeaters.items()
            ]

        self._lines = await builder.run(lambda: builder.inside(namespace.descriptor, make))
        for line in self._lines:
            asyncio.get_running_loop().add_reader(line.fileno(), self._heard)

    def close(self) -> None:
        for line in self._lines:
            asyncio.get_running_loop().remove_reader(line.fileno())
            line.close()
        self._lines.clear()
