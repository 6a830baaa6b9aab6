# SPDX-License-Identifier: Apache-2.0
"""A library for the suites beside it: lets the project's own keywords judge a recording, or guests of paper."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from ipaddress import ip_interface
from typing import Any

from KubeVirtLibrary.base import SESSION
from livenad.api.history import ADDED, History
from livenad.api.kinds import MIGRATION, NAD, POD, VM, VMI
from livenad.cluster.environment import Measured
from livenad.context import SuiteContext
from livenad.guest.shells import GuestUnreachable
from livenad.identity.guest_identity import parse_identity
from livenad.reachability import probes, windows
from livenad.reachability.measurements import Measurements
from robot.api.deco import keyword, library

from tests.unit.support.histories import EDITED, Alteration, Event, insert
from tests.unit.support.open_suite import open_replay, open_run, open_suite
from tests.unit.support.paper import NEW, OLD, PaperGuests, swapped
from tests.unit.support.paper import VM as TESTED
from tests.unit.support.topology import three_guests

RECORDING = "swap-main"
IDENTITY = """\
boot {boot}
uptime {uptime}
link net1 02:00:00:00:00:02 {mtu} up 1
addr 2: net1    inet {address} brd 10.10.0.255 scope global net1
route4 10.10.0.0/24 dev net1 proto kernel scope link src 10.10.0.10
"""


def _condition(name: str) -> Callable[[Event], None]:
    def alter(item: Event) -> None:
        item["status"].setdefault("conditions", []).append({"type": name, "status": "True", "reason": "Changed"})

    return alter


def _restart_blinks(recorded: list[Event]) -> list[Event]:
    at = EDITED[RECORDING] + 1
    changed = insert(recorded, at, VM.name, _condition("RestartRequired"))
    return insert(changed, at + 0.5, VM.name, lambda item: item["status"]["conditions"].pop())


def _pod_on_old_network(recorded: list[Event]) -> list[Event]:
    for event in recorded:
        if event["kind"] == POD.name:
            notes = event["object"]["metadata"]["annotations"]
            notes.update({key: text.replace("nad-b", "nad-a") for key, text in notes.items()})
    return recorded


def _vmi_is_replaced(recorded: list[Event]) -> list[Event]:
    for event in [event for event in recorded if event["kind"] == VMI.name][-2:]:
        event["object"]["metadata"]["uid"] = "another-uid"
    return recorded


def _mac_changes(recorded: list[Event]) -> list[Event]:
    def alter(item: Event) -> None:
        for interface in item["status"]["interfaces"]:
            if interface["name"] == "net1":
                interface["mac"] = "02:00:00:00:00:99"

    return insert(recorded, recorded[-1]["t"], VMI.name, alter)


def _no_migration(recorded: list[Event]) -> Iterable[Event]:
    return [event for event in recorded if event["t"] < EDITED[RECORDING] + 3 and event["kind"] != MIGRATION.name]


CHANGES: dict[str, Alteration] = {
    "RestartRequired blinks": _restart_blinks,
    "pods stay on the old network": _pod_on_old_network,
    "the VMI is replaced": _vmi_is_replaced,
    "the MAC changes": _mac_changes,
    "no migration": _no_migration,
}

ANSWERS: dict[str, Callable[[str, str], bool]] = {
    "as after a good swap": swapped,
    "as if nothing had moved": lambda source, target: (
        {source, target}.isdisjoint({"new-peer", NEW}) or not {source, target} & {"vm", TESTED}
    ),
    "on both networks": lambda *_: True,
    "the vm is cut off": lambda source, target: source != "vm" and target != TESTED,
    "the old peer is dead": lambda source, target: source != "old-peer" and target not in (OLD, "10.11.0.11"),
}


@library(scope="GLOBAL")
class scripted:  # noqa: N801 (Robot finds a library by the name of its file)
    """Each keyword replaces the run that another one made."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        self.ROBOT_LIBRARY_LISTENER = self
        # Paper needs no time: a window is told at once, so its beginning is put back accordingly.
        for module in (probes, windows):
            vars(module)["window_began"] = lambda: time.monotonic() - 5.0

    def end_suite(self, *_: object) -> None:
        """There is nothing to be closed."""
        SESSION.run = None

    @keyword
    def replay(self, recording: str = RECORDING, *, but: str = "") -> None:
        """The run is at the end of a recording of ``vm1``, whose NIC ``net1`` was moved from nad-a to nad-b."""
        suite = open_replay(recording, CHANGES[but] if but else None)
        nad = {"metadata": {"name": "nad-b", "uid": "nad-b", "resourceVersion": "1"}}
        suite.recorder.history.append(NAD, ADDED, nad)

    @keyword
    def guests(self, answers: str, *, unreachable: str = "") -> None:
        """Guests of paper on the networks of the P0 suite; ``unreachable`` is one that gives no shell."""
        suite = open_suite("demo", History(), three_guests())
        errors = {unreachable.replace("-", "_"): GuestUnreachable(f"guest demo/{unreachable} over SSH: no session")}
        paper: Any = PaperGuests(ANSWERS[answers], **(errors if unreachable else {}))
        paper.tell_warnings = suite.guests.tell_warnings
        suite.guests, suite.measurements = paper, Measurements(paper)

    @keyword
    def guest_was(self, *, boot: str = "b00f", uptime: float = 100.0, mtu: int = 1500) -> None:
        """What was recorded of guest ``vm`` a moment ago."""
        identity = parse_identity(self._identity(boot, uptime, mtu, "10.10.0.10/24"), "vm")
        self._open.recorded_guests.record("vm", identity)

    @keyword
    def guest_is(
        self, *, boot: str = "b00f", uptime: float = 101.0, mtu: int = 1500, address: str = "10.10.0.10/24"
    ) -> None:
        """What guest ``vm`` says of itself now."""
        shell: Any = self._open.guests.shell("vm")
        shell.identity = self._identity(boot, uptime, mtu, address)

    @keyword
    def cluster_lacks(self, capability: str, measured: str) -> None:
        """The run has measured that a capability is not there."""
        assert SESSION.run is not None
        SESSION.run.capabilities.known[capability] = Measured(False, measured)

    @keyword
    def no_namespace_is_open(self) -> None:
        """There is a run on a cluster, and nothing more."""
        open_run()

    @property
    def _open(self) -> SuiteContext:
        assert SESSION.run is not None
        return SESSION.run.require_suite()

    @staticmethod
    def _identity(boot: str, uptime: float, mtu: int, address: str) -> str:
        ip_interface(address)
        return IDENTITY.format(boot=boot, uptime=uptime, mtu=mtu, address=address)
