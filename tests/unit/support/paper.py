# SPDX-License-Identifier: Apache-2.0
"""Guests of paper: shells that answer as they are told, without a machine behind them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable
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
    ``network`` are the other guests by name, whose frames to everybody it hears, ``macs`` those of all addresses, and
    ``own`` its addresses. ``lets(kind, source guest, target address)`` can keep back a kind of traffic.
    """

    def __init__(self, guest: str, answers: Answers, error: LabError | None = None) -> None:
        self.identity = ""
        self.state = "boot_id\tb00f\ninterface[net1].mtu\t1500\nuptime\t100.00\n"
        self.name = f"guest demo/{guest}"
        self._guest = guest
        self._answers = answers
        self._error = error
        self._script = ""
        self.network: dict[str, PaperShell] = {}
        self.macs: dict[str, str] = {}
        self.own: set[str] = set()
        self.lets: Callable[[str, str, str], bool] = lambda *_: True

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
        # Until guests are reached they answer frames to everybody; in a window they tell what they hear.
        heard = () if '"one_by_one": true' in script else ("broadcast", "multicast")
        for number, kind, target, pause in self._probes(script):
            for at in _times(seconds, pause):
                lines.append(f"A {number} {at:.2f}")
                if kind not in heard and self._carries(kind, target):
                    lines.append(f"S {number} {at:.2f} {at:.2f} 0")
        for sender in self.network.values():
            for number, kind, target, pause in sender._probes(sender._script):
                if target in self.own and kind in heard and sender._carries(kind, target):
                    mac = self.macs[target]
                    lines += [f"H {sender._guest} {number} {at:.2f} {at:.2f} {mac}" for at in _times(seconds, pause)]
        return "\n".join([*lines, f"U {100 + seconds:.2f}", f"N {100 + seconds:.2f}"])

    def _carries(self, kind: str, target: str) -> bool:
        return self._answers(self._guest, target) and self.lets(kind, self._guest, target)

    @staticmethod
    def _probes(script: str) -> list[tuple[int, str, str, float]]:
        """Number, kind, target and pause of each probe of a script."""
        text = script.replace("'\"'\"'", "")
        found = []
        for line in re.findall(r"^stream .*&$", text, re.MULTILINE):
            number, kind, _, _, target, pause = shlex.split(line)[1:7]
            found.append((int(number), kind, target, float(pause)))
        for order in re.findall(r'\{"probes": .*?\}', text):
            found += [(one[0], one[1], one[4], one[5]) for one in json.loads(order)["probes"]]
        return found


def _times(seconds: float, pause: float) -> list[float]:
    return [100.0 + number * pause for number in range(int(seconds / pause + 0.999))]


class PaperGuests:
    """The guests of the P0 topology; only what the checks ask for."""

    def __init__(self, answers: Answers, **errors: LabError) -> None:
        self._records = three_guests()
        self._shells = {name: PaperShell(name, answers, errors.get(name.replace("-", "_"))) for name in self._records}
        for name, shell in self._shells.items():
            shell.network = {other: one for other, one in self._shells.items() if other != name}
            nics = [nic for record in self._records.values() for nic in record.nics]
            shell.own = {str(one.ip) for nic in self._records[name].nics for one in nic.addresses}
            shell.macs = {str(address.ip): nic.mac.lower() for nic in nics for address in nic.addresses}
        self.guests = self
        self.unobservable: dict[str, str] = {}
        self.on_pod_network: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
        self.pod_times: dict[tuple[str, str], dict[str, float]] = {}
        self.times: dict[tuple[str, str, str, bool, int], float] = {}
        self.rates: dict[tuple[str, str, bool, int], float] = {}
        self.measured: list[probes.ProbeRun] = []
        self.watches: dict[object, object] = {}
        self.streams: dict[object, object] = {}
        self.verdicts = VerdictLog(History())
        self.keep = self.measured.append
        self.record = self._records.__getitem__
        self.shell = self._shells.__getitem__
        self.console = self._shells.__getitem__
        self.new_ssh = self._shells.__getitem__

    def let(self, lets: Callable[[str, str, str], bool]) -> None:
        """Keep back kinds of traffic for which this is False, by kind, source guest and target address."""
        for shell in self._shells.values():
            shell.lets = lets

    def node_of(self, name: str) -> str:
        return "node-2"

    def missing_tools(self, name: str) -> list[str]:
        return []

    def ask_for_tools(self, names: Iterable[str]) -> None:
        """They lack nothing."""

    def pod_address(self, name: str) -> str:
        return {"vm": "10.244.0.1", "old-peer": "10.244.0.2", "new-peer": "10.244.0.3"}[name]


def guests(answers: Answers, **errors: LabError) -> Measurements:
    return cast(Measurements, PaperGuests(answers, **errors))
