# SPDX-License-Identifier: Apache-2.0
"""A guest's life: reboot, freeze, crash, power-off, its own view of itself."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest

from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.model import Console, GuestNic, GuestSpec
from tests.emulator.dataplane.lab import NEW, Lab, address, eventually, expect, nic_mac, pod_mac


async def reboot_starts_everything_anew_but_the_hardware(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-2"))
    console = await lab.dataplane.console("g1")
    boot_id, host_key = await lab.boot_id("g1"), await _host_key(lab, "p1")
    await lab.run("g1", "ip", "link", "set", "eth1", "address", "02:00:00:00:99:99")
    await lab.run("g1", "touch", "/run/before")
    began = time.monotonic()
    await lab.dataplane.reboot("g1")
    await lab.ready("g1")
    assert await lab.boot_id("g1") != boot_id
    uptime = await lab.uptime("g1")
    # Without the reboot it would have been up for longer than the reboot and all that came after it took.
    assert uptime < time.monotonic() - began + 0.01
    assert nic_mac(1) in await lab.run("g1", "ip", "link", "show", "eth1")
    status, _ = await lab.dataplane.run_inside("g1", ["test", "-e", "/run/before"])
    assert status == 1
    await lab.reaches("g1", address(2))
    await expect(console, b"g1 login: ")
    assert await _host_key(lab, "p1") == host_key
    assert not lab.dataplane.exited("g1").is_set()


async def _host_key(lab: Lab, pod: str) -> bytes:
    async with lab.ssh(pod) as ssh:
        key = ssh.get_server_host_key()
        assert key
        return key.export_public_key()


async def reboot_typed_in_the_guest(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    boot_id = await lab.boot_id("g1")
    console = await lab.dataplane.console("g1")
    await lab.press("g1", "reboot")
    await expect(console, b"reboot: Restarting system")
    await expect(console, b"g1 login: ")
    await lab.ready("g1")
    assert await lab.boot_id("g1") != boot_id


async def uptime_is_the_guests_own_and_grows(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    first = await lab.uptime("g1")
    assert first < 30
    await asyncio.sleep(0.5)
    assert 0.2 < await lab.uptime("g1") - first < 20


async def two_guests_have_nothing_in_common(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-1"))
    assert await lab.boot_id("g1") != await lab.boot_id("g2")
    await lab.run("g1", "sh", "-c", "echo mine > /srv/mine; echo mine > /root/mine")
    for file in ("/srv/mine", "/root/mine"):
        assert (await lab.dataplane.run_inside("g2", ["test", "-e", file]))[0] == 1
    assert (await lab.run("g1", "hostname")).strip() == "g1"
    assert "Embedded" in await lab.run("g1", "cat", "/etc/os-release")
    # Its process numbers begin with its own process 1, and it cannot see others.
    processes = (await lab.run("g1", "sh", "-c", "ls -d /proc/[0-9]*")).split()
    assert "/proc/1" in processes
    assert len(processes) < 10
    status, _ = await lab.dataplane.run_inside("g1", ["sh", "-c", "echo x > /usr/probe"])
    assert status != 0, "a guest can write to the host's programs"


async def kernel_settings_of_the_network_can_be_written(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    for key, value in {"arp_ignore": "1", "arp_announce": "2", "rp_filter": "2"}.items():
        path = f"/proc/sys/net/ipv4/conf/all/{key}"
        assert (await lab.run("g1", "cat", path)).strip() == "0"
        await lab.run("g1", "sh", "-c", f"echo {value} > {path}")
        assert (await lab.run("g1", "cat", path)).strip() == value
    assert (await lab.run("g1", "sysctl", "-w", "net.ipv4.conf.eth1.arp_ignore=1")).strip().endswith("= 1")


async def frozen_guest_is_silent_and_goes_on_as_if_nothing_had_been(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-1"))
    await lab.reaches("g2", address(1))
    tick = (
        "cat /proc/uptime > /run/ticks; while :; do cat /proc/uptime >> /run/ticks; sleep 0.02; done >/dev/null 2>&1 &"
    )
    await lab.run("g1", "sh", "-c", tick)
    await lab.dataplane.freeze("g1", True)
    frozen = time.monotonic()
    assert await lab.dataplane.agent_report("g1") is None
    assert not await lab.pings("g2", address(1))
    frozen = time.monotonic() - frozen
    await lab.dataplane.freeze("g1", False)
    await lab.ready("g1")
    ticks = [float(line.split()[0]) for line in (await lab.run("g1", "cat", "/run/ticks")).splitlines()]
    ticks.append(await lab.uptime("g1"))
    pause = max(later - earlier for earlier, later in pairwise(ticks))
    assert pause > frozen - 0.05, "the guest ran on while it was frozen"
    await lab.reaches("g2", address(1))
    await lab.ready("g1")


async def crashed_guest_is_dead_but_not_off(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-1"))
    await lab.reaches("g2", address(1))
    boot_id = await lab.boot_id("g1")
    await lab.dataplane.kill_inside("g1")
    assert not await lab.pings("g2", address(1))
    assert not await lab.pings("g2", lab.addresses["p1"])
    assert await lab.dataplane.agent_report("g1") is None
    assert not lab.dataplane.exited("g1").is_set()
    with pytest.raises(DataPlaneError, match="g1 does not run"):
        await lab.dataplane.run_inside("g1", ["true"])
    await lab.dataplane.reboot("g1")
    await lab.reaches("g2", address(1))
    await lab.ready("g1")
    assert await lab.boot_id("g1") != boot_id
    await lab.dataplane.kill_inside("g1")
    await lab.dataplane.halt("g1")
    assert lab.dataplane.exited("g1").is_set()


async def power_off_in_the_guest_ends_it(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    console = await lab.dataplane.console("g1")
    await lab.press("g1", "poweroff")
    await asyncio.wait_for(lab.dataplane.exited("g1").wait(), 5)
    assert b"reboot: Power down" in await _to_the_end(console)
    await lab.dataplane.halt("g1")


async def _to_the_end(console: Console) -> bytes:
    seen = b""
    async with asyncio.timeout(5):
        while data := await console.read():
            seen += data
    return seen


async def halt_asks_first_and_kills_then(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-1"))
    console = await lab.dataplane.console("g1")
    await lab.dataplane.halt("g1", grace=5)
    assert b"reboot: Power down" in await _to_the_end(console)
    await lab.dataplane.freeze("g2", True)
    await lab.dataplane.halt("g2", grace=0.2)
    assert lab.dataplane.exited("g2").is_set()
    assert lab.dataplane.exited("g1").is_set()


async def guest_can_be_booted_again_after_its_end(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    await lab.dataplane.halt("g1")
    await lab.dataplane.remove_pod("p1")
    await lab.guest(1, "node-2")
    assert not lab.dataplane.exited("g1").is_set()


async def nic_comes_and_goes(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(3, "node-2", NEW))
    await lab.dataplane.attach("p1", "net2", NEW)
    await lab.dataplane.plug("g1", GuestNic("extra", "02:00:00:00:03:01", "net2"))
    assert "02:00:00:00:03:01" in await lab.run("g1", "ip", "link", "show", "eth2", "up")
    await lab.run("g1", "ip", "address", "add", "10.10.0.101/24", "dev", "eth2")
    await lab.run("g1", "ip", "address", "flush", "dev", "eth1")
    await lab.reaches("g1", address(3))
    # It is there after a reboot too, for it is hardware.
    await lab.dataplane.reboot("g1")
    await lab.ready("g1")
    assert "02:00:00:00:03:01" in await lab.run("g1", "ip", "link", "show", "eth2")
    await lab.dataplane.unplug("g1", "extra")
    await lab.dataplane.detach("p1", "net2")
    assert (await lab.dataplane.run_inside("g1", ["ip", "link", "show", "eth2"]))[0] != 0
    with pytest.raises(DataPlaneError, match="no NIC 'extra'; it has default, secondary"):
        await lab.dataplane.unplug("g1", "extra")


async def link_state_is_seen_in_the_guest(lab: Lab) -> None:
    await asyncio.gather(lab.guest(1, "node-1"), lab.guest(2, "node-1"))

    async def carrier(value: str) -> bool:
        return (await lab.run("g1", "cat", "/sys/class/net/eth1/carrier")).strip() == value

    assert await carrier("1")
    await lab.dataplane.set_link("g1", "secondary", False)
    await eventually(lambda: carrier("0"))
    assert not await lab.pings("g2", address(1))
    await lab.dataplane.set_link("g1", "secondary", True)
    await eventually(lambda: carrier("1"))
    await lab.reaches("g2", address(1))


async def agent_reports_what_is_in_the_guest_now(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    report = await lab.ready("g1")
    assert report.hostname == "g1"
    found = {interface.name: interface for interface in report.interfaces}
    assert found["eth1"].mac == nic_mac(1)
    assert {"10.10.0.1/24", "fd00::1/64"} <= set(found["eth1"].addresses)
    assert found["eth0"].addresses[0] == "10.0.2.2/24"
    assert "Embedded" in report.os["prettyName"]
    assert report.os["kernelRelease"]
    assert report.users == ()
    assert report.filesystems[0]["mountPoint"] == "/"
    await lab.run("g1", "sh", "-c", "hostname changed; ip address add 10.99.0.1/24 dev eth1")
    async with lab.ssh("p1") as ssh:
        process = await ssh.create_process("sleep 5")

        async def changed() -> bool:
            now = await lab.dataplane.agent_report("g1")
            assert now
            addresses = {each for interface in now.interfaces for each in interface.addresses}
            users = [user["userName"] for user in now.users]
            return now.hostname == "changed" and "10.99.0.1/24" in addresses and users == ["tester"]

        await eventually(changed, 3)
        process.close()


async def command_output_and_status_come_back(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    assert await lab.dataplane.run_inside("g1", ["sh", "-c", "echo out; echo err >&2; exit 7"]) == (7, b"out\nerr\n")
    assert (await lab.dataplane.run_inside("g1", ["no-such-program"]))[0] == 127
    status, output = await lab.dataplane.run_inside("g1", ["head", "-c", "300000", "/dev/zero"])
    assert (status, len(output)) == (0, 300_000)
    assert (await lab.dataplane.run_inside("g1", ["sh", "-c", "kill -9 $$"]))[0] == 137


async def interrupted_boot_leaves_nothing_that_hangs(lab: Lab) -> None:
    """Whenever a boot is given up, the guest is gone, its uid is free and the pod can carry another guest."""
    await lab.pod("p1", "node-1")
    spec = GuestSpec("g1", "g1", "g1", "", (GuestNic("default", pod_mac(1), "eth0", "masquerade"),))
    for milliseconds in (0, 1, 3, 5, 8, 10, 12, 15, 20):
        booting = asyncio.create_task(lab.dataplane.boot(spec, "p1"))
        await asyncio.wait({booting}, timeout=milliseconds / 1000)
        booting.cancel()
        await asyncio.wait({booting}, timeout=5)
        assert booting.done()
        await asyncio.wait_for(lab.dataplane.halt("g1"), 5)
    await lab.dataplane.boot(spec, "p1")
    await lab.ready("g1")
    rebooting = asyncio.create_task(lab.dataplane.reboot("g1"))
    await asyncio.wait({rebooting}, timeout=0.005)
    await asyncio.wait_for(lab.dataplane.halt("g1"), 5)
    await asyncio.wait({rebooting}, timeout=5)
    assert rebooting.done()
    assert isinstance(rebooting.exception(), DataPlaneError | None)
