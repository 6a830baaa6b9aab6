"""Keywords: define VMs and their NICs, start, stop and restart them, and judge whether they were restarted."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Literal

from livenad.api.kinds import VMI
from livenad.api.status import node_of
from livenad.changes import NetworkChange
from livenad.errors import LabError, TestError
from livenad.model import VmRecord
from livenad.text import human
from livenad.virtual_machines.judge_lifecycle import (
    judge_new_instance,
    judge_not_restarted,
    judge_same_instance,
    judge_started_once,
)
from livenad.virtual_machines.readiness import missing_to_ready
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import details, step
from KubeVirtLibrary.types import Addresses, NetworkName, NicName, VmName, parse_addresses

Obstacle = Literal["nothing", "binding", "volume"]


class VirtualMachineKeywords(KeywordComponent):
    """VMs of the open test namespace."""

    @keyword(name="Define VM", tags=["virtual machines", "core"])
    def define_vm(self, vm: VmName, *, pod_network: bool = True, non_migratable_by: Obstacle = "nothing") -> None:
        """Notes a VM of this suite; `Start VMs` creates it. Its first NIC, "default", is on the pod network.

        Args:
        | ``vm`` | name of the VM, a DNS label. |
        | ``pod_network`` | no for a VM without the pod network's NIC. |
        | ``non_migratable_by`` | what keeps it from being live-migrated: ``nothing``; ``binding`` of its pod network |
        |                  | by a bridge; or a ``volume`` that one node alone may mount, of STORAGE_CLASS. |
        """
        run = self.run
        storage = None
        if non_migratable_by == "volume":
            run.capabilities.require("rwo-storage")
            storage = run.settings.storage_class
        binding = "bridge" if non_migratable_by == "binding" else "masquerade"
        self.suite.vms.define(vm, pod_network=pod_network, pod_binding=binding, storage_class=storage)

    @keyword(name="Add NIC", tags=["virtual machines", "core"])
    def add_nic(self, vm: VmName, name: NicName, *, network: NetworkName, addresses: Addresses | None = None) -> None:
        """Gives a VM that is not started yet a NIC on a network, bound by a bridge.

        Args:
        | ``vm`` | a VM of `Define VM`. |
        | ``name`` | name of the NIC in the VM's spec. |
        | ``network`` | the NIC's network. |
        | ``addresses`` | static addresses with prefix, separated by commas, such as ``10.10.0.10/24, fd00::10/64``. |
        """
        suite, record = self.suite, self.vm(vm)
        if record in suite.vms.started:
            raise TestError(
                f"VM {record.namespace}/{record.name} is started already; `Add NIC` is for VMs that are not"
            )
        record.nics.append(suite.vms.new_nic(record, name, self.network(network), parse_addresses(addresses, name)))

    @keyword(name="Start VMs", tags=["virtual machines", "core"])
    def start_vms(self, *vms: VmName) -> None:
        """Creates every defined VM that is not started yet, and starts those that were stopped. Waits for nothing.

        Args:
        | ``vms`` | names of VMs; none: all that are defined and not created yet. |
        """
        from livenad.virtual_machines.actions import request_action  # noqa: PLC0415
        from livenad.virtual_machines.creation import create_vm  # noqa: PLC0415

        run, suite = self.run, self.suite
        records = [self.vm(name) for name in vms] or suite.vms.waiting
        stopped = [record for record in records if record in suite.vms.started]
        if stopped:
            suite.recorder.catch_up()
        for record in records:
            if record in stopped:
                change = request_action(run.cluster, suite.recorder, record, "start")
                suite.changes.add(change)
            else:
                nodes = run.facts.nodes.usable if run.facts.nodes else ()
                create_vm(run.created, suite.vms, record, run.settings, run.networks.node_affinity(nodes))
        step(
            f"Started in {suite.namespace.name}: {', '.join(one.name for one in records) or 'nothing, all are started'}"
        )

    @keyword(name="Stop VM", tags=["virtual machines", "core"])
    def stop_vm(self, vm: VmName) -> None:
        """Stops a running VM, as ``virtctl stop`` does. Waits for nothing, see `Wait Until Change Has Settled`.

        Args:
        | ``vm`` | a VM that runs. |
        """
        self._request(vm, "stop")

    @keyword(name="Restart VM", tags=["virtual machines", "core"])
    def restart_vm(self, vm: VmName) -> None:
        """Restarts a running VM, as ``virtctl restart`` does: a new VMI, a new boot. Waits for nothing.

        Args:
        | ``vm`` | a VM that runs. |
        """
        self._request(vm, "restart")

    @keyword(name="Wait Until VMs Are Ready", tags=["virtual machines", "core"])
    def wait_until_vms_are_ready(self, *, within: timedelta) -> None:
        """Waits until every started VM runs, has its guest agent, can be live-migrated and reports all its addresses.

        A VM that was defined as one that cannot be migrated must say so itself. One that is not ready in time is a
        LAB ERROR.

        Args:
        | ``within`` | for how long at most, for all of them together. |
        """
        suite = self.suite
        recorder, records = suite.recorder, suite.vms.started
        if not records:
            raise TestError(f"no VM is started in namespace {recorder.namespace}; call `Start VMs` first")
        began = time.monotonic()

        def unready() -> list[str]:
            found = [(record.name, missing_to_ready(recorder.history, record)) for record in records]
            return [f"VM {recorder.namespace}/{name}: {', '.join(missing)}" for name, missing in found if missing]

        ready = recorder.wait_for(
            lambda _: not unready(),
            within.total_seconds(),
            "VMs ready",
            lambda: "; ".join(unready()),
            vms={record.name for record in records},
        )
        if not ready:
            raise LabError(
                f"expected all VMs to be ready within {human(within.total_seconds())}; {'; '.join(unready())}"
                + "".join(f"; {line}" for line in recorder.broken_streams())
            )
        nodes = {record.name: node_of(recorder.history.current(VMI, record.name) or {}) for record in records}
        took = human(time.monotonic() - began)
        step(f"Ready after {took}: " + ", ".join(f"{name} on {node}" for name, node in nodes.items()))
        details("NICs", "\n".join(_nic_lines(record) for record in records))

    @keyword(name="VM Should Have Restarted", tags=["virtual machines", "core"])
    def vm_should_have_restarted(self, vm: VmName) -> None:
        """Fails unless the VM runs as another VMI than before `Restart VM`, or before its start by `Start VMs`.

        Args:
        | ``vm`` | a VM that one of them was called for. |
        """
        change = self.suite.changes.last(self.vm(vm).name, "restart", "start")
        self.judge(judge_new_instance, change)

    @keyword(name="VM Should Not Have Restarted", tags=["virtual machines", "core"])
    def vm_should_not_have_restarted(self, vm: VmName) -> None:
        """Fails when the VMI was deleted or replaced, or left phase Running, at any time since before the change.

        It is the first change of the VM's network or NICs since it was started. After an edit while the VM was
        starting, the VMI that was starting must be the one that runs, and must not go back from a phase.

        Args:
        | ``vm`` | a VM whose network or NICs were changed. |
        """
        change = self.suite.changes.first_since_start(self.vm(vm).name)
        if not isinstance(change, NetworkChange):
            self.judge(judge_same_instance, change)
        else:
            self.judge(judge_started_once if change.vm_state == "starting" else judge_not_restarted, change)

    def _request(self, vm: VmName, verb: Literal["stop", "restart"]) -> None:
        from livenad.virtual_machines.actions import request_action  # noqa: PLC0415

        run, suite, record = self.run, self.suite, self.vm(vm)
        suite.recorder.catch_up()
        change = request_action(run.cluster, suite.recorder, record, verb)
        suite.changes.add(change)
        step(f"{change.title}: {verb} asked for; it is on {change.node or 'no node'}")


def _nic_lines(record: VmRecord) -> str:
    lines = [
        f"  {nic.name}: {nic.mac}, {nic.network or 'pod network'}, {', '.join(map(str, nic.addresses)) or 'DHCP'}"
        for nic in record.nics
    ]
    return "\n".join([record.name, *lines])
