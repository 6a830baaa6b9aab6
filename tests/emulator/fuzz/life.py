# SPDX-License-Identifier: Apache-2.0
"""One sequence being played: its VM's user does step after step, and waits in between for what each step says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from emulator.controlplane import names
from emulator.controlplane.accessors import is_deleting, is_final, labels_of, migration_state, phase, pod_is_going
from emulator.kube import conditions
from emulator.kube.client import Obj
from emulator.kube.errors import ApiError

from .rest import Rest
from .steps import AT_ONCE, LATE, PHASES, SETTLED, Sequence, Step
from .violations import Violation
from .wanted import VM_NAME, Wanted
from .watcher import Watcher, launchers
from .world import World, make_home

# Seconds of the real control plane after which a moment that has not come is not waited for any longer.
MOMENT_SECONDS = 60.0
EDITS = ("edit", "plug", "unplug", "mac", "drop", "cores")
RESTARTS = ("restart", "stop", "start", "delete vmi", "delete pod")
# What the API may answer to a step that came too late or too early.
REFUSALS = (400, 403, 404, 409, 422)


class Life:
    """``log`` tells what was done, for the report of a violation."""

    def __init__(self, world: World, sequence: Sequence, number: int, patience: float) -> None:
        self.world = world
        self.sequence = sequence
        self.namespace = f"s{number}"
        self.wanted = Wanted.by(sequence, number, self.namespace, world.batch.version)
        self.watcher = Watcher(world, self.wanted)
        self.rest = Rest(world, self.wanted, self.watcher, patience)
        self.log: list[str] = []

    async def play(self) -> None:
        """The whole sequence and the VM's end; Violation at the first thing that must not be."""
        world = self.world
        await make_home(world, self.namespace)
        try:
            await world.client.create(names.VM, self.wanted.manifest())
            await self.rest.reach("the VM's start")
            for number, step in enumerate(self.sequence.steps, start=1):
                await self._take(step)
                self.watcher.check()
                await self._wait(step, f"step {number}, {step}")
            await self._heal()
            await self.rest.reach("the end of the sequence")
            await world.client.delete(names.VM, VM_NAME, self.namespace)
            await self.rest.reach_end()
            self.watcher.check()
        finally:
            self.watcher.close()

    async def _take(self, step: Step) -> None:
        self.log.append(str(step))
        if step.do in RESTARTS:
            self.watcher.may_restart = True
        try:
            if step.do in EDITS:
                await self._edit(step)
            elif step.do == "create nad":
                await self.world.nad(self.namespace, LATE)
                self.wanted.has_late = True
            else:
                await getattr(self, f"_{step.do.replace(' ', '_')}")()
        except ApiError as error:
            if step.do in EDITS or error.code not in REFUSALS:
                raise Violation("a legal step was refused", f"{step}: {error.code} {error}") from error
            self.log.append(f"  refused: {error.code} {error}")

    async def _heal(self) -> None:
        """Gives the VM all that it lacks, so that it can come to rest."""
        await self.world.nad(self.namespace, LATE)
        self.wanted.has_late = True
        if not self.wanted.running:
            self.watcher.may_restart = True
            await self._start()

    # What a user does.

    async def _edit(self, step: Step) -> None:
        """Reads, changes and writes, and once more on a conflict."""
        while True:
            vm = await self.world.client.get(names.VM, VM_NAME, self.namespace)
            known = {net["name"] for net in vm["spec"]["template"]["spec"]["networks"]}
            unplugged = [name for name, nic in self.wanted.nics.items() if nic.absent and name not in known]
            for name in unplugged:
                del self.wanted.nics[name]
            kept = {name: (nic.network, nic.second_mac, nic.absent) for name, nic in self.wanted.nics.items()}
            cores = self.wanted.cores
            self.watcher.before_edit()
            if not self.wanted.apply(step):
                return
            self.watcher.after_edit(step)
            path = "/spec/template/spec"
            patch = [
                {"op": "test", "path": "/metadata/resourceVersion", "value": vm["metadata"]["resourceVersion"]},
                {"op": "replace", "path": f"{path}/networks", "value": self.wanted.networks()},
                {"op": "replace", "path": f"{path}/domain/devices/interfaces", "value": self.wanted.interfaces()},
                {"op": "replace", "path": f"{path}/domain/cpu/cores", "value": self.wanted.cores},
            ]
            try:
                await self.world.client.patch(names.VM, VM_NAME, self.namespace, patch)
                return
            except ApiError as error:
                if error.code not in (409, 422) or "does not match" not in error.message:
                    raise
                self.wanted.restore(kept, cores)

    async def _migrate(self) -> None:
        meta = {"generateName": "kubevirt-migrate-vm-", "namespace": self.namespace}
        kind = {"apiVersion": names.API_VERSION, "kind": "VirtualMachineInstanceMigration"}
        await self.world.client.create(names.MIGRATION, {**kind, "metadata": meta, "spec": {"vmiName": VM_NAME}})

    async def _abort(self) -> None:
        for migration in self._unfinished():
            await self.world.client.delete(names.MIGRATION, migration["metadata"]["name"], self.namespace)

    async def _restart(self) -> None:
        vmi = self._vmi()
        vm = self.world.find(names.VM, self.namespace, VM_NAME)
        if vmi is None or vm is None or not self.wanted.running or vm["status"].get("stateChangeRequests"):
            return
        wanted = [{"action": "Stop", "uid": vmi["metadata"]["uid"]}, {"action": "Start"}]
        patch = {"status": {"stateChangeRequests": wanted}}
        await self.world.virt_api.patch(names.VM, VM_NAME, self.namespace, patch, subresource="status")

    async def _stop(self) -> None:
        vm = self.world.find(names.VM, self.namespace, VM_NAME)
        if vm is None or vm["status"].get("stateChangeRequests"):
            # The start that a restart still owes would bring a halted VM up again: so it is not stopped meanwhile.
            self.log.append("  not done: a restart is under way")
            return
        self.wanted.running = False
        await self._run("Halted")

    async def _start(self) -> None:
        self.wanted.running = True
        await self._run("Always")

    async def _run(self, strategy: str) -> None:
        await self.world.client.patch(names.VM, VM_NAME, self.namespace, {"spec": {"runStrategy": strategy}})

    async def _delete_vmi(self) -> None:
        await self.world.client.delete(names.VMI, VM_NAME, self.namespace)

    async def _delete_pod(self) -> None:
        """The pod that the VM runs in."""
        for pod in self._pods():
            if not pod_is_going(pod) and pod["spec"].get("nodeName") == self._node():
                await self._delete(pod)

    async def _delete_target(self) -> None:
        """The pod that it is on its way to; with the guest in it already, the VM ends with it."""
        for pod in self._pods():
            if names.MIGRATION_JOB_UID in labels_of(pod) and pod["spec"].get("nodeName") != self._node():
                migrations = {m["metadata"]["uid"]: m for m in self._unfinished()}
                migration = migrations.get(labels_of(pod)[names.MIGRATION_JOB_UID])
                if migration and not pod_is_going(pod):
                    self.watcher.may_restart |= phase(migration) in ("TargetReady", "Running")
                    await self._delete(pod)

    async def _delete(self, pod: Obj) -> None:
        meta = pod["metadata"]
        await self.world.client.delete(names.PODS, meta["name"], self.namespace, uid=meta["uid"])

    # What is looked at.

    def _vmi(self) -> Obj | None:
        return self.world.find(names.VMI, self.namespace, VM_NAME)

    def _node(self) -> str:
        return str((self._vmi() or {}).get("status", {}).get("nodeName", ""))

    def _pods(self) -> list[Obj]:
        return launchers(self.world, self.namespace)

    def _unfinished(self) -> list[Obj]:
        return [m for m in self.world.all(names.MIGRATION, self.namespace) if not is_final(m)]

    async def _wait(self, step: Step, what: str) -> None:
        if step.then == AT_ONCE:
            return
        if step.then == SETTLED and not self.wanted.lacks_network:
            await self.rest.reach(what)
            return
        has_come = self._moment(step.then)
        try:
            async with asyncio.timeout(self.world.pace.seconds(MOMENT_SECONDS)):
                while not has_come() and not await self.rest.is_reached():
                    await self.world.change(self.namespace)
        except TimeoutError:
            self.log.append(f"  not {step.then} within {MOMENT_SECONDS:g} s")

    @staticmethod
    def _is_stuck(pod: Obj) -> bool:
        """Whether a node has tried a pod once and could not start it, as it cannot where its network is missing."""
        return phase(pod) == "Pending" and "containerStatuses" in pod.get("status", {})

    def _state(self) -> Obj:
        return migration_state(self._vmi() or {})

    def _moment(self, then: str) -> Callable[[], bool]:
        moments: dict[str, Callable[[], bool]] = {
            "signalled": lambda: conditions.is_true(self._vmi() or {"status": {}}, names.MIGRATION_REQUIRED),
            "switched": lambda: bool(self._unfinished() and self._state().get("targetNodeDomainReadyTimestamp")),
            "ended": lambda: bool(self._unfinished() and self._state().get("endTimestamp")),
            "created": lambda: bool((vmi := self._vmi()) and not is_deleting(vmi) and phase(vmi) != "Running"),
            "scheduled": lambda: bool((vmi := self._vmi()) and phase(vmi) == "Scheduled"),
            SETTLED: lambda: any(self._is_stuck(pod) for pod in self._pods()),
        }
        if then in PHASES:
            return lambda: any(phase(m) == then for m in self._unfinished())
        return moments[then]
