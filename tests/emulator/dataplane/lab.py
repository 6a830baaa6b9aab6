# SPDX-License-Identifier: Apache-2.0
"""A small lab on the real data plane for scenarios: pods and guests by short names, questions asked inside guests."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import asyncssh

from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.linux import LinuxDataPlane
from emulator.dataplane.model import AgentReport, Console, GuestNic, GuestSpec
from emulator.dataplane.wiring import Segment

OLD, NEW = Segment("br1", 100), Segment("br1", 200)
NODES = ["node-1", "node-2"]
USER_DATA = """\
#cloud-config
hostname: {hostname}
ssh_pwauth: true
users:
- name: tester
  plain_text_passwd: secret
  lock_passwd: false
  shell: /bin/bash
  sudo: ALL=(ALL) NOPASSWD:ALL
"""
T = TypeVar("T")


def pod_mac(number: int) -> str:
    return f"02:00:00:00:01:{number:02x}"


def nic_mac(number: int) -> str:
    return f"02:00:00:00:02:{number:02x}"


def address(number: int) -> str:
    return f"10.10.0.{number}"


async def eventually(question: Callable[[], Awaitable[T | None]], seconds: float = 10) -> T:
    """The first true answer; the outcome inside a guest has no event that could be waited for from outside."""
    deadline = time.monotonic() + seconds
    while not (answer := await question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {seconds} s")
        await asyncio.sleep(0.02)
    return answer


class Lab:
    def __init__(self, dataplane: LinuxDataPlane) -> None:
        self.dataplane = dataplane
        self.addresses: dict[str, str] = {}

    async def pod(self, uid: str, node: str, segment: Segment = OLD) -> str:
        """A pod with the pod network and ``net1`` on a segment; its address."""
        interface = await self.dataplane.add_pod(uid, node)
        await self.dataplane.attach(uid, "net1", segment)
        self.addresses[uid] = interface.ips[0]
        return interface.ips[0]

    async def guest(
        self, number: int, node: str, segment: Segment = OLD, *, user_data: str = USER_DATA, network_data: str = ""
    ) -> str:
        """Guest ``g<number>`` in pod ``p<number>``: eth0 on the pod network, eth1 with ``address(number)``."""
        name = f"g{number}"
        await self.pod(f"p{number}", node, segment)
        nics = (
            GuestNic("default", pod_mac(number), "eth0", "masquerade"),
            GuestNic("secondary", nic_mac(number), "net1"),
        )
        spec = GuestSpec(
            uid=name,
            name=name,
            hostname=name,
            firmware_uuid=f"firmware-{number}",
            nics=nics,
            user_data=user_data.format(hostname=name),
            network_data=network_data or self.network_data(number),
        )
        await self.dataplane.boot(spec, f"p{number}")
        await self.ready(name)
        return name

    @staticmethod
    def network_data(number: int) -> str:
        return f"""\
version: 2
ethernets:
  eth0: {{match: {{macaddress: "{pod_mac(number)}"}}, dhcp4: true}}
  eth1:
    match: {{macaddress: "{nic_mac(number)}"}}
    addresses: [{address(number)}/24, "fd00::{number}/64"]
"""

    async def ready(self, guest: str) -> AgentReport:
        return await eventually(lambda: self.dataplane.agent_report(guest))

    async def run(self, guest: str, *argv: str) -> str:
        status, output = await self.dataplane.run_inside(guest, list(argv))
        assert status == 0, f"{guest}: {' '.join(argv)} gave {status}: {output.decode()}"
        return output.decode()

    async def pings(self, guest: str, target: str) -> bool:
        status, _ = await self.dataplane.run_inside(guest, ["ping", "-c", "1", "-W", "0.4", target])
        return status == 0

    async def reaches(self, guest: str, target: str) -> None:
        await eventually(lambda: self.pings(guest, target))

    async def press(self, guest: str, command: str) -> None:
        """Runs a command that ends the guest, and with it possibly itself."""
        with contextlib.suppress(DataPlaneError):
            await self.dataplane.run_inside(guest, [command])

    async def boot_id(self, guest: str) -> str:
        return (await self.run(guest, "cat", "/proc/sys/kernel/random/boot_id")).strip()

    async def uptime(self, guest: str) -> float:
        return float((await self.run(guest, "cat", "/proc/uptime")).split()[0])

    async def dial(self, pod: str, port: int = 22) -> socket.socket:
        """A connection to a server in the guest that may still have to start."""

        async def try_once() -> socket.socket | None:
            with contextlib.suppress(ConnectionRefusedError):
                return await self.dataplane.dial(pod, port)
            return None

        return await eventually(try_once)

    @contextlib.asynccontextmanager
    async def ssh(self, pod: str, **options: object) -> AsyncIterator[asyncssh.SSHClientConnection]:
        """An SSH connection through the pod network, by password unless told otherwise."""

        sock = await self.dial(pod)
        chosen = {"username": "tester", "password": "secret", "client_keys": None, "known_hosts": None, **options}
        async with asyncssh.connect(sock=sock, config=None, **chosen) as connection:
            yield connection


# What came in one read with an expected text, but after it.
_unread: weakref.WeakKeyDictionary[Console, bytes] = weakref.WeakKeyDictionary()


async def expect(console: Console, text: bytes, seconds: float = 10) -> bytes:
    """Reads until ``text`` has come; all that was read up to its end."""
    seen = _unread.pop(console, b"")
    try:
        async with asyncio.timeout(seconds):
            while text not in seen:
                data = await console.read()
                assert data, f"the console ended after {seen!r}, {text!r} was expected"
                seen += data
    except TimeoutError:
        raise AssertionError(f"{text!r} was expected within {seconds} s, {seen!r} came") from None
    end = seen.index(text) + len(text)
    _unread[console] = seen[end:]
    return seen[:end]


async def until_quiet(console: Console) -> bytes:
    """All that comes until nothing has come for a moment."""
    seen = _unread.pop(console, b"")
    with contextlib.suppress(TimeoutError):
        while data := await asyncio.wait_for(console.read(), 0.3):
            seen += data
    return seen


async def at_login(console: Console) -> bytes:
    """Presses Enter until the line is quiet behind a login prompt; what the last Enter was answered with."""
    seen = b""
    for _ in range(50):
        await console.write(b"\r")
        seen = await until_quiet(console)
        if seen.count(b"login: ") == 1 and seen.endswith(b"login: "):
            return seen
    raise AssertionError(f"no login prompt, last was {seen!r}")


async def dialogue(console: Console, typed: bytes, answer: bytes) -> bytes:
    await console.write(typed)
    return await expect(console, answer)
