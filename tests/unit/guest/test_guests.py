# SPDX-License-Identifier: Apache-2.0
"""The guests of a run: one session per way and VM, ended with the namespace; and the way that is taken instead."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livenad.api.history import ADDED, History
from livenad.api.kinds import VMI
from livenad.errors import LabError, TestError
from livenad.guest.guests import Guests
from livenad.guest.shells import CommandLost, CommandTimeout, FallbackShell, GuestUnreachable
from livenad.guest.watched_shell import WatchedShell
from livenad.identity.guest_identity import GuestIdentity
from livenad.identity.recorded_guests import RecordedGuests
from livenad.model import CommandResult, VmRecord
from livenad.ownership.naming import SuiteNamespace
from livenad.virtual_machines.registry import VirtualMachines

from tests.unit.support.topology import nic, three_guests, vm


@pytest.fixture
def records() -> dict[str, VmRecord]:
    return three_guests()


@pytest.fixture
def told() -> list[str]:
    """What the guests warned of."""
    return []


@pytest.fixture
def guests(records: dict[str, VmRecord], told: list[str]) -> Guests:
    nowhere, recorder = cast(Any, None), cast(Any, SimpleNamespace(history=History()))
    return Guests(nowhere, recorder, records.__getitem__, told.append)


def vmi(name: str, node: str, address: str | None) -> dict[str, object]:
    return {
        "metadata": {"name": name, "uid": name, "resourceVersion": "1"},
        "status": {"nodeName": node, "interfaces": [{"name": "default", "ipAddress": address}]},
    }


class StubShell:
    def __init__(self, name: str, works: bool = True) -> None:
        self.name = name
        self.works = works
        self.ran: list[str] = []
        self.closed = 0

    def prepare(self, timeout: float = 0) -> None:
        if not self.works:
            raise GuestUnreachable(f"{self.name} is dead")

    def run(self, command: str, timeout: float = 30, *, check: bool = True, repeatable: bool = False) -> CommandResult:
        self.prepare()
        self.ran.append(command)
        return CommandResult(command, 0, "", "", 0)

    def close(self) -> None:
        self.closed += 1


def test_shells_are_made_once_and_forgotten_when_the_namespace_closes(guests: Guests) -> None:
    shell = guests.shell("vm")
    assert guests.shell("vm") is shell
    assert guests.console("vm") is guests.console("vm")
    guests.close()
    assert guests.shell("vm") is not shell
    guests.close()


def test_guest_is_compared_with_what_was_recorded_of_it() -> None:
    recorded = RecordedGuests()
    with pytest.raises(TestError, match="guest vm was not recorded; call `Record Guest` before the change"):
        recorded["vm"]
    recorded.record("vm", GuestIdentity("boot", 1.0))
    assert recorded["vm"].identity.boot_id == "boot"
    assert recorded.boot_ids() == {"vm": "boot"}


def test_vm_without_pod_network_is_reached_by_its_console_only(guests: Guests, records: dict[str, VmRecord]) -> None:
    records["lonely"] = vm("lonely", nic("only", "old", 20, "10.10.0.20/24"))
    assert guests.shell("lonely").name == guests.console("lonely").name
    with pytest.raises(LabError, match="VM demo/lonely has no pod network, so no SSH; use via=console"):
        guests.ssh("lonely")
    guests.close()


def test_unknown_vm_is_a_test_error() -> None:
    vms = VirtualMachines(SuiteNamespace("demo"), "r12345", "tester")
    guests = Guests(cast(Any, None), cast(Any, None), vms.__getitem__, print)
    with pytest.raises(TestError, match=r'^TEST ERROR: VM "vm2" is not defined in this suite; defined: none'):
        guests.shell("vm2")


def test_node_and_pod_address_come_from_the_record(guests: Guests) -> None:
    assert guests.node_of("vm") is None
    with pytest.raises(LabError, match=r"shows no address on the pod network; it shows {}"):
        guests.pod_address("vm")
    guests.history.append(VMI, ADDED, vmi("vm", "node-1", "10.244.0.9"))
    assert (guests.node_of("vm"), guests.pod_address("vm")) == ("node-1", "10.244.0.9")


@pytest.mark.circumstance(
    "port-forward does not reach a guest, and its console does",
    topic="guest",
    sees="",
    verdict="PASS",
    source="https://github.com/kubevirt/kubevirt/issues/6987",
)
def test_console_serves_while_ssh_fails_and_the_fall_back_is_told() -> None:
    ssh, console, told = StubShell("ssh"), StubShell("console"), list[str]()
    shell = FallbackShell(ssh, console, told.append)
    shell.run("one")
    ssh.works = False
    shell.run("two")
    shell.run("three")
    assert (ssh.ran, console.ran) == (["one"], ["two", "three"])
    assert told == ["ssh is dead; going on with console"]
    console.works, ssh.works = False, True
    shell.run("four")
    assert ssh.ran == ["one", "four"]
    ssh.works = False
    with pytest.raises(GuestUnreachable, match="LAB ERROR: ssh is dead; console is dead"):
        shell.run("five")
    shell.close()
    assert (ssh.closed, console.closed) == (1, 1)


def test_guest_of_a_paused_vmi_is_not_tried(guests: Guests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livenad.guest.watched_shell._PATIENCE", 0.0)
    ssh = StubShell("ssh")
    guests._shells["vm", "ssh"] = ssh
    paused = vmi("vm", "node-1", None)
    why = {"type": "Paused", "status": "True", "reason": "PausedByUser", "message": "VMI was paused by user"}
    guests.history.append(VMI, ADDED, {**paused, "status": {"conditions": [why]}})
    told = "ssh: no command can be run, since the VMI is paused: Paused=True (PausedByUser: VMI was paused by user)"
    for attempt in (guests.shell("vm").prepare, lambda: guests.shell("vm").run("true")):
        with pytest.raises(GuestUnreachable, match=re.escape(told)):
            attempt()
    assert ssh.ran == []
    guests.close()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (GuestUnreachable("ssh is dead"), "LAB ERROR: ssh: no command can be run, since paused"),
        (CommandLost("it broke"), "LAB ERROR: it broke; paused"),
        (CommandTimeout("it did not end"), "LAB ERROR: it did not end; paused"),
    ],
)
def test_pause_that_came_meanwhile_explains_what_went_wrong(error: LabError, told: str) -> None:
    def fails(*_: object, **__: object) -> CommandResult:
        raise error

    ssh = StubShell("ssh")
    ssh.run = fails  # type: ignore[method-assign]
    reasons = iter(["", "paused", "", ""])
    shell = WatchedShell(ssh, lambda _: next(reasons))
    with pytest.raises(type(error), match=f"^{told}$"):
        shell.run("true")
    with pytest.raises(type(error), match=f"^{error}$"):
        shell.run("true")


def test_short_pause_is_waited_for(guests: Guests) -> None:
    """It ends by an event; nothing is asked of the guest before."""
    ssh = StubShell("ssh")
    guests._shells["vm", "ssh"] = ssh
    history = guests.history
    history.append(
        VMI, ADDED, {**vmi("vm", "n", None), "status": {"conditions": [{"type": "Paused", "status": "True"}]}}
    )
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(guests.shell("vm").run, "true")
        assert ssh.ran == []
        history.append(
            VMI, ADDED, {**vmi("vm", "n", None), "metadata": {"name": "vm", "uid": "vm", "resourceVersion": "2"}}
        )
        assert running.result(5).exit_code == 0
    assert ssh.ran == ["true"]
    guests.close()


def test_what_threads_warn_of_is_told_later(guests: Guests, told: list[str]) -> None:
    guests._warnings.put("ssh is dead")
    assert told == []
    guests.tell_warnings()
    assert told == ["ssh is dead"]


def test_guests_are_asked_for_their_tools_side_by_side_and_once(
    guests: Guests, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    all_at_once = threading.Barrier(3, timeout=5)

    def missing(shell: StubShell) -> list[str]:
        all_at_once.wait()
        asked.append(shell.name)
        return []

    monkeypatch.setattr(guests, "shell", StubShell)
    monkeypatch.setattr("livenad.guest.guests.missing_in", missing)
    names = ["vm", "old-peer", "new-peer"]
    guests.ask_for_tools([*names, "vm"])
    guests.ask_for_tools(names)
    assert sorted(asked) == sorted(names)
    assert [guests.missing_tools(name) for name in names] == [[], [], []]


def test_a_guest_that_cannot_be_asked_is_named(guests: Guests, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(shell: StubShell) -> list[str]:
        shell.works = shell.name != "old-peer"
        shell.prepare()
        return []

    monkeypatch.setattr(guests, "shell", StubShell)
    monkeypatch.setattr("livenad.guest.guests.missing_in", missing)
    with pytest.raises(GuestUnreachable, match="old-peer is dead"):
        guests.ask_for_tools(["vm", "old-peer"])
