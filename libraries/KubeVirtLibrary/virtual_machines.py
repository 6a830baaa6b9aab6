# SPDX-License-Identifier: Apache-2.0
"""Keywords: define VMs and their NICs, start, stop and restart them, and judge whether they were restarted."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Literal

from livenad.api.kinds import VMI
from livenad.api.refusals import remedy_of
from livenad.api.status import node_of
from livenad.changes import NetworkChange
from livenad.errors import LabError, TestError
from livenad.model import Nic, VmRecord
from livenad.observation import first_seen
from livenad.text import human
from livenad.virtual_machines.judge_lifecycle import (
    judge_new_instance,
    judge_not_restarted,
    judge_ran_on,
    judge_same_instance,
    judge_started_once,
)
from livenad.virtual_machines.readiness import is_ready, missing_to_ready
from livenad.virtual_machines.user_manifest import learn_macs, starts_by_itself
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import details, step
from KubeVirtLibrary.types import Addresses, NetworkName, NicName, VmName, parse_addresses

Obstacle = Literal["nothing", "binding", "volume"]
EvictionStrategy = Literal["cluster default", "LiveMigrate", "LiveMigrateIfPossible", "External", "None"]

_AT_ONCE = 8
_NAMED = 10
"""How many of many VMs a message names."""


class VirtualMachineKeywords(KeywordComponent):
    """VMs of the open test namespace."""

    @keyword(name="Define VM", tags=["virtual machines", "core"])
    def define_vm(
        self,
        vm: VmName,
        *,
        image: str = "",
        memory: str = "",
        cpu_cores: int = 1,
        pod_network: bool = True,
        non_migratable_by: Obstacle = "nothing",
        eviction_strategy: EvictionStrategy = "cluster default",
    ) -> None:
        """Defines a VM of this suite. `Start VMs` creates it. Its first NIC, "default", is on the pod network.

        Args:
        | ``vm`` | name of the VM, a DNS label of 50 characters at most. |
        | ``image`` | container disk that it boots, with cloud-init; empty: variable VM_IMAGE. |
        | ``memory`` | memory of the guest, such as ``2Gi``; empty: variable VM_MEMORY. |
        | ``cpu_cores`` | number of CPU cores, 1 to 64. |
        | ``pod_network`` | ``no``: the VM gets no NIC on the pod network. |
        | ``non_migratable_by`` | ``nothing``: the VM can be live-migrated. It cannot with ``binding``: its NIC on the |
        | | pod network has bridge binding; and with ``volume``: it gets a volume of variable STORAGE_CLASS that only |
        | | one node can mount. |
        | ``eviction_strategy`` | field ``evictionStrategy`` of the VM; `Evict VM` needs ``LiveMigrate``. |

        Example:
        | Define VM    web    memory=2Gi    cpu_cores=2
        """
        run = self.run
        storage = None
        if non_migratable_by == "volume":
            run.capabilities.require("rwo-storage")
            storage = run.settings.storage_class
        binding = "bridge" if non_migratable_by == "binding" else "masquerade"
        record = self.suite.vms.define(
            vm,
            pod_network=pod_network,
            pod_binding=binding,
            storage_class=storage,
            image=image,
            memory=memory,
            cpu_cores=cpu_cores,
            eviction_strategy="" if eviction_strategy == "cluster default" else eviction_strategy,
        )
        record.recorded_from = len(self.history)
        cores = "1 CPU core" if cpu_cores == 1 else f"{cpu_cores} CPU cores"
        kept = "" if non_migratable_by == "nothing" else f", kept from live migration by {non_migratable_by}"
        step(
            f"{record.subject} defined: image {image or run.settings.vm_image}, memory "
            f"{memory or run.settings.vm_memory}, {cores}, {_listed(record) or 'no NIC'}{kept}"
        )

    @keyword(name="Add NIC", tags=["virtual machines", "core"])
    def add_nic(self, vm: VmName, name: NicName, *, network: NetworkName, addresses: Addresses | None = None) -> None:
        """Adds a NIC with bridge binding to a VM that is not started yet. For a running VM, see `Hot Plug NIC`.

        Args:
        | ``vm`` | a VM of `Define VM` or `Define VM From Manifest`. |
        | ``name`` | name of the NIC in the VM's spec. |
        | ``network`` | the network that the NIC is on. |
        | ``addresses`` | static addresses with prefix, separated by commas, such as ``10.10.0.10/24, fd00::10/64``. |

        Example:
        | Add NIC    web    secondary    network=old-network    addresses=10.10.0.10/24
        """
        suite, record = self.suite, self.vm(vm)
        if record in suite.vms.started:
            raise TestError(
                f"VM {record.namespace}/{record.name} is started already; `Add NIC` is for VMs that are not"
            )
        nic = suite.vms.new_nic(record, name, self.network(network), parse_addresses(addresses, name))
        record.nics.append(nic)
        step(f"{record.subject}: NIC {nic_text(nic)} defined")

    @keyword(name="Start VMs", tags=["virtual machines", "core"])
    def start_vms(self, *vms: VmName) -> None:
        """Creates and starts VMs. `Wait Until VMs Are Ready` waits for them.

        A VM of `Define VM From Manifest` is started even if its manifest says that it is not to run.

        Args:
        | ``vms`` | VMs that are defined, or were stopped. Without any: all VMs that are defined and not created yet. |

        Example:
        | Start VMs
        """
        from livenad.virtual_machines.actions import request_action  # noqa: PLC0415
        from livenad.virtual_machines.creation import create_vm  # noqa: PLC0415

        run, suite = self.run, self.suite
        records = [self.vm(name) for name in vms] or suite.vms.waiting
        started = {record.name for record in suite.vms.started}
        stopped = [record for record in records if record.name in started]
        if stopped:
            suite.recorder.catch_up()
        for record in records:
            suite.namespace.naming.expect(record.name)
        suite.recorder.select_again()
        affinity = run.networks.node_affinity(run.facts.nodes)
        ipv6_only = run.facts.nodes is not None and run.facts.nodes.ipv6_only

        def create(record: VmRecord) -> None:
            create_vm(run.created, suite.vms, record, run.settings, affinity, ipv6_only=ipv6_only)

        fresh = [record for record in records if record.name not in started]
        with ThreadPoolExecutor(_AT_ONCE, "create VM") as pool:
            list(pool.map(create, fresh))
        idle = [record for record in fresh if record.origin == "manifest" and not starts_by_itself(record.manifest)]
        for record in stopped + idle:
            suite.changes.add(request_action(run.cluster, suite.recorder, record, "start"))
        step(
            f"Started in {suite.namespace.name}: {', '.join(one.name for one in records) or 'nothing, all are started'}"
        )

    @keyword(name="Stop VM", tags=["virtual machines", "core"])
    def stop_vm(self, vm: VmName) -> None:
        """Stops a running VM, as ``virtctl stop`` does. `Wait Until Change Has Settled` waits until it is stopped.

        Args:
        | ``vm`` | a VM that runs. |

        Example:
        | Stop VM    web
        | Wait Until Change Has Settled    web    within=2 min
        """
        self._request(vm, "stop")

    @keyword(name="Restart VM", tags=["virtual machines", "core"])
    def restart_vm(self, vm: VmName) -> None:
        """Restarts a running VM, as ``virtctl restart`` does: it gets a new VMI.

        `Wait Until Change Has Settled` waits until the VM runs again.

        Args:
        | ``vm`` | a VM that runs. |

        Example:
        | Restart VM    web
        | Wait Until Change Has Settled    web    within=5 min
        """
        self._request(vm, "restart")

    @keyword(name="Wait Until VMs Are Ready", tags=["virtual machines", "core"])
    def wait_until_vms_are_ready(self, *, within: timedelta) -> None:
        """Waits until all started VMs are ready. A VM that is not ready in time is a LAB ERROR.

        A VM is ready when it runs, its guest agent is connected, it can be live-migrated, and its VMI reports all its
        addresses. There are two exceptions:

        - a VM with ``non_migratable_by`` of `Define VM` must report that it cannot be live-migrated;
        - a VM of `Use Existing VM`, or whose manifest has cloud-init of its own, may have no guest agent. Its addresses
          are waited for only if it has one.

        Args:
        | ``within`` | longest wait, for all of them together. |

        Example:
        | Wait Until VMs Are Ready    within=10 min
        """
        suite = self.suite
        recorder, records = suite.recorder, suite.vms.started
        if not records:
            raise TestError(f"no VM is started in namespace {recorder.namespace}; call `Start VMs` first")
        began = time.monotonic()
        by_name = {record.name: record for record in records}

        def lacks(name: str) -> str:
            return ", ".join(missing_to_ready(recorder.history, by_name[name]))

        unready = recorder.wait_for_each(
            list(by_name),
            lambda name: is_ready(recorder.history, by_name[name]),
            within.total_seconds(),
            "VMs ready",
            lacks,
        )
        if unready:
            told = [f"VM {recorder.namespace}/{name}: {lacks(name)}" for name in unready[:_NAMED]]
            more = [f"and {len(unready) - _NAMED} more of {len(records)} VMs"] if len(unready) > _NAMED else []
            raise LabError(
                f"expected all VMs to be ready within {human(within.total_seconds())}; "
                + "; ".join([*told, *more, *recorder.broken_streams(), *filter(None, [remedy_of("; ".join(told))])])
            )
        for record in records:
            learn_macs(record, recorder.history.current(VMI, record.name))
        nodes = {record.name: node_of(recorder.history.current(VMI, record.name) or {}) for record in records}
        took = human(time.monotonic() - began)
        step(f"Ready after {took}: " + ", ".join(f"{name} on {node}" for name, node in nodes.items()))
        details("NICs", "\n".join(_nic_lines(record) for record in records))

    @keyword(name="Delete VM", tags=["virtual machines", "core"])
    def delete_vm(self, vm: VmName, *, within: timedelta = timedelta(minutes=2)) -> None:
        """Removes a VM that this suite created, and waits until it and its launcher pods are gone.

        Its name can be used again afterwards. A VM that is not gone in time is a LAB ERROR. A VM of `Use Existing VM`
        is not deleted: this is a TEST ERROR. The VMs that a suite created are removed at its end, also without this
        keyword.

        Args:
        | ``vm`` | a VM of `Define VM` or `Define VM From Manifest`. |
        | ``within`` | longest wait until it is gone. |

        Example:
        | Delete VM    shop    within=2 min
        """
        from livenad.namespaces.vm_removal import delete_vm  # noqa: PLC0415

        suite, record = self.suite, self.vm(vm)
        if record.origin == "existing":
            raise TestError(
                f"{record.subject} existed before this suite and is not removed; `Delete VM` is for VMs of `Define VM` "
                "and `Define VM From Manifest`"
            )
        took = delete_vm(self.run.created, suite, record, within.total_seconds())
        step(f"{record.subject} is gone after {human(took)}")

    @keyword(name="VM Should Have Restarted", tags=["virtual machines", "core"])
    def vm_should_have_restarted(self, vm: VmName) -> None:
        """Fails unless the VM runs with another VMI than before `Restart VM`, or than before `Stop VM` and `Start VMs`.

        Args:
        | ``vm`` | a VM of `Restart VM` or `Start VMs`. |

        Example:
        | VM Should Have Restarted    web
        """
        change = self.suite.changes.last(self.vm(vm).name, "restart", "start")
        self.judge(judge_new_instance, change)

    @keyword(name="VM Should Not Have Restarted", tags=["virtual machines", "core"])
    def vm_should_not_have_restarted(self, vm: VmName) -> None:
        """Fails if the VMI was deleted or replaced, or left phase Running, at any time in a window up to now.

        The window starts just before the first change of the VM's networks or NICs since its last start or restart. If
        there was no such change, it starts when the VM was first seen running. If the VM was never seen running, the
        keyword fails with a LAB ERROR.

        If the VM was changed while it was starting, the VMI that was starting must be the one that runs now, and it
        must never have returned to an earlier phase.

        Args:
        | ``vm`` | a VM whose network or NICs were changed, or that was left alone. |

        Example:
        | VM Should Not Have Restarted    web
        """
        change = self.judged_since(vm)
        if change.action in ("start", "restart"):
            self.suite.recorder.catch_up()
            change = first_seen(self.history, self.vm(vm), change)
        if change.action == "seen running":
            self.judge(judge_ran_on, change)
        elif not isinstance(change, NetworkChange):
            self.judge(judge_same_instance, change)
        else:
            self.judge(judge_started_once if change.vm_state == "starting" else judge_not_restarted, change)

    def _request(self, vm: VmName, verb: Literal["stop", "restart"]) -> None:
        from livenad.virtual_machines.actions import request_action  # noqa: PLC0415

        run, suite, record = self.run, self.suite, self.vm(vm)
        suite.recorder.catch_up()
        change = request_action(run.cluster, suite.recorder, record, verb)
        suite.changes.add(change)
        step(f"{change.title}: {verb} requested; it is on {change.node or 'no node'}")


def nic_text(nic: Nic) -> str:
    """``"secondary" on blue, MAC 02:..., 10.10.0.10/24``: a NIC in one line."""
    where = f"on {nic.network}" if nic.network else "on the pod network"
    addresses = ", ".join(map(str, nic.addresses)) or ("no address" if nic.network else "address by DHCP")
    return f'"{nic.name}" {where}, MAC {nic.mac or "by KubeVirt"}, {addresses}'


def _listed(record: VmRecord) -> str:
    return "; ".join(f"NIC {nic_text(nic)}" for nic in record.nics)


def _nic_lines(record: VmRecord) -> str:
    return "\n".join([record.name, *(f"  {nic_text(nic)}" for nic in record.nics)])
