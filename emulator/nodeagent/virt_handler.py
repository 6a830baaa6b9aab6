# SPDX-License-Identifier: Apache-2.0
"""virt-handler: boots the guests of its nodes' VMIs, updates the VMIs' status, and ends guests."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from ..dataplane.errors import DataPlaneError
from ..dataplane.model import AgentReport
from ..kube.client import Obj
from ..kube.errors import ApiError
from ..kube.events import EventRecorder
from ..kube.informer import Informer, Key, key_of
from . import guest_spec, vmi_status
from .context import AgentContext
from .domains import Domain, Domains
from .kubelet import Kubelet
from .migratable import judge
from .migration import Migrations
from .node_clients import NodeClients
from .queues import node_queue
from .retry_on_conflict import Mutation, update_with_retry
from .sandboxes import Sandbox
from .spec_sync import Action, SpecSync

log = logging.getLogger(__name__)

VMIS = "virtualmachineinstances.kubevirt.io"
DEFINE = 1.0
AGENT_EAGER = 0.15
AGENT_STEADY = 1.0
DEFAULT_GRACE = 30
LAUNCHER_WAITS = 10.0


class VirtHandler:
    """All VMIs whose ``status.nodeName`` is one of this agent's nodes."""

    def __init__(self, clients: NodeClients, vmis: Informer, kubelet: Kubelet, context: AgentContext) -> None:
        self._clients = clients
        self._vmis = vmis
        self._dataplane = context.dataplane
        self._kubelet = kubelet
        self._nodes = context.nodes
        self._pace = context.pace
        self._fault_points = context.fault_points
        self._events = EventRecorder(clients.default, "virt-handler")
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._ended: dict[Key, str] = {}
        self.domains = Domains(context.dataplane)
        self.queue = node_queue("vmi", self._sync)
        self.migrations = Migrations(clients, vmis, kubelet, self.domains, context)
        vmis.on_change(self._changed)
        kubelet.on_sandbox(self._sandbox_up)
        kubelet.stops_workloads_with(self._stop_workload)

    async def stop(self) -> None:
        """Ends every task; the data plane removes the guests."""
        await self.queue.stop()
        await self.migrations.stop()
        for task in self._watchers.values():
            task.cancel()
        await asyncio.gather(*self._watchers.values(), return_exceptions=True)

    async def set_paused(self, domain: Domain, paused: bool) -> None:
        """Pauses or resumes a guest and writes that to its VMI."""
        await self._dataplane.freeze(domain.uid, paused)
        domain.paused = paused
        self.queue.add(domain.key)

    def _changed(self, _event: str, new: Obj, _old: Obj | None) -> None:
        self.queue.add(key_of(new))
        self.migrations.consider(new)

    def _sandbox_up(self, sandbox: Sandbox) -> None:
        self._kubelet.logs.write(sandbox.uid, "Marked as ready")
        for key, vmi in self._vmis.cache.items():
            if sandbox.uid in vmi["status"].get("activePods", {}):
                self.queue.add(key)
                self.migrations.consider(vmi)

    async def _stop_workload(self, pod_uid: str, grace: float) -> None:
        domain = self.domains.of_pod(pod_uid)
        if domain:
            self._kubelet.logs.write(pod_uid, "Signaled graceful shutdown")
            await self.domains.stop(domain, grace)
            self.queue.add(domain.key)
            # A launcher ends only after virt-handler has written its guest's end.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(domain.end_reported.wait(), self._pace.seconds(LAUNCHER_WAITS))

    async def _sync(self, key: Key) -> None:
        vmi = self._vmis.cache.get(key)
        for domain in [d for d in self.domains.by_uid.values() if d.key == key]:
            if vmi is None or vmi["metadata"]["uid"] != domain.uid:
                await self._bury(domain)
        if vmi is None:
            self._ended.pop(key, None)
            return
        # The cache may not yet contain the end of the VMI.
        if vmi["status"].get("nodeName") not in self._nodes or self._ended.get(key) == vmi["metadata"]["uid"]:
            return
        domain_now = self.domains.get(vmi["metadata"]["uid"])
        phase = vmi["status"].get("phase")
        if phase in ("Succeeded", "Failed"):
            if domain_now:
                await self._bury(domain_now)
        elif "deletionTimestamp" in vmi["metadata"]:
            await self._shut_down(vmi, domain_now)
        elif phase == "Scheduled" and domain_now is None:
            await self._boot(vmi)
        elif phase == "Running" and domain_now is None:
            await self._end(vmi, "Failed")
        elif domain_now and domain_now.stopped.is_set():
            await self._end(vmi, "Succeeded")
        elif domain_now and domain_now.node == vmi["status"]["nodeName"]:
            await self._refresh(vmi, domain_now)

    async def _boot(self, vmi: Obj) -> None:
        sandbox = self._sandbox_of(vmi)
        if sandbox is None:
            return
        await self._pace.sleep(DEFINE)
        try:
            spec = await guest_spec.guest_spec(self._kubelet.client, vmi, sandbox)
            await self._dataplane.boot(spec, sandbox.uid)
        except (guest_spec.GuestUndefinable, DataPlaneError, OSError) as error:
            message = f"server error. command SyncVMI failed: {error}"
            await self._events.warning(vmi, "SyncFailed", message, host=sandbox.node)
            await self._end(vmi, "Failed")
            self._kubelet.workload_ended(sandbox.uid, 1)
            return
        nics = {nic.name: nic for nic in spec.nics}
        domain = Domain(vmi["metadata"]["uid"], key_of(vmi), sandbox.node, sandbox.uid, nics)
        self.domains.remember(domain)
        for line in ("Domain defined.", "Domain started.", "Synced vmi"):
            self._kubelet.logs.write(sandbox.uid, line, vmi)
        verdict = await judge(self._kubelet.client, vmi)

        def running(fresh: Obj) -> None:
            vmi_status.set_machine(fresh)
            vmi_status.set_migratable(fresh, verdict)
            self._set_guest(fresh, domain, sandbox)
            vmi_status.set_phase(fresh, "Running")

        await self._write(vmi, running)
        await self._events.normal(vmi, "Created", "VirtualMachineInstance defined.", host=sandbox.node)
        await self._events.normal(vmi, "Started", "VirtualMachineInstance started.", host=sandbox.node)
        self._watchers[domain.uid] = asyncio.create_task(self._watch(domain), name=f"watch {domain.key}")

    def _sandbox_of(self, vmi: Obj) -> Sandbox | None:
        node = vmi["status"]["nodeName"]
        for pod_uid in vmi["status"].get("activePods", {}):
            sandbox = self._kubelet.sandboxes.get(pod_uid)
            if sandbox and sandbox.node == node:
                return sandbox
        return None

    async def _refresh(self, vmi: Obj, domain: Domain) -> None:
        sandbox = self._kubelet.sandboxes.get(domain.pod_uid)
        if sandbox is None:
            return
        await self._follow_spec(vmi, domain, sandbox)
        await self._run_fault_actions(vmi, sandbox)
        verdict = await judge(self._kubelet.client, vmi)

        def refreshed(fresh: Obj) -> None:
            if fresh["status"].get("phase") == "Running" and fresh["status"].get("nodeName") == domain.node:
                vmi_status.set_migratable(fresh, verdict)
                self._set_guest(fresh, domain, sandbox)

        await self._write(vmi, refreshed)

    def _set_guest(self, fresh: Obj, domain: Domain, sandbox: Sandbox) -> None:
        vmi_status.set_guest(fresh, domain, sandbox)
        fresh["status"] = self._fault_points.apply("agent.vmi_status", fresh["status"], vmi=fresh)

    async def _follow_spec(self, vmi: Obj, domain: Domain, sandbox: Sandbox) -> None:
        """Applies link states, and plugs or unplugs NICs whose pod interface has been added or removed."""
        wished = {interface["name"]: interface for interface in guest_spec.interfaces(vmi)}
        pod_interfaces = guest_spec.pod_interfaces(vmi, sandbox)
        for name, interface in wished.items():
            if name not in pod_interfaces:
                continue
            fresh = guest_spec.nic(interface, pod_interfaces[name])
            has = domain.nics.get(name)
            if has is None:
                await self._dataplane.plug(domain.uid, fresh)
                domain.nics[name] = fresh
            elif has.link_up != fresh.link_up:
                await self._dataplane.set_link(domain.uid, name, fresh.link_up)
                domain.nics[name] = vmi_status.with_link(has, fresh.link_up)
        for name in [name for name in domain.nics if name not in wished]:
            if self._fault_points.apply("agent.unplug", True, vmi=vmi, nic=name):
                await self._dataplane.unplug(domain.uid, name)
            del domain.nics[name]

    async def _run_fault_actions(self, vmi: Obj, sandbox: Sandbox) -> None:
        pod_interfaces = {
            nic: pod_interface.name for nic, pod_interface in guest_spec.pod_interfaces(vmi, sandbox).items()
        }
        now = SpecSync(self._dataplane, vmi, sandbox, pod_interfaces, self._kubelet.sandboxes)
        for action in self._fault_points.apply("agent.after_spec_sync", list[Action](), vmi=vmi):
            await action(now)

    async def _watch(self, domain: Domain) -> None:
        """Queues the VMI whenever its guest reports a change, until the guest ends."""
        exited = self._dataplane.exited(domain.uid)
        while not domain.stopped.is_set():
            report = await self._report(domain)
            if report != domain.report:
                domain.report = report
                self.queue.add(domain.key)
            pause = AGENT_EAGER if domain.report is None else AGENT_STEADY
            try:
                await asyncio.wait_for(exited.wait(), pause)
            except TimeoutError:
                continue
            if domain.stopping is None and not domain.panicked:
                domain.stopped.set()
            break
        await domain.stopped.wait()
        self.queue.add(domain.key)

    async def _report(self, domain: Domain) -> AgentReport | None:
        if domain.panicked or domain.paused:
            # A paused guest's agent cannot answer, but its channel stays open.
            return None if domain.panicked else domain.report
        try:
            return await self._dataplane.agent_report(domain.uid)
        except (DataPlaneError, OSError) as error:
            log.debug("agent of %s: %s", domain.key, error)
            return None

    async def _shut_down(self, vmi: Obj, domain: Domain | None) -> None:
        if domain is None:
            await self._end(vmi, "Failed" if vmi["status"].get("phase") == "Running" else "Succeeded")
            return
        grace = vmi["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE)
        await self.domains.stop(domain, self._pace.seconds(grace))
        await self._end(vmi, "Succeeded")

    async def _end(self, vmi: Obj, phase: str) -> None:
        """Sets the VMI's final phase; the launcher ends with its guest."""
        self._ended[key_of(vmi)] = vmi["metadata"]["uid"]
        await self._write(vmi, lambda fresh: vmi_status.set_phase(fresh, phase))
        node = vmi["status"]["nodeName"]
        if phase == "Succeeded":
            await self._events.normal(vmi, "Stopped", "The VirtualMachineInstance was shut down.", host=node)
        else:
            message = "The VirtualMachineInstance crashed."
            await self._events.warning(vmi, "Stopped", message, host=node)
        if domain := self.domains.get(vmi["metadata"]["uid"]):
            await self._bury(domain)

    async def _bury(self, domain: Domain) -> None:
        await self.domains.stop(domain, 0)
        self._kubelet.workload_ended(domain.pod_uid, 0)
        self.domains.forget(domain.uid)
        domain.end_reported.set()
        if watcher := self._watchers.pop(domain.uid, None):
            watcher.cancel()

    async def _write(self, vmi: Obj, mutate: Mutation) -> None:
        try:
            await update_with_retry(self._clients, VMIS, vmi, mutate)
        except ApiError as error:
            if error.code != 422 or "deletionTimestamp" not in vmi["metadata"]:
                raise
