# SPDX-License-Identifier: Apache-2.0
"""`Run In Guest`: by which way, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from livenad.api.history import History
from livenad.errors import LabError, TestError
from livenad.model import CommandResult

from tests.unit.libraries.conftest import Call
from tests.unit.libraries.conftest import open_suite as suite_now
from tests.unit.support.open_suite import open_suite
from tests.unit.support.topology import nic, three_guests, vm


class EchoShell:
    """Says what it was asked, and that it failed where it was not to be checked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[tuple[str, float]] = []

    def prepare(self, timeout: float = 0) -> None:
        pass

    def run(self, command: str, timeout: float = 30, *, check: bool = True, repeatable: bool = False) -> CommandResult:
        self.asked.append((command, timeout))
        if check and command == "false":
            raise LabError(f"{self.name}: status 1")
        return CommandResult(command, int(command == "false"), self.name, "", 0.1)

    def close(self) -> None:
        pass


@pytest.fixture
def call(keywords: Call) -> Call:
    """Calls keywords for "vm", which has a pod network, and "lonely", which has none."""
    records = {**three_guests(), "lonely": vm("lonely", nic("only", "old", 20, "10.10.0.20/24"))}
    guests = open_suite("demo", History(), records).guests
    for name in ("vm", "lonely"):
        guests._shells[name, "ssh"] = EchoShell(f"ssh of {name}")
        guests._shells[name, "console"] = EchoShell(f"console of {name}")
    return keywords


def said(call: Call) -> Callable[..., str]:
    return lambda *subjects, **named: str(call("Run In Guest", *subjects, **named).stdout)


def test_way_is_ssh_where_there_is_a_pod_network_unless_one_is_chosen(call: Call) -> None:
    assert said(call)("vm", "true") == "ssh of vm"
    assert said(call)("lonely", "true") == "console of lonely"
    assert said(call)("vm", "true", via="console") == "console of vm"
    assert said(call)("lonely", "true", via="ssh") == "ssh of lonely"


def test_status_is_checked_unless_it_is_not_to_be(call: Call) -> None:
    with pytest.raises(LabError, match="status 1"):
        call("Run In Guest", "vm", "false")
    assert call("Run In Guest", "vm", "false", check=False, timeout=timedelta(seconds=7)).exit_code == 1
    shell = suite_now().guests.ssh("vm")
    assert isinstance(shell, EchoShell)
    assert [command for command, _ in shell.asked] == ["false", "false"]


def test_unknown_vm_lists_those_there_are(call: Call) -> None:
    with pytest.raises(TestError, match='VM "wm" is not defined in this suite; defined: vm, old-peer'):
        call("Run In Guest", "wm", "true")


def test_guests_of_no_namespace_are_a_test_error(connect: Callable[..., Call]) -> None:
    with pytest.raises(TestError, match="no test namespace is open; call `Open Test Namespace` first"):
        connect()("Run In Guest", "vm", "true")
