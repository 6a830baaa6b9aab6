# SPDX-License-Identifier: Apache-2.0
"""Asks for the same verdicts over and over, and counts those that are not true."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

from KubeVirtLibrary.base import SESSION
from livenad.errors import LabError, ProductFault
from livenad.reachability.checks import check_reach, check_silence, watch_for_silence
from livenad.reachability.measurements import Measurements
from livenad.reachability.windows import Between
from robot.api import logger

UNREACHED_SECONDS = 2.0


class Verdicts:
    """Keywords of verdicts.robot. ``told``: seconds by name, and how many verdicts were wrong or undecided."""

    ROBOT_LIBRARY_SCOPE = "SUITE"

    def __init__(self) -> None:
        self.told: dict[str, list[float]] = {"reachable": [], "silent": [], "reachable after a link came up": []}
        self.asked = self.wrong = self.undecided = 0

    def ask_for_verdicts(self, vm: str, *, nic: str, old: str, new: str, window: float, times: int) -> None:
        """Each time: silent to the old peer, not silent to the new one, the new one reached thrice, the old one not."""
        measurements = _measurements()
        silent, heard = Between(vm, old, nic, new), Between(vm, new, nic, old)
        for _ in range(times):
            watch_for_silence(measurements, silent, window)
            ends = measurements.watches[silent].window.began + window
            watch_for_silence(measurements, heard, window)
            for _ in range(3):
                self._judge("reachable", None, lambda: check_reach(measurements, vm, new, nic=nic, within=20))
            self._judge(
                "", "not reached", lambda: check_reach(measurements, vm, old, nic=nic, within=UNREACHED_SECONDS)
            )
            self._judge("", None, lambda: check_silence(measurements, silent, window))
            self.told["silent"].append(time.monotonic() - ends)
            self._judge("", "answers came", lambda: check_silence(measurements, heard, window))

    def bring_link_up(self, vm: str, *, nic: str, peer: str, peer_nic: str, times: int) -> None:
        """The peer's link is down when the check begins; how long after it came up the check is done."""
        measurements = _measurements()
        guests = measurements.guests
        mac = guests.record(peer).nic(peer_nic).mac
        shell = guests.new_ssh(peer)
        interface = shell.run(f"ip -o link | grep -i {mac} | cut -d: -f2 | cut -d@ -f1", 10).stdout.strip()
        for number in range(times):
            shell.run(f"sudo ip link set {interface} down", 10)
            up: list[float] = []

            def lift(up: list[float] = up) -> None:
                up.append(time.monotonic())
                shell.run(f"sudo ip link set {interface} up", 10)

            timer = threading.Timer(1 + number % 5 / 10, lift)
            timer.start()
            self._judge("", None, lambda: check_reach(measurements, vm, peer, nic=nic, within=20))
            done = time.monotonic()
            timer.join()
            if up and up[0] < done:
                self.told["reachable after a link came up"].append(done - up[0])
            else:
                self.wrong += 1
        shell.close()

    def write_figures(self, path: str) -> None:
        counts = {"asked": self.asked, "wrong": self.wrong, "undecided": self.undecided}
        Path(path).write_text(json.dumps({"seconds": self.told, **counts}), encoding="utf-8")

    def _judge(self, name: str, fault: str | None, check: Callable[[], object]) -> None:
        """``fault`` is what the verdict must say, None where it must be a good one."""
        self.asked += 1
        began = time.monotonic()
        said: str | None = None
        try:
            check()
        except ProductFault as verdict:
            said = str(verdict)
        except LabError as error:
            self.undecided += 1
            logger.warn(f"undecided: {error}")
            return
        if name:
            self.told[name].append(time.monotonic() - began)
        if (said is None) != (fault is None) or (fault and fault not in str(said)):
            self.wrong += 1
            logger.warn(f"wrong: expected {fault or 'no fault'}, said {said}")


def _measurements() -> Measurements:
    assert SESSION.run is not None, "no cluster is open"
    return SESSION.run.require_suite().measurements
