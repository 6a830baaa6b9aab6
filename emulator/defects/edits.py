# SPDX-License-Identifier: Apache-2.0
"""Edits are lost, or do more than they should."""

from __future__ import annotations

from typing import Any

from ..apiserver.admission import AdmissionRequest
from ..controlplane import names
from ..controlplane.accessors import by_name, interfaces, is_deleting, is_migratable, migration_state, networks, phase
from ..controlplane.admission.networks import BINDINGS
from ..controlplane.network.evaluator import Need, migration_need
from ..controlplane.settings import Settings
from ..fault_points import Defect
from ..kube import conditions
from ..kube.client import Obj


def _where_bindings_differ(_copy: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
    wanted, has = (by_name(interfaces(spec)) for spec in (vm["spec"]["template"]["spec"], vmi["spec"]))
    return any(
        binding in wanted.get(name, card) and binding not in card for name, card in has.items() for binding in BINDINGS
    )


BINDING_APPLIED_LIVE = Defect(
    name="binding-applied-live",
    sentence="A change of a NIC's binding is written to the running VMI and asks for no restart.",
    rows=("R11",),
    point="vm.copy_interfaces",
    change=_where_bindings_differ,
)


def _no(_answer: bool, **_: Any) -> bool:
    return False


EDIT_IGNORED = Defect(
    name="edit-ignored",
    sentence="The edit of a running VM is accepted and nothing comes of it: no migration, no condition.",
    rows=("R1", "R2", "R9"),
    point="vm.copy_nad",
    change=_no,
    also=(("vm.restart_required", _no),),
)


def _yes(_answer: bool, **_: Any) -> bool:
    return True


def _by_content(_need: Need, *, vmi: Obj, pod: Obj, **_: Any) -> Need:
    return migration_need(vmi, pod, live_updates_nad=True)


GATE_OFF_GOES_LIVE = Defect(
    name="gate-off-goes-live",
    sentence="The edit goes live although the feature gate is off.",
    rows=("R7",),
    point="vm.copy_nad",
    change=_yes,
    also=(("vm.restart_required", _no), ("vmi.migration_required", _by_content)),
)


class _Busy:
    """Takes no edit over while a migration is under way, and forgets what it missed."""

    def __init__(self) -> None:
        self._missed: set[tuple[str, int]] = set()

    def __call__(self, copies: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        state = migration_state(vmi)
        edit = (vm["metadata"]["uid"], vm["metadata"]["generation"])
        differs = networks(vm["spec"]["template"]["spec"]) != networks(vmi["spec"])
        if differs and state.get("migrationUid") and not state.get("completed"):
            self._missed.add(edit)
        return copies and edit not in self._missed


LAST_EDIT_LOST = Defect(
    name="last-edit-lost",
    sentence="An edit that is made while the VM is being migrated never reaches the running VM.",
    rows=("R40",),
    point="vm.copy_nad",
    change=_Busy(),
)


_written: set[tuple[str, str]] = set()


def _remember(nothing: None, *, request: AdmissionRequest, **_: Any) -> None:
    old, new = request.old, request.new
    if old and new and networks(old["spec"]["template"]["spec"]) == networks(new["spec"]["template"]["spec"]):
        _written.add((request.namespace, request.name))
    return nothing


def _and_the_written(candidates: list[Obj], *, vmis: list[Obj], **_: Any) -> list[Obj]:
    """Each once: a migration of a VMI that does not ask for one is soon aborted, and would be made for ever."""
    again = []
    for vmi in vmis:
        key = (vmi["metadata"]["namespace"], vmi["metadata"]["name"])
        if key in _written and vmi not in candidates and phase(vmi) == "Running" and not is_deleting(vmi):
            _written.discard(key)
            again.append(vmi)
    return [*candidates, *again]


NO_OP_EDIT_MIGRATES = Defect(
    name="no-op-edit-migrates",
    sentence="A VM that its owner writes with the networks that it has is taken for an edited one and migrated.",
    rows=("R39",),
    point="admission.vm_written",
    change=_remember,
    also=(("updater.candidates", _and_the_written),),
)


JOB = "kubevirt.io/migrationJobUID"


def _by_text(need: Need, *, vmi: Obj, pod: Obj, **_: Any) -> Need:
    """The pod of a migration ends it, or it would go on for ever."""
    names = [str((network.get("multus") or {}).get("networkName", "")) for network in networks(vmi["spec"])]
    if JOB not in pod["metadata"].get("labels", {}) and any("/" in name for name in names):
        return Need.IMMEDIATE
    return need


QUALIFIED_NAME_MIGRATES = Defect(
    name="qualified-name-migrates",
    sentence="Names of NADs are compared as text, so the same NAD in its qualified form is taken for another network.",
    rows=("R47",),
    point="vmi.migration_required",
    change=_by_text,
)


class _Deaf:
    """Takes no edit over while a migration is required, and never again in a VMI whose edit was missed."""

    def __init__(self) -> None:
        self._missed: set[str] = set()

    def __call__(self, copies: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        differs = networks(vm["spec"]["template"]["spec"]) != networks(vmi["spec"])
        if differs and conditions.is_true(vmi, names.MIGRATION_REQUIRED):
            self._missed.add(vmi["metadata"]["uid"])
        return copies and vmi["metadata"]["uid"] not in self._missed


REVERT_COMES_TOO_LATE = Defect(
    name="revert-comes-too-late",
    sentence="An edit that is made while a migration is required is missed: a revert does not cancel it.",
    rows=("R42",),
    point="vm.copy_nad",
    change=_Deaf(),
)


def _not_under_stage(answer: bool, *, settings: Settings, **_: Any) -> bool:
    return answer and settings.rollout_live_update


def _asks_for_restart(required: bool, *, vm: Obj, vmi: Obj, settings: Settings, **_: Any) -> bool:
    wanted = networks(vm["spec"]["template"]["spec"])
    return required or (not settings.rollout_live_update and wanted != networks(vmi["spec"]))


STAGE_HOLDS_SWAP_BACK = Defect(
    name="stage-holds-swap-back",
    sentence="Under vmRolloutStrategy Stage an edit of the network waits for a restart, like other live updates.",
    rows=("R46",),
    point="vm.copy_nad",
    change=_not_under_stage,
    also=(("vm.restart_required", _asks_for_restart),),
)


class _NotYet:
    """Takes no edit over that was made before the VMI could be migrated, not even when it can."""

    def __init__(self) -> None:
        self._missed: set[tuple[str, int]] = set()

    def __call__(self, copies: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        edit = (vmi["metadata"]["uid"], vm["metadata"]["generation"])
        differs = networks(vm["spec"]["template"]["spec"]) != networks(vmi["spec"])
        if differs and not is_migratable(vmi):
            self._missed.add(edit)
        return copies and edit not in self._missed


STARTING_VM_EDIT_LOST = Defect(
    name="starting-vm-edit-lost",
    sentence="An edit that is made while the VM is still starting never reaches the running VM.",
    rows=("R48",),
    point="vm.copy_nad",
    change=_NotYet(),
)


class _StartSpec:
    """Remembers the networks that each VMI was started with."""

    def __init__(self) -> None:
        self._first: dict[str, list[Obj]] = {}

    def __call__(self, copies: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        first = self._first.setdefault(vmi["metadata"]["uid"], networks(vmi["spec"]))
        wanted = networks(vm["spec"]["template"]["spec"])
        return copies and [network.get("multus") for network in wanted] != [net.get("multus") for net in first]


WAY_BACK_IS_NO_CHANGE = Defect(
    name="way-back-is-no-change",
    sentence="An edit is compared with the spec that the VM was started with, so the way back is taken for no change.",
    rows=("R38",),
    point="vm.copy_nad",
    change=_StartSpec(),
)
