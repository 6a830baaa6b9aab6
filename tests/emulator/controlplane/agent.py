# SPDX-License-Identifier: Apache-2.0
"""Plays kubelet, Multus and virt-handler for these tests: it writes what they write, and nothing moves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from emulator.apiserver.core import ApiCore
from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.objects import clone
from emulator.apiserver.users import service_account
from emulator.controlplane import names
from emulator.controlplane.accessors import containers_ready, is_final, network_status, phase, pod_is_down
from emulator.controlplane.vmi.status import set_phase
from emulator.kube import conditions
from emulator.kube.client import JsonPatch
from emulator.kube.errors import ApiError
from emulator.kube.events import EventRecorder
from emulator.kube.informer import Informer
from emulator.kube.timestamps import timestamp
from emulator.pace import Pace

from .reports import asked, follow, node, plugged, report

Obj = dict[str, Any]
# Real seconds that launchers take between two reports, at least: controllers get to see each of them.
BREATH = 0.75
PLUGGING = 1.0
POD_START = 1.5


class HandlerClient(LocalClient):
    """Every node's virt-handler: a VMI is written by that of its node, as the real control plane demands."""

    def __init__(self, core: ApiCore) -> None:
        super().__init__(core, service_account("kubevirt", "kubevirt-handler"), manager="virt-handler")

    def _on_node_of(self, resource: str, name: str, namespace: str) -> LocalClient:
        item = self.core.store.get(resource, (namespace, name)) if resource == names.VMI else None
        node = item.obj["status"].get("nodeName", "") if item else ""
        user = service_account("kubevirt", "kubevirt-handler", node=node)
        return LocalClient(self.core, user, manager=self.manager)

    async def replace(self, resource: str, obj: Obj, *, subresource: str = "") -> Obj:
        meta = obj["metadata"]
        one = self._on_node_of(resource, meta["name"], meta.get("namespace", ""))
        return await one.replace(resource, obj, subresource=subresource)

    async def patch(
        self, resource: str, name: str, namespace: str | None, patch: JsonPatch | Obj, *, subresource: str = ""
    ) -> Obj:
        one = self._on_node_of(resource, name, namespace or "")
        return await one.patch(resource, name, namespace, patch, subresource=subresource)


class Agent:
    """All nodes at once. The events let a test hold a step back: clear ``may_run`` to keep guests from starting."""

    def __init__(
        self,
        core: ApiCore,
        pace: Pace,
        *,
        migratable: Obj | None = None,
        missing_nads: set[str] | None = None,
        dynamic_networks: bool = False,
    ) -> None:
        self.client = HandlerClient(core)
        self.recorder = EventRecorder(self.client, "virt-handler")
        self.pace = pace
        self.haste = 1.0
        self.migratable = migratable or conditions.new("LiveMigratable", "True")
        # The verdicts on single VMIs that cannot migrate, by their names.
        self.non_migratable: dict[str, Obj] = {}
        self.missing_nads = missing_nads or set()
        self.dynamic_networks = dynamic_networks
        self.may_start_pods = _set_event()
        self.may_end_pods = _set_event()
        self.may_run = _set_event()
        self.may_be_migratable = _set_event()
        self.may_start_copying = _set_event()
        self.may_finish = _set_event()
        self.may_end_launchers = _set_event()
        self.gap: asyncio.Event | None = None
        self.fail_migrations = False
        # Whether virt-handler tells of the guest's end, too, when only its pod is deleted.
        self.reports_ends = False
        self.pods = Informer(self.client, names.PODS, labels="kubevirt.io=virt-launcher")
        self.vmis = Informer(self.client, names.VMI)
        self.pods.on_change(self._on_pod)
        self.vmis.on_change(self._on_vmi)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._loops: list[asyncio.Task[None]] = []

    async def start(self, nodes: int = 2) -> None:
        for number in range(1, nodes + 1):
            await self.client.create(names.NODES, node(f"node{number}"))
        self._loops = [asyncio.create_task(informer.run()) for informer in (self.pods, self.vmis)]

    async def stop(self) -> None:
        for task in [*self._loops, *self._tasks.values()]:
            task.cancel()
        await asyncio.gather(*self._loops, *self._tasks.values(), return_exceptions=True)

    def _once(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        if key in self._tasks:
            work.close()
        else:
            self._tasks[key] = asyncio.create_task(work)

    # kubelet and Multus

    def _on_pod(self, event: str, pod: Obj, old: Obj | None) -> None:
        uid = pod["metadata"]["uid"]
        if event == "DELETED" or not pod["spec"].get("nodeName"):
            return
        if "deletionTimestamp" in pod["metadata"]:
            self._once(f"end {uid}", self._end_pod(pod))
        elif phase(pod) in ("", "Pending"):
            self._once(f"run {uid}", self._run_pod(pod))
        self._once(f"gate {pod['metadata']['resourceVersion']}", self._gate(pod))
        if self.dynamic_networks:
            self._once(f"plug {pod['metadata']['resourceVersion']}", self._plug(pod))

    async def _run_pod(self, pod: Obj) -> None:
        wanted = asked(pod)
        await self.may_start_pods.wait()
        while any(f"{net['namespace']}/{net['name']}" in self.missing_nads for net in wanted):  # noqa: ASYNC110 - as kubelet
            await asyncio.sleep(0.02)
        await self.pace.sleep(POD_START * self.haste)
        try:
            await self._patch_pod(pod, plugged([], wanted))
        except ApiError as error:
            if error.code != 404:
                raise
            return
        ready = [{"name": "compute", "ready": True, "started": True, "image": "i", "imageID": "i", "restartCount": 0}]

        ended: Obj = {"ready": True, "started": False, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
        images = [
            {**ready[0], **ended, "name": container["name"], "imageID": f"docker.io/i@sha256:{'0' * 64}"}
            for container in pod["spec"].get("initContainers") or []
            if container.get("restartPolicy") != "Always"
        ]

        def running(new: Obj) -> None:
            new["status"] |= {"phase": "Running", "podIP": "10.244.0.9", "containerStatuses": ready}
            new["status"]["initContainerStatuses"] = images
            conditions.put(new, conditions.new("ContainersReady", "True"))

        await self._edit_pod(pod, running)

    async def _plug(self, pod: Obj) -> None:
        """The dynamic networks controller: a running pod gets and loses interfaces, none changes its network."""
        wanted, now = asked(pod), network_status(pod)
        if phase(pod) == "Running" and {net["interface"] for net in wanted} != {net["interface"] for net in now[1:]}:
            await self.pace.sleep(PLUGGING)
            await self._patch_pod(pod, plugged(now, wanted))

    async def _gate(self, pod: Obj) -> None:
        """The Ready condition, from containers and readiness gates."""
        if not containers_ready(pod):
            return
        if conditions.is_true(pod, names.UNPAUSED):
            if names.MIGRATION_JOB_UID in pod["metadata"]["labels"]:
                await self.pace.sleep(BREATH * self.haste)
            wanted = conditions.new("Ready", "True")
        else:
            message = "corresponding condition of pod readiness gate does not exist."
            wanted = conditions.new("Ready", "False", reason="ReadinessGatesNotReady", message=message)
        await self._edit_pod(pod, lambda new: conditions.put(new, wanted) and None)

    async def _end_pod(self, pod: Obj) -> None:
        await self.may_end_pods.wait()
        meta = pod["metadata"]
        owner = meta["ownerReferences"][0]
        vmi = await self._get_vmi(meta["namespace"], owner["name"])
        hosted = vmi is not None and vmi["status"].get("nodeName") == pod["spec"]["nodeName"]
        ours = vmi is not None and hosted and vmi["metadata"]["uid"] == owner["uid"]
        told = self.reports_ends or (vmi is not None and "deletionTimestamp" in vmi["metadata"])
        if vmi is not None and ours and told and not is_final(vmi):
            # Of a pod that goes for other reasons virt-controller takes note.
            await self._edit_vmi(vmi, lambda new: new["status"].update(phase="Succeeded"))
            await self.pace.sleep(BREATH * self.haste)
        await self._finish_pod(pod)
        if self.reports_ends:
            await self.pace.sleep(BREATH * self.haste)
        try:
            await self.client.delete(names.PODS, meta["name"], meta["namespace"], grace=0)
        except ApiError as error:
            if error.code != 404:
                raise

    async def _finish_pod(self, pod: Obj) -> None:
        def completed(new: Obj) -> None:
            new["status"]["phase"] = "Succeeded"
            for container in new["status"].get("containerStatuses") or []:
                ended = {"exitCode": 0, "reason": "Completed"}
                container.update(ready=False, started=False, state={"terminated": ended})
            conditions.put(new, conditions.new("Ready", "False", reason="PodCompleted"))

        await self._edit_pod(pod, completed)

    # virt-handler

    def _on_vmi(self, event: str, vmi: Obj, old: Obj | None) -> None:
        if event == "DELETED":
            return
        uid = vmi["metadata"]["uid"]
        if phase(vmi) == "Scheduled":
            self._once(f"boot {uid}", self._boot(vmi))
        if phase(vmi) == "Running" and follow(clone(vmi)):
            self._once(f"follow {vmi['metadata']['resourceVersion']}", self._edit_vmi(vmi, follow))
        state = vmi["status"].get("migrationState") or {}
        if phase(vmi) == "Running" and state.get("targetNode"):
            self._once(f"migrate {state['migrationUid']}", self._migrate(vmi, state["migrationUid"]))

    async def _boot(self, vmi: Obj) -> None:
        await self.may_run.wait()
        await self.pace.sleep(BREATH * self.haste)

        verdict = self.non_migratable.get(vmi["metadata"]["name"], self.migratable)

        def running(new: Obj) -> None:
            set_phase(new, "Running")
            if self.may_be_migratable.is_set():
                conditions.put(new, verdict)
            conditions.put(new, conditions.new("StorageLiveMigratable", "True"))
            conditions.put(new, conditions.new("AgentConnected", "True"))
            new["status"]["selinuxContext"] = "none"
            report(new)

        await self._edit_vmi(vmi, running)
        await self.recorder.normal(vmi, "Created", "VirtualMachineInstance defined.")
        await self.recorder.normal(vmi, "Started", "VirtualMachineInstance started.")
        await self.may_be_migratable.wait()
        await self._edit_vmi(vmi, lambda new: conditions.put(new, verdict) and None)

    async def _migrate(self, vmi: Obj, uid: str) -> None:
        state = vmi["status"]["migrationState"]
        await self._phase(vmi, uid, "PreparingTarget")
        await self._update(vmi, uid, targetNodeAddress="127.0.0.2", targetDirectMigrationNodePorts={"40001": 0})
        await self.recorder.normal(vmi, "PreparingTarget", "VirtualMachineInstance Migration Target Prepared.")
        await self._phase(vmi, uid, "TargetReady")
        await self.may_start_copying.wait()
        await self._update(vmi, uid, startTimestamp=timestamp(), mode="PreCopy")
        await self.recorder.normal(vmi, "Migrating", "VirtualMachineInstance is migrating.")
        await self._phase(vmi, uid, "Running")
        if self.fail_migrations:
            await self._give_up(vmi, uid, "Live migration failed: asked for")
            return
        while not self.may_finish.is_set():
            now = await self._get_vmi(vmi["metadata"]["namespace"], vmi["metadata"]["name"])
            if now is None or is_final(now):
                return
            if now["status"]["migrationState"].get("abortRequested"):
                await self._give_up(vmi, uid, "Live migration aborted ", abortStatus="Succeeded")
                return
            await asyncio.sleep(0.01)
        await self._update(vmi, uid, targetNodeDomainDetected=True)

        def ready(new: Obj) -> None:
            conditions.remove(new, names.MIGRATION_REQUIRED)
            new["status"]["migrationState"]["targetNodeDomainReadyTimestamp"] = timestamp()

        await self._edit_vmi(vmi, ready)
        await self.pace.sleep(BREATH * self.haste)

        def switched(new: Obj) -> None:
            new["status"]["migrationState"]["endTimestamp"] = timestamp()
            new["status"]["nodeName"] = state["targetNode"]
            new["status"].pop("launcherContainerImageVersion", None)
            new["status"].pop("evacuationNodeName", None)
            new["metadata"]["labels"][names.NODE_NAME] = state["targetNode"]

        await self._edit_vmi(vmi, switched)
        message = f"The VirtualMachineInstance migrated to node {state['targetNode']}."
        await self.recorder.normal(vmi, "Migrated", message)
        if self.gap is not None:
            await self.gap.wait()

        def complete(new: Obj) -> None:
            cpu = new["spec"]["domain"]["cpu"]
            new["status"]["migrationState"]["completed"] = True
            new["status"]["currentCPUTopology"] = {part: cpu[part] for part in ("cores", "sockets", "threads")}
            conditions.remove(new, "HotVCPUChange")

        await self._edit_vmi(vmi, complete)
        await self.pace.sleep(BREATH * self.haste)
        await self._edit_vmi(vmi, lambda new: new["metadata"]["labels"].pop(names.TARGET_NODE_NAME, None))
        await self.may_end_launchers.wait()
        source = self.pods.get(vmi["metadata"]["namespace"], state["sourcePod"])
        if source is not None and not pod_is_down(source):
            await self._finish_pod(source)

    async def _give_up(self, vmi: Obj, uid: str, why: str, **more: Any) -> None:
        fields = {"failed": True, "completed": True, "endTimestamp": timestamp(), "failureReason": why, **more}
        await self._update(vmi, uid, **fields)
        message = f"VirtualMachineInstance migration uid {uid} failed. reason:{why}"
        await self.recorder.warning(vmi, "Migrated", message)
        await self._edit_vmi(vmi, lambda new: new["metadata"]["labels"].pop(names.TARGET_NODE_NAME, None))

    async def _phase(self, vmi: Obj, uid: str, wanted: str) -> None:
        """Waits as the real one does in effect: its next step is a heartbeat or a launcher call away."""
        for _ in range(500):
            items, _version = await self.client.list(names.MIGRATION, vmi["metadata"]["namespace"])
            if any(m["metadata"]["uid"] == uid and phase(m) in (wanted, "Failed") for m in items):
                return
            await asyncio.sleep(0.005)

    # writing

    async def _get_vmi(self, namespace: str, name: str) -> Obj | None:
        try:
            return await self.client.get(names.VMI, name, namespace)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    async def _update(self, vmi: Obj, uid: str, **fields: Any) -> None:
        def change(new: Obj) -> None:
            if (new["status"].get("migrationState") or {}).get("migrationUid") == uid:
                new["status"]["migrationState"] |= fields

        await self._edit_vmi(vmi, change)

    async def _edit_vmi(self, vmi: Obj, change: Any) -> None:
        meta = vmi["metadata"]
        while True:
            now = await self._get_vmi(meta["namespace"], meta["name"])
            if now is None or now["metadata"]["uid"] != meta["uid"]:
                return
            new = clone(now)
            change(new)
            try:
                if new != now:
                    await self.client.replace(names.VMI, new)
            except ApiError as error:
                if error.code != 409:
                    raise
            else:
                return

    async def _patch_pod(self, pod: Obj, patch: Obj) -> None:
        await self.client.patch(names.PODS, pod["metadata"]["name"], pod["metadata"]["namespace"], patch)

    async def _edit_pod(self, pod: Obj, change: Any) -> None:
        meta = pod["metadata"]
        while True:
            try:
                now = await self.client.get(names.PODS, meta["name"], meta["namespace"])
                new = clone(now)
                new.setdefault("status", {})
                change(new)
                if new != now:
                    await self.client.replace(names.PODS, new, subresource="status")
            except ApiError as error:
                if error.code == 404:
                    return
                if error.code != 409:
                    raise
            else:
                return


def _set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event
