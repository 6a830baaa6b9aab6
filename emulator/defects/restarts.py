# SPDX-License-Identifier: Apache-2.0
"""VMs that are stopped, started or restarted."""

from __future__ import annotations

from typing import Any

from ..controlplane import names
from ..controlplane.accessors import annotations_of, networks
from ..controlplane.network.evaluator import Need
from ..controlplane.vm.runstrategy import Action, asks_stop
from ..fault_points import Defect
from ..kube.client import Obj


class _FirstStart:
    """Remembers, by namespace and name, the first VMI of each VM and what its pod asked for."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], tuple[str, list[Obj]]] = {}

    def networks(self, wanted: list[Obj], *, vmi: Obj, migration: Obj | None, **_: Any) -> list[Obj]:
        uid, first = self._first.setdefault(_name(vmi), (vmi["metadata"]["uid"], wanted))
        return first if migration is None and uid != vmi["metadata"]["uid"] else wanted

    def content(self, need: Need, *, vmi: Obj, **_: Any) -> Need:
        """Without this the cluster would mend it by a migration."""
        uid, _networks = self._first.get(_name(vmi), (vmi["metadata"]["uid"], []))
        return need if uid == vmi["metadata"]["uid"] else Need.NONE


def _name(vmi: Obj) -> tuple[str, str]:
    return vmi["metadata"]["namespace"], vmi["metadata"]["name"]


_FIRST = _FirstStart()


RESTART_FORGETS_SWAP = Defect(
    name="restart-forgets-swap",
    sentence="A VM that is restarted after a swap starts on the network that it was first started with.",
    rows=("R44", "R8"),
    point="pod.networks",
    change=_FIRST.networks,
    also=(("vmi.migration_required", _FIRST.content),),
)


def _not_on_request(action: Action, *, vm: Obj, vmi: Obj | None, **_: Any) -> Action:
    asked = vmi is not None and asks_stop(vm, vmi)
    return Action.NONE if action is Action.STOP and asked else action


RESTART_IGNORED = Defect(
    name="restart-ignored",
    sentence="A restart that the owner asks for is accepted and never carried out.",
    rows=("R44", "R8"),
    point="vm.action",
    change=_not_on_request,
)


def _of_an_edited_vm(need: Need, *, vmi: Obj, pod: Obj, **_: Any) -> Need:
    edited = annotations_of(vmi).get(names.VM_GENERATION, "1") != "1"
    return Need.IMMEDIATE if edited and names.MIGRATION_JOB_UID not in pod["metadata"].get("labels", {}) else need


STOPPED_EDIT_LEAVES_MIGRATION = Defect(
    name="stopped-edit-leaves-migration",
    sentence="A VM that was edited while it was stopped is migrated after its start, though it is on its network.",
    rows=("R41",),
    point="vmi.migration_required",
    change=_of_an_edited_vm,
)


class _StoppedEditLost:
    """Remembers, by namespace and name, what the first pod of each VM asked for."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], list[Obj]] = {}

    def networks(self, wanted: list[Obj], *, vmi: Obj, migration: Obj | None, **_: Any) -> list[Obj]:
        first = self._first.setdefault((vmi["metadata"]["namespace"], vmi["metadata"]["name"]), wanted)
        return first if migration is None else wanted


def _content(_need: Need, **_: Any) -> Need:
    """Without this the cluster would mend it by a migration."""
    return Need.NONE


_START = _StoppedEditLost()


STOPPED_EDIT_LOST = Defect(
    name="stopped-edit-lost",
    sentence="A stopped VM starts on the network that it had when it was started before, not on that of its spec.",
    rows=("R41",),
    point="pod.networks",
    change=_START.networks,
    also=(("vmi.migration_required", _content),),
)


def _stop_if_edited(action: Action, *, vm: Obj, vmi: Obj | None, **_: Any) -> Action:
    if action is not Action.NONE or vmi is None or vmi.get("status", {}).get("phase") != "Running":
        return action
    return Action.STOP if networks(vm["spec"]["template"]["spec"]) != networks(vmi["spec"]) else action


VM_RESTARTED_BY_EDIT = Defect(
    name="vm-restarted-by-edit",
    sentence="The edit restarts the VM: a new VMI boots on the new network.",
    rows=("R2", "R19"),
    point="vm.action",
    change=_stop_if_edited,
)
