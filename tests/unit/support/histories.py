# SPDX-License-Identifier: Apache-2.0
"""Histories replayed from recordings of a real control plane (``data/histories/``), altered where a test wants a fault.

The recordings hold one VM, ``vm1``, whose NIC ``net1`` is moved from ``nad-a`` to ``nad-b``; objects are trimmed to
what verdicts read.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from livenad.api.history import History
from livenad.api.kinds import EVENT, MIGRATION, POD, VM, VMI
from livenad.changes import Action, Change, NetworkChange, NicHotplug, NicSettingsChange, network_change
from livenad.model import Nic, VmRecord

from tests.unit.support.topology import LOGIN

DATA = Path(__file__).parents[1] / "data" / "histories"
KINDS = {kind.name: kind for kind in (VM, VMI, MIGRATION, POD, EVENT)}

EDITED = {
    "swap-main": 7.111,
    "swap-1.9.0": 12.45,
    "gate-off-1.8.4": 7.103,
    "edit-during-migration-main": 7.472,
    "failed-migration-main": 7.54,
    "revert-while-scheduling-main": 7.411,
    "revert-while-running-main": 7.719,
    "edit-of-starting-vm-main": 1.636,
    "edit-of-starting-vm-1.9.0": 1.674,
    "plug-in-place-main": 7.089,
    "eviction-during-swap-1.9.0": 8.291,
    "edit-during-evacuation-1.9.0": 8.865,
    "edit-during-evacuation-stuck-1.9.0": 12.404,
}
"""Seconds from the start of a recording to the edit."""

EVICTED = {
    "eviction-during-swap-1.9.0": 17.103,
    "edit-during-evacuation-1.9.0": 8.34,
    "edit-during-evacuation-stuck-1.9.0": 7.782,
}
"""The same to the eviction of the VM's launcher pod."""

Event = dict[str, Any]
Alteration = Callable[[list[Event]], Iterable[Event]]


def events(name: str) -> list[Event]:
    """The events of a recording, oldest first."""
    found = [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text().splitlines()]
    for event in found:
        event["object"]["metadata"]["resourceVersion"] += "000"  # room for `insert`
    return found


def replay(
    name: str, alter: Alteration | None = None, until: float = 1e9, *, requested: bool = False
) -> tuple[History, NetworkChange]:
    """A history as if the recording had just ended, and the change as it was recorded before the edit.

    ``requested``: the run requested a migration at that moment.
    """
    recorded = list(alter(events(name))) if alter else events(name)
    recorded = [event for event in recorded if event["t"] <= until]
    end = max(event["t"] for event in recorded)
    start = time.monotonic() - end
    now = start
    history = History(clock=lambda: now)
    change: NetworkChange | None = None
    for event in recorded:
        if change is None and event["t"] > EDITED[name]:
            change = edited(history, start + EDITED[name])
            if requested:
                history.expect_migration(change.vm)
        # Recorded times are of milliseconds: what is rounded is never just at a limit, whatever the clock adds to it.
        now = start + event["t"] + 1e-6
        history.append(KINDS[event["kind"]], event["type"], copy.deepcopy(event["object"]))
    return history, change or edited(history, start + EDITED[name])


def edited(history: History, at: float, network: str = "nad-b") -> NetworkChange:
    """The change of ``vm1``'s ``net1`` to a network, recorded now and edited at ``at``."""
    vmi = history.current(VMI, "vm1")
    assert vmi is not None
    record = VmRecord("vm1", vmi["metadata"]["namespace"], LOGIN, [])
    change = network_change(history, record, "net1", network)
    change.at = at
    return change


def evicted(name: str, alter: Alteration | None = None, until: float = 1e9) -> tuple[History, Change, NetworkChange]:
    """A history, the eviction as it was recorded before it, and the edit."""
    history, edit = replay(name, alter, until)
    earlier, _ = replay(name, alter, EVICTED[name])
    common = _common(edited(earlier, edit.at - EDITED[name] + EVICTED[name]), "evict", "its eviction")
    return history, Change(**common), edit


def restarted(change: NetworkChange, vmi_uid: str = "") -> Change:
    """A restart at the moment of a recording's edit, of the VMI that there was or of one that is given."""
    common = _common(change, "restart", "its restart")
    return Change(**(common | {"vmi_uid": vmi_uid or change.vmi_uid}))


def nic_settings(change: NetworkChange, network: str = "") -> NicSettingsChange:
    """An edit of the NIC's binding, and of its network where one is given, at the moment of a recording's edit."""
    return NicSettingsChange(
        **_common(change, "nic settings", "the edit"), nic=change.nic, binding="sriov", network=network
    )


PLUGGED_MAC = "02:71:32:6c:10:de"


def hotplugs(alter: Alteration | None = None, until: float = 1e9) -> tuple[History, NicHotplug, NicHotplug]:
    """A history and the two changes of it: net2 plugged into nad-c at 7.1 s, net1 unplugged at 37.1 s."""
    history, change = replay("plug-in-place-main", alter, until)
    absent = (one for one in history.records(VM, "vm1") if "absent" in str(one.object["spec"]))
    index, at = next(((one.index, one.at) for one in absent), (len(history), change.at))
    plug = _common(change, "hot-plug", "the hot-plug")
    unplug = _common(change, "hot-unplug", "the hot-unplug") | {"index": index, "at": at}
    return (
        history,
        NicHotplug(**plug, nic=Nic("net2", PLUGGED_MAC, "nad-c"), plugged=True),
        NicHotplug(**unplug, nic=Nic("net1", "02:00:00:00:00:01", "nad-a"), plugged=False),
    )


def _common(change: NetworkChange, action: Action, what: str) -> dict[str, Any]:
    return {one.name: getattr(change, one.name) for one in fields(Change)} | {"action": action, "what": what}


def insert(recorded: list[Event], at: float, kind: str, alter: Callable[[Event], None]) -> list[Event]:
    """The recording with one more state of the object of ``kind`` that was newest at ``at``, altered."""
    of_kind = [event for event in recorded if event["kind"] == kind]
    last = max((event for event in of_kind if event["t"] <= at), key=lambda item: item["t"], default=of_kind[0])
    extra = copy.deepcopy(last)
    extra["t"] = at
    extra["type"] = "MODIFIED"
    extra["object"]["metadata"]["resourceVersion"] = str(int(last["object"]["metadata"]["resourceVersion"]) + 1)
    alter(extra["object"])
    return sorted([*recorded, extra], key=lambda item: item["t"])


EVACUATION = {"kubevirt.io/evacuationMigration": "node1"}
AUTOMATIC = {"kubevirt.io/workloadUpdateMigration": ""}
OTHER_NODE = "node9"


def migrated_by_others(
    at: float, annotations: dict[str, str] = EVACUATION, *, manager: str = "", lasts: float = 9.0
) -> Alteration:
    """One more migration from ``at`` on, which moves the VM to `OTHER_NODE` within ``lasts`` seconds.

    As the recorded evacuations: nodeName changes, migrationState becomes that of this migration, and the pod on the
    other node has what the VMI's spec names.
    """

    def altered(recorded: list[Event]) -> Iterable[Event]:
        def rename(item: Event) -> None:
            item["metadata"] |= {"name": "other", "uid": "other", "annotations": annotations}
            item["metadata"]["managedFields"] = [{"manager": manager}] if manager else []

        def phase(name: str) -> Callable[[Event], None]:
            def alter(item: Event) -> None:
                rename(item)
                item["status"] = {"phase": name}

            return alter

        def arrive(item: Event) -> None:
            state = {"migrationUid": "other", "sourceNode": item["status"]["nodeName"], "targetNode": OTHER_NODE}
            item["status"] |= {"nodeName": OTHER_NODE, "migrationState": {**state, "completed": True}}

        def target(item: Event) -> None:
            item["metadata"] |= {"name": "virt-launcher-other", "uid": "pod-other"}
            item["spec"]["nodeName"] = OTHER_NODE
            item["status"]["phase"] = "Running"

        for moment, kind, alter in (
            (at, MIGRATION, phase("Pending")),
            (at + lasts / 2, MIGRATION, phase("Running")),
            (at + lasts / 2, POD, target),
            (at + lasts, VMI, arrive),
            (at + lasts, MIGRATION, phase("Succeeded")),
        ):
            recorded = insert(recorded, moment, kind.name, alter)
        for event in recorded:
            event["name"] = event["object"]["metadata"]["name"]
        return recorded

    return altered
