# SPDX-License-Identifier: Apache-2.0
"""A live migration as both virt-handlers write it: preparation, copy, switch-over, completion, clean-up."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import replace

from ..dataplane.errors import DataPlaneError
from ..kube import conditions
from ..kube.client import Obj
from ..kube.errors import ApiError
from ..kube.events import EventRecorder
from ..kube.informer import Informer, Key, key_of
from ..kube.timestamps import timestamp
from . import guest_spec
from .context import AgentContext
from .domains import Domain, Domains
from .kubelet import Kubelet
from .node_clients import NodeClients
from .retry_on_conflict import update_with_retry
from .sandboxes import Sandbox
from .switch_over import Action, SwitchOver, networks_changed

log = logging.getLogger(__name__)

VMIS = "virtualmachineinstances.kubevirt.io"
NODE_LABEL = "kubevirt.io/nodeName"
TARGET_LABEL = "kubevirt.io/migrationTargetNodeName"
EVICTION_SOURCE = "kubevirt.io/eviction-source"

PREPARE_TARGET = 0.8
START_SOURCE = 0.8
COPY = 4.0
ACTIVATE = 0.3
CLEAN_UP = 0.3
SOURCE_ENDS = 0.3
ABORTED = "Live migration aborted "


class MigrationFailed(Exception):
    """The migration cannot go on; the message is the failure reason."""

    def __init__(self, reason: str, *, aborted: bool = False) -> None:
        super().__init__(reason)
        self.aborted = aborted


class Migrations:
    """The migrations whose target is one of this agent's nodes; each is one task from hand-off to clean-up."""

    def __init__(
        self, clients: NodeClients, vmis: Informer, kubelet: Kubelet, domains: Domains, context: AgentContext
    ) -> None:
        self._clients = clients
        self._vmis = vmis
        self._dataplane = context.dataplane
        self._kubelet = kubelet
        self._domains = domains
        self._nodes = context.nodes
        self._pace = context.pace
        self._fault_points = context.fault_points
        self._events = EventRecorder(clients.default, "virt-handler")
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._changed: dict[Key, asyncio.Event] = {}
        self._on_leave: list[Callable[[Domain], None]] = []
        kubelet.on_sandbox_gone(self._look_again)

    def on_leave(self, watcher: Callable[[Domain], None]) -> None:
        """Calls ``watcher`` for each domain that has just left its source; the domain still describes the source."""
        self._on_leave.append(watcher)

    def _look_again(self) -> None:
        """A pod is gone: a migration to it fails at once, because its connection to the launcher breaks."""
        for event in self._changed.values():
            event.set()

    def consider(self, vmi: Obj) -> None:
        """Starts the migration that a VMI has been handed over to, and wakes a running one."""
        key = key_of(vmi)
        if event := self._changed.get(key):
            event.set()
        state = vmi["status"].get("migrationState") or {}
        uid = state.get("migrationUid", "")
        if (
            uid
            and uid not in self._tasks
            and state.get("targetNode") in self._nodes
            and not state.get("completed")
            and not state.get("startTimestamp")
            and vmi["status"].get("phase") == "Running"
            and self._target(vmi, state) is not None
        ):
            self._tasks[uid] = asyncio.create_task(self._run(vmi, uid), name=f"migration {uid}")

    async def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _target(self, vmi: Obj, state: dict[str, str]) -> Sandbox | None:
        place = (vmi["metadata"]["namespace"], state.get("targetPod", ""))
        return next((s for s in self._kubelet.sandboxes.values() if s.key == place and s.exit_code is None), None)

    async def _run(self, vmi: Obj, uid: str) -> None:
        key = key_of(vmi)
        self._changed[key] = asyncio.Event()
        try:
            await self._migrate(vmi, uid)
        except MigrationFailed as failure:
            await self._fail(vmi, uid, failure)
        except ApiError as error:
            log.warning("migration of %s: %s", key, error)
            await self._fail(vmi, uid, MigrationFailed(f"Live migration failed: {error}"))
        except Exception:
            log.exception("migration of %s", key)
            await self._fail(vmi, uid, MigrationFailed("Live migration failed: internal error"))
        finally:
            self._changed.pop(key, None)

    async def _migrate(self, vmi: Obj, uid: str) -> None:
        state = vmi["status"]["migrationState"]
        source_node, target_node = state["sourceNode"], state["targetNode"]
        domain = self._domains.get(vmi["metadata"]["uid"])
        target = self._target(vmi, state)
        if domain is None or target is None:
            raise MigrationFailed("Live migration failed: the domain does not run on the source node")

        await self._pass(vmi, uid, PREPARE_TARGET)
        ports = {str(port): key for port, key in zip(random.sample(range(32768, 60999), 2), (0, 49152), strict=True)}
        address = self._nodes[target_node]
        await self._update(vmi, uid, {"targetNodeAddress": address, "targetDirectMigrationNodePorts": ports})
        await self._tell(vmi, "PreparingTarget", "VirtualMachineInstance Migration Target Prepared.", target_node)
        listening = f"Migration Target is listening at {address}, on ports: {','.join(ports)}"
        await self._tell(vmi, "PreparingTarget", listening, target_node)
        self._kubelet.logs.write(target.uid, "Signaled target pod for migration preparation", vmi)

        await self._pass(vmi, uid, START_SOURCE)
        await self._update(vmi, uid, {"startTimestamp": timestamp(), "mode": "PreCopy"})
        await self._tell(vmi, "Migrating", "VirtualMachineInstance is migrating.", source_node)
        self._kubelet.logs.write(domain.pod_uid, "Initiating live migration.", vmi)

        await self._pass(vmi, uid, COPY)
        failure: str = self._fault_points.apply("agent.migration_failure", "", vmi=vmi)
        if failure:
            raise MigrationFailed(f"Live migration failed: {failure}")
        await self._update(vmi, uid, {"targetNodeDomainDetected": True})
        source = await self._switch_over(vmi, domain, target)
        await self._update(vmi, uid, {"targetNodeDomainReadyTimestamp": timestamp()}, self._satisfied)
        await self._pace.sleep(ACTIVATE)

        def moved(fresh: Obj) -> None:
            fresh["metadata"].setdefault("labels", {})[NODE_LABEL] = target_node
            fresh["status"]["nodeName"] = target_node
            mark = self._fault_points.apply("agent.evacuation_mark", "", vmi=fresh, node=target_node)
            fresh["status"].pop("evacuationNodeName", None)
            fresh["status"].update({"evacuationNodeName": mark} if mark else {})
            fresh["metadata"].get("annotations", {}).pop(EVICTION_SOURCE, None)
            fresh["status"].pop("launcherContainerImageVersion", None)
            fresh["status"]["migrationTransport"] = "Unix"

        await self._update(vmi, uid, {"endTimestamp": timestamp()}, moved)
        gap = self._fault_points.apply("agent.completion_gap", 0.0, vmi=vmi)
        if gap:
            await self._pace.sleep(gap)
        await self._update(vmi, uid, {"completed": True}, self._with_its_cpus)
        await self._tell(vmi, "Migrated", f"The VirtualMachineInstance migrated to node {target_node}.", target_node)
        self._kubelet.logs.write(source, "Live migration succeeded.", vmi)
        await self._pace.sleep(CLEAN_UP)
        await self._drop_target_label(vmi)
        await self._pace.sleep(SOURCE_ENDS)
        if source:
            self._kubelet.workload_ended(source, 0)

    async def _switch_over(self, vmi: Obj, domain: Domain, target: Sandbox) -> str:
        """Moves the guest; returns the UID of the pod that it left."""
        source = self._kubelet.sandboxes.get(domain.pod_uid)
        pod_interfaces = guest_spec.pod_interfaces(vmi, target)
        missing = [name for name in domain.nics if name not in pod_interfaces]
        if missing or domain.stopped.is_set() or target.uid not in self._kubelet.sandboxes:
            raise MigrationFailed("Live migration failed: the target pod has no place for the domain")
        changed = networks_changed(domain, source, target) if source else {}
        moment = SwitchOver(self._dataplane, self._kubelet.sandboxes, self._domains, domain, target, changed)
        for action in self._fault_points.apply("agent.before_switch_over", list[Action](), vmi=vmi):
            await action(moment)
        try:
            await self._dataplane.move(
                domain.uid, target.uid, {name: pod_interfaces[name].name for name in domain.nics}
            )
        except (DataPlaneError, OSError) as error:
            raise MigrationFailed(f"Live migration failed: {error}") from error
        for watcher in self._on_leave:
            watcher(domain)
        left_pod = domain.pod_uid
        domain.node, domain.pod_uid = target.node, target.uid
        domain.nics = {name: replace(nic, pod_interface=pod_interfaces[name].name) for name, nic in domain.nics.items()}
        changed = networks_changed(domain, source, target) if source else {}
        nothing: list[Action] = []
        actions = self._fault_points.apply("agent.after_switch_over", nothing, vmi=vmi)
        for action in actions:
            await action(SwitchOver(self._dataplane, self._kubelet.sandboxes, self._domains, domain, target, changed))
        return left_pod

    @staticmethod
    def _satisfied(fresh: Obj) -> None:
        conditions.remove(fresh, "MigrationRequired")

    @staticmethod
    def _with_its_cpus(fresh: Obj) -> None:
        """Sets the CPU topology of the domain on the target to that of the spec."""
        cpu = fresh["spec"]["domain"].get("cpu") or {}
        if topology := fresh["status"].get("currentCPUTopology"):
            fresh["status"]["currentCPUTopology"] = {part: cpu.get(part, now) for part, now in topology.items()}
        conditions.remove(fresh, "HotVCPUChange")

    async def _pass(self, vmi: Obj, uid: str, real_seconds: float) -> None:
        """Waits; MigrationFailed as soon as the migration is aborted or its VMI or target is gone."""
        key = key_of(vmi)
        loop = asyncio.get_running_loop()
        end = loop.time() + self._pace.seconds(real_seconds)
        while True:
            self._changed[key].clear()
            self._check(key, vmi, uid)
            left = end - loop.time()
            if left <= 0:
                return
            try:
                await asyncio.wait_for(self._changed[key].wait(), left)
            except TimeoutError:
                continue

    def _check(self, key: Key, vmi: Obj, uid: str) -> None:
        current = self._vmis.cache.get(key)
        if current is None or current["metadata"]["uid"] != vmi["metadata"]["uid"]:
            raise MigrationFailed("Live migration failed: the VMI is gone")
        state = current["status"].get("migrationState") or {}
        if state.get("migrationUid") != uid:
            raise MigrationFailed("Live migration failed: taken over by another migration")
        if state.get("abortRequested"):
            raise MigrationFailed(ABORTED, aborted=True)
        if "deletionTimestamp" in current["metadata"] or current["status"].get("phase") != "Running":
            raise MigrationFailed("Live migration failed: the domain was shut down")
        if self._target(current, state) is None:
            raise MigrationFailed("Target pod is down")

    async def _update(
        self, vmi: Obj, uid: str, fields: dict[str, object], more: Callable[[Obj], None] | None = None
    ) -> None:
        def updated(fresh: Obj) -> None:
            state = fresh["status"].get("migrationState") or {}
            if state.get("migrationUid") != uid:
                return
            state.update(fields)
            if more:
                more(fresh)

        current = self._vmis.cache.get(key_of(vmi), vmi)
        if current["metadata"]["uid"] == vmi["metadata"]["uid"]:
            await update_with_retry(self._clients, VMIS, current, updated)

    async def _fail(self, vmi: Obj, uid: str, failure: MigrationFailed) -> None:
        if domain := self._domains.get(vmi["metadata"]["uid"]):
            said = "Live migration failed."
            self._kubelet.logs.write(domain.pod_uid, said, vmi, level="error", reason=str(failure))
        fields: dict[str, object] = {"failed": True, "completed": True, "endTimestamp": timestamp()}
        fields["failureReason"] = str(failure)
        if failure.aborted:
            fields["abortStatus"] = "Succeeded"
        try:
            await self._update(vmi, uid, fields)
            message = f"VirtualMachineInstance migration uid {uid} failed. reason:{failure}"
            node = vmi["status"]["migrationState"]["sourceNode"]
            await self._events.warning(vmi, "Migrated", message, host=node)
            await self._drop_target_label(vmi)
        except ApiError as error:
            log.warning("failure of migration %s not written: %s", uid, error)
        await self._pace.sleep(CLEAN_UP)
        self._end_target(vmi)

    def _end_target(self, vmi: Obj) -> None:
        """A target launcher that did not get the guest ends by itself; no other one is created before that."""
        target = self._target(vmi, vmi["status"].get("migrationState") or {})
        domain = self._domains.get(vmi["metadata"]["uid"])
        if target and (domain is None or domain.pod_uid != target.uid):
            self._kubelet.workload_ended(target.uid, 0)

    async def _drop_target_label(self, vmi: Obj) -> None:
        current = self._vmis.cache.get(key_of(vmi), vmi)
        await update_with_retry(
            self._clients, VMIS, current, lambda fresh: fresh["metadata"]["labels"].pop(TARGET_LABEL, None)
        )

    async def _tell(self, vmi: Obj, reason: str, message: str, node: str) -> None:
        current = self._vmis.cache.get(key_of(vmi), vmi)
        await self._events.normal(current, reason, message, host=node)
