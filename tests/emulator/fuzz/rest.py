# SPDX-License-Identifier: Apache-2.0
"""What must hold once a VM has come to rest, in the API and on the wire, and waiting for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator

from emulator.controlplane import names
from emulator.controlplane.accessors import (
    is_deleting,
    is_final,
    labels_of,
    network_status,
    phase,
    pod_is_down,
    pod_is_going,
)
from emulator.controlplane.network.pod_interfaces import pod_interface
from emulator.dataplane.errors import DataPlaneError
from emulator.kube import conditions
from emulator.kube.client import Obj

from .violations import Violation
from .wanted import POD_NIC, VM_NAME, Wanted, needs_restart, nics_of
from .watcher import Watcher, launchers
from .world import World

# Turns of the event loop after which whatever a commit has woken has been woken.
TURNS = 25
KEPT_MIGRATIONS = 5
BOOT_ID = ["cat", "/proc/sys/kernel/random/boot_id"]


class Rest:
    """``patience``: seconds of this process after which what does not hold yet is a violation."""

    def __init__(self, world: World, wanted: Wanted, watcher: Watcher, patience: float) -> None:
        self.world = world
        self.wanted = wanted
        self.watcher = watcher
        self.patience = patience
        self._boot: tuple[str, bytes] = ("", b"")

    async def reach(self, what: str) -> None:
        """Waits until all that must hold holds and nothing is left to do; Violation where that does not come."""
        await self._until(what, self.unmet)
        await self._check_wire()
        vm, vmi = self._vm(), self._vmi()
        self.wanted.forget_unplugged()
        dirty = vm is not None and vmi is not None and self._differs(vm, vmi)
        asks = vm is not None and conditions.is_true(vm, names.RESTART_REQUIRED)
        self.watcher.at_rest(asks_restart=asks, may_ask_restart=dirty)

    async def is_reached(self) -> bool:
        """Whether the VM is at rest already, so far as the API tells."""
        return await self._holds(self.unmet)

    async def reach_end(self) -> None:
        """The same after the VM was deleted: nothing of it is left."""
        await self._until("the VM's deletion", self._leftovers)

    async def _until(self, what: str, unmet: Callable[[], Iterator[str]]) -> None:
        try:
            async with asyncio.timeout(self.patience):
                while not await self._holds(unmet):
                    self.watcher.check()
                    # Queues do not report that they are empty: what they have done is checked soon after.
                    try:
                        await asyncio.wait_for(self.world.change(self.wanted.namespace), 0.05)
                    except TimeoutError:
                        continue
        except TimeoutError:
            self.watcher.check()
            missing = next(unmet(), "its queues are never idle")
            raise Violation("a VM does not come to rest", f"after {what}: {missing}") from None

    async def _holds(self, unmet: Callable[[], Iterator[str]]) -> bool:
        """Whether it holds, and still does when everybody who was woken by the last commit has had a turn."""
        for _ in range(3):
            if next(unmet(), "") or not self.world.is_idle(self.wanted.namespace, VM_NAME):
                return False
            for _ in range(TURNS):
                await asyncio.sleep(0)
        return True

    def _vm(self) -> Obj | None:
        return self.world.find(names.VM, self.wanted.namespace, VM_NAME)

    def _vmi(self) -> Obj | None:
        return self.world.find(names.VMI, self.wanted.namespace, VM_NAME)

    def unmet(self) -> Iterator[str]:
        """What does not hold, in words."""
        vm, vmi = self._vm(), self._vmi()
        if not self.world.agent_works.is_set():
            yield "no node agent works"
        if vm is None or "status" not in vm:
            yield "there is no VM, or it is new"
            return
        yield from self._migrations_at_rest()
        if vm["status"].get("stateChangeRequests"):
            yield f"the VM has {vm['status']['stateChangeRequests']}"
        if not self.wanted.running:
            yield from self._stopped(vm, vmi)
        elif vmi is None:
            yield "there is no VMI"
        else:
            yield from self._running(vm, vmi)

    def _migrations_at_rest(self) -> Iterator[str]:
        migrations = self.world.all(names.MIGRATION, self.wanted.namespace)
        for migration in migrations:
            if not is_final(migration) or is_deleting(migration) or migration["metadata"].get("finalizers"):
                yield f"migration {migration['metadata']['name']} is {phase(migration) or 'new'}"
        if len(migrations) > KEPT_MIGRATIONS:
            yield f"{len(migrations)} finished migrations are kept"

    def _stopped(self, vm: Obj, vmi: Obj | None) -> Iterator[str]:
        if vmi is not None:
            yield f"a stopped VM has a VMI in phase {phase(vmi)}"
        for pod in launchers(self.world, self.wanted.namespace):
            yield f"a stopped VM has pod {pod['metadata']['name']}"
        if vm["status"].get("printableStatus") != "Stopped":
            yield f"a stopped VM is {vm['status'].get('printableStatus')}"
        if conditions.is_true(vm, names.RESTART_REQUIRED):
            yield "a stopped VM asks for a restart"
        yield from self._template(vm)

    def _running(self, vm: Obj, vmi: Obj) -> Iterator[str]:
        status = vmi["status"]
        if phase(vmi) != "Running" or is_deleting(vmi):
            yield f"the VMI is {phase(vmi)}{' and goes' if is_deleting(vmi) else ''}"
            return
        for condition in ("Ready", "AgentConnected"):
            if not conditions.is_true(vmi, condition):
                yield f"the VMI is not {condition}: {conditions.find(vmi, condition)}"
        if conditions.is_true(vmi, "LiveMigratable") != self.wanted.movable:
            yield f"LiveMigratable is {conditions.find(vmi, 'LiveMigratable')}"
        if not vm["status"].get("ready") or vm["status"].get("printableStatus") != "Running":
            yield f"the VM is {vm['status'].get('printableStatus')}, ready: {vm['status'].get('ready')}"
        if names.TARGET_NODE_NAME in labels_of(vmi):
            yield "the VMI names the target of a migration"
        pods = [pod for pod in launchers(self.world, self.wanted.namespace) if not pod_is_down(pod)]
        if len(pods) != 1:
            seen = ", ".join(f"{p['metadata']['name']} {phase(p)}" for p in pods)
            yield f"the VMI has not one active pod: {seen or 'none'}"
            return
        pod = pods[0]
        if pod_is_going(pod) or pod["spec"].get("nodeName") != status.get("nodeName"):
            yield f"pod {pod['metadata']['name']} is not where the VMI is or goes"
        yield from self._template(vm)
        yield from self._networks(vm, vmi, pod)
        yield from self._dataplane(vmi, pod)

    def _template(self, vm: Obj) -> Iterator[str]:
        """The template is what its user made of it, but for NICs that have been unplugged."""
        running = self.wanted.running
        wanted = {
            name: (self.wanted.network_name(nic.network), self.wanted.mac(name), "absent" if nic.absent else "")
            for name, nic in self.wanted.nics.items()
            if not (nic.absent and running)
        }
        has = nics_of(vm["spec"]["template"]["spec"])
        if not running:
            has |= {name: wanted[name] for name in wanted.keys() - has.keys() if self.wanted.nics[name].absent}
        elif any(nic[2] for nic in has.values()):
            # Absent for good where there was no VMI that it could have been taken out of.
            has = {name: nic for name, nic in has.items() if not nic[2]}
        if has != wanted:
            yield f"the VM's template has {has}, its user wants {wanted}"

    def _networks(self, vm: Obj, vmi: Obj, pod: Obj) -> Iterator[str]:
        start = self._start(vmi)
        template = nics_of(vm["spec"]["template"]["spec"])
        has = nics_of(vmi["spec"])
        follows = self.wanted.goes_live
        for name, (network, _, state) in template.items():
            if not state and name not in has:
                yield f"NIC {name} is not in the VMI"
            elif not state and follows and has[name][0] != network:
                yield f"the VMI's {name} is on {has[name][0]}, the VM's on {network}"
        for name, (network, _, state) in has.items():
            if state:
                yield f"NIC {name} is still to be unplugged"
            elif not follows and network != self.watcher.first[vmi["metadata"]["uid"]][name]:
                yield f"the VMI's {name} is on {network} by now, though that needs a restart"
        asks = conditions.is_true(vm, names.RESTART_REQUIRED)
        spec = vm["spec"]["template"]["spec"]
        needs = needs_restart(spec, vmi["spec"], start, ignores_nad=follows)
        if asks != needs:
            yield f"RestartRequired is {asks}, by the rules it is {needs}"
        attached = self._attached(pod, has)
        differs = any(attached.get(name) != self.wanted.full_name(nic[0]) for name, nic in has.items())
        migrates = conditions.find(vmi, names.MIGRATION_REQUIRED)
        waits = differs and not self.wanted.movable and self.wanted.version in ("1.8-gate", "1.9")
        if (migrates is not None and migrates["status"] == "True") != waits or (migrates and not waits):
            yield f"MigrationRequired is {migrates}, the pod is on {attached}"
        if differs and not waits:
            yield f"the pod is on {attached}, the VMI on {has}"
        extra = attached.keys() - has.keys()
        reported = {entry.get("name") for entry in vmi["status"].get("interfaces") or []}
        if extra or reported != has.keys() | {POD_NIC}:
            yield f"the VMI reports {sorted(map(str, reported))}, the pod has {sorted(attached)} of {sorted(has)}"

    def _attached(self, pod: Obj, has: dict[str, tuple[str, str, str]]) -> dict[str, str]:
        """``namespace/name`` of the NAD that network-status shows for each NIC; others by their interface."""
        by_interface = {pod_interface(name): name for name in has}
        found = {entry["interface"]: entry["name"] for entry in network_status(pod) if not entry.get("default")}
        return {by_interface.get(interface, interface): nad for interface, nad in found.items()}

    def _differs(self, vm: Obj, vmi: Obj) -> bool:
        spec, start = vm["spec"]["template"]["spec"], self._start(vmi)
        same_cores = spec["domain"]["cpu"]["cores"] == start["domain"]["cpu"]["cores"]
        return not same_cores or nics_of(spec) != nics_of(vmi["spec"])

    def _start(self, vmi: Obj) -> Obj:
        """The template that the VMI was started from."""
        revision = self.world.find(names.REVISION, self.wanted.namespace, vmi["status"]["virtualMachineRevisionName"])
        assert revision is not None
        found: Obj = revision["data"]["spec"]["template"]["spec"]
        return found

    def _dataplane(self, vmi: Obj, pod: Obj) -> Iterator[str]:
        """On the nodes there is this pod of the VM, and this guest, and no other."""
        agent, uid = self.world.agent, pod["metadata"]["uid"]
        standing = {s.uid for s in agent.kubelet.sandboxes.values() if s.key[0] == self.wanted.namespace}
        if standing != {uid}:
            yield f"the nodes have the pods {sorted(standing)}, the API has {uid}"
        domains = {d.uid: d.pod_uid for d in agent.handler.domains.by_uid.values() if d.key[0] == self.wanted.namespace}
        if domains != {vmi["metadata"]["uid"]: uid}:
            yield f"the nodes have the guests {domains}, the API has {vmi['metadata']['uid']} in {uid}"

    async def _check_wire(self) -> None:
        """Which networks the guest's NICs really are on, and whether it is still the same boot."""
        vmi = self._vmi()
        if vmi is None or not self.wanted.running:
            return
        pod = next(pod for pod in launchers(self.world, self.wanted.namespace) if not pod_is_down(pod))
        has, uid = nics_of(vmi["spec"]), vmi["metadata"]["uid"]
        expected = {has[name][1]: nad.rpartition("nad-")[2] for name, nad in self._attached(pod, has).items()}
        reach = await self.world.wire.reach(uid, expected)
        try:
            _, boot = await self.world.dataplane.run_inside(uid, BOOT_ID)
        except DataPlaneError:
            boot = b""
        if (now := self._vmi()) is None or now["metadata"]["uid"] != uid or not boot:
            # An agent died under it: there is another guest to be looked at, once it has come to rest.
            if not self.watcher.has_lost_its_agent():
                raise Violation("a guest went while its VM was at rest", uid)
            await self.reach("the end of a node agent")
            return
        known_uid, known_boot = self._boot
        if known_uid == uid and known_boot != boot:
            raise Violation("a guest was rebooted", f"VMI {uid}: boot id {known_boot!r}, then {boot!r}")
        self._boot = (uid, boot)
        seen = {mac: networks for mac, networks in reach.items() if mac in expected or any(networks)}
        wanted = {mac: (frozenset({network}), frozenset({network})) for mac, network in expected.items()}
        if seen != wanted:
            shown = {mac: [sorted(way) for way in ways] for mac, ways in seen.items()}
            raise Violation(
                "the data plane is not what network-status says",
                f"status: {json.dumps(expected)}; frames reach, and are heard from: {json.dumps(shown)}",
            )

    def _leftovers(self) -> Iterator[str]:
        namespace = self.wanted.namespace
        for resource in (names.VM, names.VMI, names.PODS, names.MIGRATION, names.REVISION):
            for obj in self.world.all(resource, namespace):
                yield f"{resource} {obj['metadata']['name']} is left, {phase(obj)}"
        if not self.world.agent_works.is_set():
            yield "no node agent works"
            return
        agent = self.world.agent
        for sandbox in agent.kubelet.sandboxes.values():
            if sandbox.key[0] == namespace:
                yield f"pod {sandbox.key} is left on its node"
        for domain in agent.handler.domains.by_uid.values():
            if domain.key[0] == namespace:
                yield f"guest {domain.key} is left"
