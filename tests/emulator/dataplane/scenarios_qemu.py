# SPDX-License-Identifier: Apache-2.0
"""The lifecycle of QEMU guests, with a program in QEMU's place that speaks its languages and runs no guest."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.model import GuestNic
from emulator.qemu.busybox import Image
from emulator.qemu.guest import QemuGuest
from emulator.qemu.machine import MachineError, Qemu
from tests.emulator.dataplane.lab import NEW, Lab, nic_mac

_MOVED = {"default": "eth0", "secondary": "net1"}
# Removed with the process.
_folders: list[tempfile.TemporaryDirectory[str]] = []


class FakeQemu:
    """What goes wrong with the machines of one scenario: ``start``, ``migrate``, ``unplug`` or nothing."""

    def __init__(self, lab: Lab, fault: str = "") -> None:
        _folders.append(tempfile.TemporaryDirectory(prefix="fake-qemu-"))
        self.program = Path(_folders[-1].name) / "qemu"
        self.break_by(fault)
        lab.dataplane._qemu_image = Image(Path("vmlinuz"), Path("initrd"), (), program=str(self.program))

    def break_by(self, fault: str) -> None:
        script = Path(__file__).with_name("fake_qemu.py")
        # A program that runs cannot be written to.
        fresh = self.program.with_suffix(".new")
        fresh.write_text(f'#!/bin/sh\nFAKE_QEMU={fault} exec {sys.executable} {script} "$@"\n', encoding="utf-8")
        fresh.chmod(0o755)
        fresh.replace(self.program)


def _guest(lab: Lab) -> QemuGuest:
    guest = lab.dataplane._guests["g1"]
    assert isinstance(guest, QemuGuest)
    return guest


def _machine(lab: Lab) -> Qemu:
    machine = _guest(lab)._machine
    assert machine
    return machine


async def _boot_id(lab: Lab) -> str:
    return await lab.run("g1", "cat", "/proc/sys/kernel/random/boot_id")


async def qemu_guest_boots_and_its_agent_reports(lab: Lab) -> None:
    FakeQemu(lab)
    await lab.guest(1, "node-1")
    report = await lab.ready("g1")
    assert report.hostname == "web"
    assert report.interfaces[1].mac == nic_mac(1)
    assert report.interfaces[1].addresses == ("10.0.0.1/24",)
    assert await lab.dataplane.run_inside("g1", ["false", "x"]) == (3, b"false x")


async def qemu_guest_migrates_into_another_process_with_its_memory(lab: Lab) -> None:
    FakeQemu(lab)
    await lab.guest(1, "node-1")
    before, left = await _boot_id(lab), _machine(lab).process_id
    console = await lab.dataplane.console("g1")
    await lab.pod("p2", "node-2", NEW)
    await lab.dataplane.move("g1", "p2", _MOVED)
    assert await _boot_id(lab) == before
    with pytest.raises(ProcessLookupError):
        os.kill(left, 0)
    assert not lab.dataplane.exited("g1").is_set()
    while await console.read():
        pass
    assert (await lab.ready("g1")).interfaces[1].mac == nic_mac(1)


async def qemu_guest_that_is_paused_arrives_paused(lab: Lab) -> None:
    FakeQemu(lab)
    await lab.guest(1, "node-1")
    await lab.dataplane.freeze("g1", True)
    await lab.pod("p2", "node-2", NEW)
    await lab.dataplane.move("g1", "p2", _MOVED)
    assert (await _machine(lab).ask("query-status"))["status"] == "paused"


async def qemu_migration_that_fails_leaves_the_guest_where_it_was(lab: Lab) -> None:
    fake = FakeQemu(lab)
    await lab.guest(1, "node-1")
    before = await _boot_id(lab)
    await lab.pod("p2", "node-2", NEW)
    for fault, told in (("migrate", "the migration failed"), ("start", "could not open the kernel")):
        fake.break_by(fault)
        with pytest.raises(DataPlaneError, match=told):
            await lab.dataplane.move("g1", "p2", _MOVED)
        assert await _boot_id(lab) == before
        assert _guest(lab).pod.uid == "p1"
    fake.break_by("")
    await lab.dataplane.move("g1", "p2", _MOVED)
    assert await _boot_id(lab) == before


async def qemu_that_does_not_start_says_why(lab: Lab) -> None:
    FakeQemu(lab, "start")
    with pytest.raises(DataPlaneError, match="could not open the kernel"):
        await lab.guest(1, "node-1")
    assert "g1" not in lab.dataplane._guests


async def qemu_guest_gets_and_gives_back_a_nic(lab: Lab) -> None:
    FakeQemu(lab)
    await lab.guest(1, "node-1")
    await lab.dataplane.attach("p1", "net2", NEW)
    await lab.dataplane.plug("g1", GuestNic("third", nic_mac(77), "net2"))
    macs = [nic["hardware-address"] for nic in await _machine(lab).agent("guest-network-get-interfaces")]
    assert macs[2] == nic_mac(77)
    slot = _machine(lab).slot_of("third")
    await lab.pod("p2", "node-2", NEW)
    await lab.dataplane.attach("p2", "net2", NEW)
    await lab.dataplane.move("g1", "p2", _MOVED | {"third": "net2"})
    assert _machine(lab).slot_of("third") == slot
    await lab.pod("p3", "node-1", NEW)
    await lab.dataplane.move("g1", "p3", _MOVED)
    assert _machine(lab).slot_of("third") == slot, "a machine with other devices cannot take the guest"
    with pytest.raises(DataPlaneError, match="has no NIC 'third'"):
        await lab.dataplane.set_link("g1", "third", False)
    await lab.pod("p4", "node-2", NEW)
    await lab.dataplane.attach("p4", "net2", NEW)
    await lab.dataplane.move("g1", "p4", _MOVED | {"third": "net2"})
    await lab.dataplane.unplug("g1", "third")
    with pytest.raises(DataPlaneError, match="has no NIC 'third'"):
        await lab.dataplane.unplug("g1", "third")


async def qemu_guest_that_keeps_a_nic_is_told(lab: Lab) -> None:
    FakeQemu(lab, "unplug")
    await lab.guest(1, "node-1")
    with pytest.raises(MachineError, match="did not give NIC secondary back within"):
        await _machine(lab).unplug("secondary", 0.3)


async def qemu_guest_whose_agent_falls_silent_reports_nothing(lab: Lab) -> None:
    FakeQemu(lab)
    await lab.guest(1, "node-1")
    await lab.dataplane.freeze("g1", True)
    _guest(lab)._report = None
    assert await lab.dataplane.agent_report("g1") is None


async def qemu_guest_pauses_reboots_and_is_shut_down(lab: Lab) -> None:
    FakeQemu(lab)
    await lab.guest(1, "node-1")
    before = await _boot_id(lab)
    await lab.dataplane.freeze("g1", True)
    assert await _machine(lab).agent("guest-ping", within=0.3) is None
    await lab.dataplane.freeze("g1", False)
    await lab.dataplane.reboot("g1")
    assert await _boot_id(lab) != before
    await lab.dataplane.kill_inside("g1")
    assert not lab.dataplane.exited("g1").is_set()
    assert await lab.dataplane.agent_report("g1") is None
    await lab.dataplane.reboot("g1")
    assert await _boot_id(lab)
    ended = lab.dataplane.exited("g1")
    await lab.dataplane.halt("g1", 5)
    assert ended.is_set()


async def qemu_that_dies_ends_the_guest(lab: Lab) -> None:
    FakeQemu(lab)
    await lab.guest(1, "node-1")
    os.kill(_machine(lab).process_id, 9)
    await lab.dataplane.exited("g1").wait()
    with pytest.raises(DataPlaneError, match="has ended"):
        await lab.dataplane.console("g1")
