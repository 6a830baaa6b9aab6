# SPDX-License-Identifier: Apache-2.0
"""The changes of a suite's VMs: one record for each change, with the state of the VM just before it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from livenad.api.history import History
from livenad.api.kinds import MIGRATION, VMI, Kind, Object, dig, meta
from livenad.api.status import FINAL_PHASES, network_of, nic_status, node_of, phase_of
from livenad.errors import LabError, TestError
from livenad.model import Nic, VmRecord
from livenad.text import human

Action = Literal[
    "network",
    "nic settings",
    "hot-plug",
    "hot-unplug",
    "start",
    "stop",
    "restart",
    "migrate",
    "evict",
    "seen running",
]
VmState = Literal["running", "stopped", "starting", "migrating", "any"]

T = TypeVar("T", bound="Change")


@dataclass(kw_only=True, eq=False)
class Change:
    """One change of a VM, such as a restart. ``what`` names it in messages: "its restart".

    ``index`` is the history's length and ``at`` the monotonic clock, both just before the request. ``vmi_uid`` and
    ``node`` are "" when the VM had no VMI; ``migrations`` are the UIDs of the migration objects at that time.
    """

    action: Action
    what: str
    vm: str
    namespace: str
    index: int
    at: float
    vmi_uid: str
    node: str
    migrations: frozenset[str]

    @property
    def subject(self) -> str:
        """The VM as messages name it."""
        return f"VM {self.namespace}/{self.vm}"

    @property
    def title(self) -> str:
        """The change as messages name it."""
        return self.subject


@dataclass(kw_only=True, eq=False)
class NetworkChange(Change):
    """A NIC that was moved to another network. ``interface`` is its entry in the VMI's status before the edit.

    ``vm_state`` is the expected state of the VM at the edit; ``nad_missing``: the NAD did not exist yet. ``previous``
    is the VM's network change before this one. ``with_nics`` names all NICs of the same edit.
    """

    nic: str
    pod_interface: str
    old_network: str
    new_network: str
    created: str
    firmware_uuid: str
    revision: str
    interface: Object = field(repr=False)
    vm_state: VmState = "running"
    nad_missing: bool = False
    previous: NetworkChange | None = None
    with_nics: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        before = f'"{self.old_network}"' if self.old_network else "no network"
        return f'{self.subject}, NIC "{self.nic}" from {before} to "{self.new_network}"'


@dataclass(kw_only=True, eq=False)
class NicSettingsChange(Change):
    """A NIC whose binding, model or network was edited; "" leaves a field unchanged."""

    nic: str
    binding: str = ""
    model: str = ""
    network: str = ""

    @property
    def title(self) -> str:
        fields = {"binding": self.binding, "model": self.model, "networkName": self.network}
        listed = ", ".join(f'{name} "{value}"' for name, value in fields.items() if value)
        return f'{self.subject}, NIC "{self.nic}", edited to {listed}'


@dataclass(kw_only=True, eq=False)
class NicHotplug(Change):
    """A NIC that was plugged into a running VM (``plugged``), or marked absent in it."""

    nic: Nic
    plugged: bool

    @property
    def title(self) -> str:
        what = f'plugged into "{self.nic.network}"' if self.plugged else "unplugged"
        return f'{self.subject}, NIC "{self.nic.name}", {what}'


def before(history: History, record: VmRecord, action: Action, what: str) -> dict[str, Any]:
    """The fields of `Change` as they are now. Call it just before the request is sent."""
    vmi = history.current(VMI, record.name) or {}
    return {
        "action": action,
        "what": what,
        "vm": record.name,
        "namespace": record.namespace,
        "index": len(history),
        "at": time.monotonic(),
        "vmi_uid": str(meta(vmi, "uid")),
        "node": node_of(vmi),
        "migrations": frozenset(history.by_uid(MIGRATION, record.name)),
    }


def network_change(
    history: History, record: VmRecord, nic: str, new_network: str, *, vm_state: VmState = "running"
) -> NetworkChange:
    """The record of an edit that will move a NIC to another network."""
    vmi = history.current(VMI, record.name) or {}
    interface = nic_status(vmi, nic) or {}
    return NetworkChange(
        **before(history, record, "network", "the edit"),
        nic=nic,
        pod_interface=str(interface.get("podInterfaceName") or ""),
        old_network=network_of(vmi.get("spec", {}), nic) or "",
        new_network=new_network,
        created=str(meta(vmi, "creationTimestamp")),
        firmware_uuid=str(dig(vmi, "spec", "domain", "firmware", "uuid") or ""),
        revision=str(dig(vmi, "status", "virtualMachineRevisionName") or ""),
        interface=interface,
        vm_state=vm_state,
    )


def edits_of(change: NetworkChange) -> list[NetworkChange]:
    """All network changes of the VM up to this one, oldest first."""
    edits = [change]
    while edits[-1].previous is not None:
        edits.append(edits[-1].previous)
    return edits[::-1]


def migrations_since(history: History, change: Change) -> dict[str, Object]:
    """The migration objects made after a change, by UID, oldest first, each in its last state."""
    found = history.by_uid(MIGRATION, change.vm, change.index)
    return {uid: item for uid, item in found.items() if uid not in change.migrations}


def migrations_concerned(history: History, change: Change) -> dict[str, Object]:
    """The same, and before them the migration objects that had not ended at the change."""
    found = history.by_uid(MIGRATION, change.vm)
    under_way = {
        uid: item
        for uid, item in found.items()
        if uid in change.migrations and _unfinished_before(history, item, change.index)
    }
    return under_way | migrations_since(history, change)


def _unfinished_before(history: History, migration: Object, index: int) -> bool:
    then = history.state_before(MIGRATION, str(meta(migration, "name")), index)
    return then is not None and phase_of(then) not in FINAL_PHASES


def require_observed(history: History, change: Change, *kinds: Kind) -> None:
    """Raise LabError when no state of the VM, or of its VMI, is known from just before the change until now."""
    for kind in kinds:
        before_it = history.state_before(kind, change.vm, change.index)
        if before_it is None and not history.records(kind, change.vm, change.index):
            raise LabError(
                f"{change.subject}: no {kind.name} was recorded since {change.what}, so nothing is proven; check that "
                "the VM still exists"
            )


@dataclass(frozen=True)
class UnmetWait:
    """A wait of ``within`` seconds that ended without what was ``awaited`` after a change.

    ``seen`` was there instead.
    """

    change: Change
    awaited: str
    within: float
    seen: str

    def __str__(self) -> str:
        return f"{self.change.title}: expected {self.awaited} within {human(self.within)}; {self.seen}"


class ChangeLog:
    """The changes of a suite's VMs, oldest first. VMs are named as on the cluster.

    ``unmet`` are waits for their outcome that ended without it, and that no keyword has judged.
    """

    def __init__(self) -> None:
        self.unmet: list[UnmetWait] = []
        self._changes: list[Change] = []
        self._by_vm: defaultdict[str, list[Change]] = defaultdict(list)

    def add(self, *changes: Change) -> None:
        """Append changes that were just made; several belong to one edit."""
        for change in changes:
            if isinstance(change, NetworkChange):
                change.previous = self._last_edit(change, excluding=changes)
        self._changes += changes
        for change in changes:
            self._by_vm[change.vm].append(change)

    def __iter__(self) -> Iterator[Change]:
        return iter(list(self._changes))

    def has(self, vm: str) -> bool:
        """Whether a VM was changed."""
        return bool(self._of(vm))

    def forget(self, vm: str) -> None:
        """Forget the changes of a VM that is deleted."""
        self._changes = [change for change in self._changes if change.vm != vm]
        self._by_vm.pop(vm, None)

    def _of(self, vm: str) -> list[Change]:
        return self._by_vm.get(vm, [])

    def of(self, kind: type[T], vm: str) -> list[T]:
        """The changes of one type of a VM, oldest first."""
        return [change for change in self._of(vm) if isinstance(change, kind)]

    def last(self, vm: str, *actions: Action) -> Change:
        """The last change of a VM, or the last of these actions. TestError when there is none."""
        found = [change for change in self._of(vm) if not actions or change.action in actions]
        if not found:
            what = f" ({' or '.join(actions)})" if actions else ""
            raise TestError(f"VM {vm} was not changed yet{what}; call a keyword that changes the VM first")
        return found[-1]

    def first_since_start(self, vm: str) -> Change:
        """The first change of a VM's network or NICs since its last start: "never" is judged from here.

        The start or restart itself, when no change came after it. TestError when the VM was not changed.
        """
        found: Change | None = None
        for change in self._of(vm):
            if change.action in ("stop", "migrate", "evict"):
                continue
            if change.action in ("start", "restart") or found is None or found.action in ("start", "restart"):
                found = change
        return found or self.last(vm)

    def network_change(self, vm: str, nic: str = "") -> NetworkChange:
        """The last network change of a VM; with ``nic``, the change of that NIC. TestError when there is none."""
        edits = self.of(NetworkChange, vm)
        if not edits:
            raise TestError(f'the network of VM "{vm}" was not changed in this suite; call `Change VM Network` first')
        last = edits[-1].with_nics or (edits[-1].nic,)
        together = edits[-len(last) :]
        for change in together:
            if nic in ("", change.nic):
                return change
        raise TestError(
            f'NIC "{nic}" of VM {together[0].namespace}/{vm} was not moved; the NIC that was moved is '
            f'"{together[0].nic}"'
        )

    def hotplugs(self, vm: str) -> list[NicHotplug]:
        """The last hot-plug or hot-unplug of each NIC of a VM, oldest first. TestError when there is none."""
        found = self.of(NicHotplug, vm)
        if not found:
            raise TestError(f"no NIC of VM {vm} was plugged or unplugged; call `Hot Plug NIC` first")
        last = {change.nic.name: change for change in found}
        return [change for change in found if last[change.nic.name] is change]

    def of_nic(self, vm: str, nic: str) -> Change:
        """The last network change, hot-plug or hot-unplug of a NIC. TestError when there is none."""
        for change in reversed(self._of(vm)):
            if isinstance(change, NicHotplug) and change.nic.name == nic:
                return change
            if isinstance(change, NetworkChange) and change.nic == nic:
                return change
        moved = [change.nic for change in self.of(NetworkChange, vm)] + [
            one.nic.name for one in self.of(NicHotplug, vm)
        ]
        listed = ", ".join(f'"{name}"' for name in dict.fromkeys(moved)) or "none"
        raise TestError(f'NIC "{nic}" of VM {vm} was not changed in this suite; changed were: {listed}')

    def _last_edit(self, change: NetworkChange, excluding: tuple[Change, ...]) -> NetworkChange | None:
        """The edit of the VM before this one: of the same NIC if it was edited, else of its first NIC."""
        edits = [one for one in self.of(NetworkChange, change.vm) if one not in excluding and one.vm_state != "stopped"]
        if not edits:
            return None
        together = edits[-len(edits[-1].with_nics or (edits[-1].nic,)) :]
        return next((one for one in together if one.nic == change.nic), together[0])
