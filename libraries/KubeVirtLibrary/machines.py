"""Keywords: define VMs and their NICs, start them, wait until they can be used."""

from __future__ import annotations

import enum
import time
from datetime import timedelta
from ipaddress import ip_interface

from livenad.api.history import History
from livenad.api.kinds import SECRET, VM, VMI
from livenad.api.status import condition, condition_text, is_true, nic_status, node_of, phase_of, vm_summary
from livenad.cluster.capabilities import require_offer
from livenad.context import Run
from livenad.errors import BadInput, LabError
from livenad.model import Address, GuestLogin, Nic, VmRecord
from livenad.networks.run_networks import RunNetworks
from livenad.ownership.labels import is_dns_label
from livenad.text import human
from livenad.virtual_machines.cloud_init import network_data, user_data
from livenad.virtual_machines.credentials import KeyPair, new_key_pair, new_password
from livenad.virtual_machines.manifests import POD_NIC, cloud_init_secret, nic_mac, vm_manifest
from robot.api.deco import keyword

from KubeVirtLibrary.namespaces import nad_name
from KubeVirtLibrary.reporting import details, step


class Immovable(enum.Enum):
    """What keeps a VM from being live-migrated."""

    nothing = "nothing"
    binding = "binding"
    volume = "volume"


class MachineKeywords:
    """VMs of the open test namespace."""

    def __init__(self) -> None:
        self._host_keys: dict[tuple[str, str], KeyPair] = {}
        self._user_keys: dict[str, tuple[KeyPair, str]] = {}
        self._started: set[tuple[str, str]] = set()

    @keyword(name="Define VM", tags=["vm"])
    def define_vm(self, vm: str, *, pod_network: bool = True, immovable_by: Immovable = Immovable.nothing) -> None:
        """Notes a VM of this suite; `Start VMs` creates it. Its first NIC, "default", is on the pod network.

        Args:
        | ``vm`` | name of the VM, a DNS label. |
        | ``pod_network`` | False for a VM without the pod network's NIC. |
        | ``immovable_by`` | what keeps it from being live-migrated: ``nothing``; ``binding`` of its pod network by |
        |                  | a bridge; or a ``volume`` that one node alone may mount, of STORAGE_CLASS. |
        """
        run = Run.current()
        namespace = run.require_namespace()
        if not is_dns_label(vm) or len(vm) > 50:
            raise BadInput(f'VM "{vm}": expected lower-case letters, digits and hyphens, 50 characters at most')
        if vm in run.vms:
            raise BadInput(f'VM "{vm}" is defined already in namespace {namespace}; choose another name')
        user_key, password = self._credentials(run)
        host_key = new_key_pair(vm)
        self._host_keys[namespace, vm] = host_key
        login = GuestLogin(run.settings.guest_user, password, user_key.private, host_key.public)
        nics = [Nic(POD_NIC, nic_mac(run.run_id, f"{namespace}/{vm}", POD_NIC))] if pod_network else []
        binding, storage_class = "masquerade", None
        if immovable_by is Immovable.binding:
            binding = "bridge"
        elif immovable_by is Immovable.volume:
            require_offer(run, "rwo-storage")
            storage_class = run.settings.storage_class
        run.vms[vm] = VmRecord(vm, namespace, login, nics, binding, storage_class)

    @keyword(name="Add NIC", tags=["vm", "network"])
    def add_nic(self, vm: str, name: str, *, network: str, addresses: str = "") -> None:
        """Gives a VM that is not started yet a NIC on a network, bound by a bridge.

        Args:
        | ``vm`` | a VM of `Define VM`. |
        | ``name`` | name of the NIC in the VM's spec. |
        | ``network`` | NAD, as `Create Bridge Network` named it, or ``namespace/name``. |
        | ``addresses`` | static addresses with prefix, separated by commas, such as ``10.10.0.10/24, fd00::10/64``. |
        """
        run = Run.current()
        record = run.vm(vm)
        network = nad_name(network)
        if (record.namespace, vm) in self._started:
            raise BadInput(f"VM {record.namespace}/{vm} is started already; `Add NIC` is for VMs that are not")
        if not is_dns_label(name):
            raise BadInput(f'NIC "{name}" of VM {vm}: expected lower-case letters, digits and hyphens')
        if any(nic.name == name for nic in record.nics):
            raise BadInput(f'NIC "{name}" of VM {vm} is defined already; choose another name')
        mac = nic_mac(run.run_id, f"{record.namespace}/{vm}", name)
        record.nics.append(Nic(name, mac, network, parse_addresses(vm, name, addresses)))

    @keyword(name="Start VMs", tags=["vm"])
    def start_vms(self) -> None:
        """Creates every defined VM that is not started yet; they boot side by side. Waits for nothing."""
        run = Run.current()
        namespace, settings = run.require_namespace(), run.settings
        user_key, _ = self._credentials(run)
        waiting = [record for record in run.vms.values() if (namespace, record.name) not in self._started]
        for record in waiting:
            host_key = self._host_keys[namespace, record.name]
            data = user_data(record.name, record.login, user_key, host_key)
            run.ledger.create(SECRET, cloud_init_secret(record, data, network_data(record.nics)))
            manifest = vm_manifest(record, run.run_id, settings.vm_image, settings.vm_memory)
            if affinity := RunNetworks.of(run).node_affinity():
                manifest["spec"]["template"]["spec"]["affinity"] = affinity
            run.ledger.create(VM, manifest)
            self._started.add((namespace, record.name))
        step(f"Started in {namespace}: {', '.join(record.name for record in waiting) or 'nothing, all are started'}")

    @keyword(name="Wait Until VMs Are Ready", tags=["vm"])
    def wait_until_vms_are_ready(self, *, within: timedelta) -> None:
        """Waits until every started VM runs, has its guest agent, can be live-migrated and reports all its addresses.

        A VM that was defined as one that cannot be migrated must say so itself.

        Args:
        | ``within`` | for how long at most, for all of them together. |
        """
        run = Run.current()
        recorder = run.require_recorder()
        records = [record for record in run.vms.values() if (record.namespace, record.name) in self._started]
        if not records:
            raise LabError(f"no VM is started in namespace {recorder.namespace}; call `Start VMs` first")
        began = time.monotonic()

        def unready() -> list[str]:
            found = [(record.name, missing_to_ready(recorder.history, record)) for record in records]
            return [f"VM {recorder.namespace}/{name}: {', '.join(missing)}" for name, missing in found if missing]

        ready = recorder.wait_for(
            lambda _: not unready(), within.total_seconds(), "VMs ready", lambda: "; ".join(unready())
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

    @keyword(name="Get VM Node", tags=["vm"])
    def get_vm_node(self, vm: str) -> str:
        """Returns the name of the node that a VM runs on."""
        run = Run.current()
        record, history = run.vm(vm), run.require_recorder().history
        vmi = history.current(VMI, vm)
        if vmi is None or not node_of(vmi):
            raise LabError(f"VM {record.namespace}/{vm} runs on no node: {vm_summary(history, vm)}")
        return node_of(vmi)

    def _credentials(self, run: Run) -> tuple[KeyPair, str]:
        if run.run_id not in self._user_keys:
            self._user_keys = {run.run_id: (new_key_pair(run.run_id), new_password())}
            self._host_keys.clear()
            self._started.clear()
        return self._user_keys[run.run_id]


def missing_to_ready(history: History, record: VmRecord) -> list[str]:
    """What a VM lacks to be ready for a test; empty when it lacks nothing."""
    vmi = history.current(VMI, record.name)
    if vmi is None or phase_of(vmi) != "Running":
        return [vm_summary(history, record.name)]
    lacks = [condition_text(vmi, type_) for type_ in ("Ready", "AgentConnected") if not is_true(vmi, type_)]
    if is_true(vmi, "LiveMigratable") != record.can_migrate or condition(vmi, "LiveMigratable") is None:
        expected = "" if record.can_migrate else ", expected False"
        lacks.append(condition_text(vmi, "LiveMigratable") + expected)
    for nic in record.nics:
        status = nic_status(vmi, nic.name) or {}
        reported = status.get("ipAddresses") or ([status["ipAddress"]] if status.get("ipAddress") else [])
        if not status or (nic.network is None and not reported):
            lacks.append(f'NIC "{nic.name}" is {"without address" if status else "not reported"}')
        wanted = [str(address.ip) for address in nic.addresses]
        if absent := [address for address in wanted if address not in reported]:
            lacks.append(f'NIC "{nic.name}" has {reported or "no address"}, expected {", ".join(absent)} as well')
    return lacks


def parse_addresses(vm: str, nic: str, text: str) -> tuple[Address, ...]:
    """Addresses with prefix out of a list separated by commas. BadInput for anything else."""
    try:
        return tuple(ip_interface(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise BadInput(
            f'addresses "{text}" of NIC "{nic}" of VM {vm}: {error}; expected a list such as 10.10.0.10/24'
        ) from error


def _nic_lines(record: VmRecord) -> str:
    lines = [
        f"  {nic.name}: {nic.mac}, {nic.network or 'pod network'}, {', '.join(map(str, nic.addresses)) or 'DHCP'}"
        for nic in record.nics
    ]
    return "\n".join([record.name, *lines])
