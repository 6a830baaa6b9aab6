# SPDX-License-Identifier: Apache-2.0
"""What must hold at every single moment of a VM's life: judged at each commit of the API server."""

from __future__ import annotations

from emulator.apiserver.store import Event
from emulator.controlplane import names
from emulator.controlplane.accessors import (
    annotations_of,
    controller_of,
    is_final,
    is_migratable,
    labels_of,
    phase,
    pod_is_going,
)
from emulator.kube import conditions
from emulator.kube.client import Obj

from .steps import Step
from .violations import Violation
from .wanted import VM_NAME, Wanted, nics_of
from .world import World

MOST_PODS = 2


class Watcher:
    """``may_restart``, ``may_ask_restart`` and ``may_migrate`` say what the steps since the last rest have allowed."""

    def __init__(self, world: World, wanted: Wanted) -> None:
        self.world = world
        self.wanted = wanted
        self.may_restart = True
        self.may_ask_restart = False
        self.may_migrate = False
        # networkName of each NIC as a VMI first had it, by VMI and NIC.
        self.first: dict[str, dict[str, str]] = {}
        # The VMI that there is, and how many node agents had died when it was made.
        self._uid, self._made = "", 0
        self._before: dict[str, str] = {}
        self._violation: Violation | None = None
        world.server.core.store.listeners.append(self._note)

    def close(self) -> None:
        self.world.server.core.store.listeners.remove(self._note)

    def check(self) -> None:
        """Violation where there has been one."""
        if self._violation:
            raise self._violation

    def has_lost_its_agent(self) -> bool:
        """Whether an agent died since the VMI was made: the guest died with it, though it may not be noticed yet."""
        return self._made != self.world.crashes

    def before_edit(self) -> None:
        self._before = {name: nic.network for name, nic in self.wanted.nics.items() if not nic.absent}

    def after_edit(self, step: Step) -> None:
        after = {name: nic.network for name, nic in self.wanted.nics.items() if not nic.absent}
        moved = [
            name
            for name, network in after.items()
            if self._full(network) != self._full(self._before.get(name, network)) or step.do == "plug"
        ]
        if step.do in ("plug", "unplug") or (moved and self.wanted.goes_live):
            self.may_migrate = self.wanted.movable
        if step.do in ("mac", "cores", "drop") or (after != self._before and not self.wanted.goes_live):
            self.may_ask_restart = True

    def _full(self, network: str) -> str:
        return self.wanted.full_name(self.wanted.network_name(network))

    def at_rest(self, *, asks_restart: bool, may_ask_restart: bool) -> None:
        """All that the steps so far have allowed has happened."""
        self.may_restart, self.may_migrate = False, False
        self.may_ask_restart = asks_restart or may_ask_restart
        self.wanted.given.clear()
        self.wanted.note_given()
        # A NIC that was dropped from the template stays in the VMI as it is.
        vmi = self.world.find(names.VMI, self.wanted.namespace, VM_NAME)
        for name, (network, _, _) in nics_of(vmi["spec"]).items() if vmi else ():
            self.wanted.given.setdefault(name, set()).add(network)

    def _note(self, event: Event) -> None:
        if event.key[0] != self.wanted.namespace or self._violation:
            return
        look = {
            names.VM: self._vm,
            names.VMI: self._vmi,
            names.PODS: self._pod,
            names.MIGRATION: self._migration,
        }.get(event.bucket)
        if look:
            try:
                look(event, event.item.obj)
            except Violation as violation:
                self._violation = violation
                self.world.wake(self.wanted.namespace)

    def _vm(self, event: Event, vm: Obj) -> None:
        if not conditions.is_true(vm, names.RESTART_REQUIRED) or self.may_ask_restart:
            return
        vmi = self.world.find(names.VMI, *event.key)
        if self.wanted.version == "main" and (vmi is None or not is_migratable(vmi)):
            # A VMI that cannot migrate yet needs a restart until it can.
            return
        raise Violation("RestartRequired without a reason", f"{nics_of(vm['spec']['template']['spec'])}")

    def _vmi(self, event: Event, vmi: Obj) -> None:
        if event.type == "DELETED":
            return
        uid = vmi["metadata"]["uid"]
        if uid != self._uid:
            if self._uid and not self.may_restart and not self.has_lost_its_agent():
                raise Violation("VMI replaced without a restart of the VM", f"{self._uid} by {uid}")
            self._uid, self._made = uid, self.world.crashes
        first = self.first.setdefault(uid, {})
        for name, (network, _, _) in nics_of(vmi["spec"]).items():
            given = self.wanted.given.get(name, set())
            if network not in given | {first.setdefault(name, network)}:
                raise Violation("VMI on a network that its VM never named", f"{name}: {network}, not {sorted(given)}")

    def _pod(self, event: Event, pod: Obj) -> None:
        owner = labels_of(pod).get(names.CREATED_BY)
        if event.type == "DELETED" or not owner:
            return
        active = [
            p
            for p in self.world.all(names.PODS, self.wanted.namespace)
            if labels_of(p).get(names.CREATED_BY) == owner and not pod_is_going(p)
        ]
        targets = [p for p in active if names.MIGRATION_JOB_UID in labels_of(p)]
        if len(active) > MOST_PODS or len(active) - len(targets) > 1:
            raise Violation("more active pods than a migration needs", ", ".join(p["metadata"]["name"] for p in active))

    def _migration(self, event: Event, migration: Obj) -> None:
        if event.type == "ADDED":
            automatic = names.WORKLOAD_UPDATE in annotations_of(migration)
            if automatic and not self.may_migrate:
                raise Violation("migration that nothing asked for", migration["metadata"]["name"])
        unfinished = [m for m in self.world.all(names.MIGRATION, self.wanted.namespace) if not is_final(m)]
        if len(unfinished) > 1:
            seen = ", ".join(f"{m['metadata']['name']} {phase(m)}" for m in unfinished)
            raise Violation("more than one migration of a VM in parallel", seen)


def launchers(world: World, namespace: str) -> list[Obj]:
    """The launcher pods of a namespace."""
    return [pod for pod in world.all(names.PODS, namespace) if controller_of(pod, "VirtualMachineInstance")]
