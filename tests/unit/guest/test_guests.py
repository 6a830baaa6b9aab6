"""The guests of a run: one session per way and VM, ended with the namespace; and the way that is taken instead."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import cast

import pytest
from livenad.api.history import ADDED, History
from livenad.api.kinds import VMI
from livenad.context import Run
from livenad.errors import BadInput, LabError
from livenad.guest.guests import Guests
from livenad.guest.shells import CommandLost, CommandTimeout, FallbackShell, GuestUnreachable
from livenad.guest.watched_shell import WatchedShell
from livenad.identity.guest_identity import GuestIdentity
from livenad.model import CommandResult
from livenad.ownership.created_resources import Ledger
from livenad.settings import Settings

from tests.unit.support.topology import nic, three_guests, vm


@pytest.fixture
def run() -> Run:
    one = Run(Settings(), cast("object", None), cast(Ledger, None), "r12345")  # type: ignore[arg-type]
    one.vms.update(three_guests())
    one.namespace = "demo"
    one.recorder = SimpleNamespace(history=History())  # type: ignore[assignment]
    return one


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


def test_shells_are_made_once_and_forgotten_when_the_namespace_closes(run: Run) -> None:
    guests = Guests.of(run, print)
    assert Guests.of(run, print) is guests
    shell = guests.shell("vm")
    assert guests.shell("vm") is shell
    assert guests.console("vm") is guests.console("vm")
    guests.remember("vm", GuestIdentity("boot", 1.0))
    assert guests.recall("vm").identity.boot_id == "boot"
    assert run.call_close_hooks() == []
    assert guests.shell("vm") is not shell
    with pytest.raises(LabError, match="guest vm was not remembered; call `Remember Guest` before the act"):
        guests.recall("vm")
    guests.close()


def test_vm_without_pod_network_is_reached_by_its_console_only(run: Run) -> None:
    run.vms["lonely"] = vm("lonely", nic("only", "old", 20, "10.10.0.20/24"))
    guests = Guests.of(run, print)
    assert guests.shell("lonely").name == guests.console("lonely").name
    with pytest.raises(LabError, match="VM demo/lonely has no pod network, so no SSH; use via=console"):
        guests.ssh("lonely")
    guests.close()


def test_unknown_vm_is_bad_input(run: Run) -> None:
    with pytest.raises(BadInput, match='VM "nobody" is not defined'):
        Guests.of(run, print).shell("nobody")


def test_node_and_pod_address_come_from_the_record(run: Run) -> None:
    guests = Guests.of(run, print)
    assert guests.node_of("vm") is None
    with pytest.raises(LabError, match=r"shows no address on the pod network; it shows {}"):
        guests.pod_address("vm")
    assert run.recorder is not None
    run.recorder.history.append(VMI, ADDED, vmi("vm", "node-1", "10.244.0.9"))
    assert (guests.node_of("vm"), guests.pod_address("vm")) == ("node-1", "10.244.0.9")


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


def test_guest_of_a_paused_vmi_is_not_tried(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livenad.guest.watched_shell._PATIENCE", 0.0)
    guests = Guests.of(run, print)
    ssh = StubShell("ssh")
    guests._shells["vm", "ssh"] = ssh
    assert run.recorder is not None
    paused = vmi("vm", "node-1", None)
    why = {"type": "Paused", "status": "True", "reason": "PausedByUser", "message": "VMI was paused by user"}
    run.recorder.history.append(VMI, ADDED, {**paused, "status": {"conditions": [why]}})
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


def test_short_pause_is_waited_for(run: Run) -> None:
    """It ends by an event; nothing is asked of the guest before."""
    guests = Guests.of(run, print)
    ssh = StubShell("ssh")
    guests._shells["vm", "ssh"] = ssh
    assert run.recorder is not None
    history = run.recorder.history
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


def test_what_threads_warn_of_is_told_later(run: Run) -> None:
    told: list[str] = []
    guests = Guests.of(run, told.append)
    guests._warnings.put("ssh is dead")
    assert told == []
    Guests.of(run, told.append)
    assert told == ["ssh is dead"]
