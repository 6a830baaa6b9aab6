# SPDX-License-Identifier: Apache-2.0
"""Guests of paper: shells that answer as they are told, without a machine behind them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import cast

from livenad.api.history import History
from livenad.errors import LabError
from livenad.guest.shells import GuestUnreachable
from livenad.model import CommandResult
from livenad.reachability import probes
from livenad.reachability.measurements import Measurements
from livenad.verdict_log import VerdictLog

from tests.unit.support.topology import three_guests

Answers = Callable[[str, str], bool]
VM, OLD, NEW = "10.10.0.10", "10.10.0.11", "10.10.0.12"


def swapped(source: str, target: str) -> bool:
    """The world after a good swap: the VM is on the new network, everything lives."""
    return not ({source, target} >= {"vm", OLD} or (source == "old-peer" and target == VM))


class PaperShell:
    """Answers the probe script by asking ``answers(source guest, target address)`` for each of its streams.

    ``identity`` is what it answers when it is asked who it is, ``state`` when it is asked for its whole state.
    """

    def __init__(self, guest: str, answers: Answers, error: LabError | None = None) -> None:
        self.identity = ""
        self.state = "boot_id\tb00f\ninterface[net1].mtu\t1500\nuptime\t100.00\n"
        self.name = f"guest demo/{guest}"
        self._guest = guest
        self._answers = answers
        self._error = error
        self._script = ""

    def prepare(self, timeout: float = 0) -> None:
        if isinstance(self._error, GuestUnreachable):
            raise self._error

    def run(self, command: str, timeout: float = 30, *, check: bool = True, repeatable: bool = False) -> CommandResult:
        if self._error:
            raise self._error
        if "# start of probes" in command:
            self._script = command
            return CommandResult(command, 0, "", "", 0)
        if "# result of probes that go on" in command:
            return CommandResult(command, 0, self._samples(self._script, 5.0), "", 0)
        if "# identity of the guest" in command:
            return CommandResult(command, 0, self.identity, "", 0)
        if "# whole state of the guest" in command:
            return CommandResult(command, 0, self.state, "", 0)
        if "# process that must live" in command:
            return CommandResult(command, 0, "77\n", "", 0)
        return CommandResult(command, 0, self._samples(command, 0.5), "", 0)

    def close(self) -> None:
        pass

    def _samples(self, script: str, seconds: float) -> str:
        lines = ["B 100.00"]
        for line in re.findall(r"^stream .*&$", script.replace("'\"'\"'", ""), re.MULTILINE):
            number, _, _, _, target, pause = shlex.split(line)[1:7]
            at = 100.0
            while at < 100 + seconds:
                lines.append(f"A {number} {at:.2f}")
                if self._answers(self._guest, target):
                    lines.append(f"S {number} {at:.2f} {at:.2f} 0")
                at += float(pause)
        return "\n".join([*lines, f"U {100 + seconds:.2f}", f"N {100 + seconds:.2f}"])


class PaperGuests:
    """The guests of the P0 topology; only what the checks ask for."""

    def __init__(self, answers: Answers, **errors: LabError) -> None:
        self._records = three_guests()
        self._shells = {name: PaperShell(name, answers, errors.get(name.replace("-", "_"))) for name in self._records}
        self.guests = self
        self.measured: list[probes.ProbeRun] = []
        self.watches: dict[object, object] = {}
        self.streams: dict[object, object] = {}
        self.verdicts = VerdictLog(History())
        self.keep = self.measured.append
        self.record = self._records.__getitem__
        self.shell = self._shells.__getitem__
        self.console = self._shells.__getitem__
        self.new_ssh = self._shells.__getitem__

    def node_of(self, name: str) -> str:
        return "node-2"

    def missing_tools(self, name: str) -> list[str]:
        return []

    def pod_address(self, name: str) -> str:
        return {"vm": "10.244.0.1", "old-peer": "10.244.0.2", "new-peer": "10.244.0.3"}[name]


def guests(answers: Answers, **errors: LabError) -> Measurements:
    return cast(Measurements, PaperGuests(answers, **errors))
