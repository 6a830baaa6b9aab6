"""The VMs of a suite: what was asked for, with keys and passwords of their guests."""

from __future__ import annotations

from collections.abc import Iterator

from livenad.dns_names import is_dns_label
from livenad.errors import TestError
from livenad.model import Address, GuestLogin, Nic, VmRecord
from livenad.ownership.naming import SuiteNamespace
from livenad.virtual_machines.credentials import KeyPair, new_key_pair, new_password
from livenad.virtual_machines.manifests import POD_NIC, nic_mac

_LONGEST_NAME = 50


class VirtualMachines:
    """The VMs that a suite defined, by their names on the cluster. A suite's own name of a VM is understood, too."""

    def __init__(self, namespace: SuiteNamespace, run_id: str, guest_user: str) -> None:
        self.user_key = new_key_pair(run_id)
        self._namespace = namespace
        self._run_id = run_id
        self._guest_user = guest_user
        self._password = new_password()
        self._host_keys: dict[str, KeyPair] = {}
        self._records: dict[str, VmRecord] = {}
        self._started: set[str] = set()

    def __iter__(self) -> Iterator[VmRecord]:
        return iter(list(self._records.values()))

    def __getitem__(self, name: str) -> VmRecord:
        """A VM by name. TestError that lists the VMs there are."""
        found = self._records.get(self._namespace.naming.real(name))
        if found is None:
            known = ", ".join(self._records) or "none"
            raise TestError(f'VM "{name}" is not defined in this suite; defined: {known}; see `Define VM`')
        return found

    def define(
        self, name: str, *, pod_network: bool = True, pod_binding: str = "masquerade", storage_class: str | None = None
    ) -> VmRecord:
        """Note a VM without creating it. TestError for a name that is taken or cannot be a VM's."""
        real, namespace = self._namespace.naming.real(name), self._namespace.name
        if not is_dns_label(real) or len(real) > _LONGEST_NAME:
            raise TestError(
                f'VM "{name}": expected lower-case letters, digits and hyphens, {_LONGEST_NAME} characters at most'
            )
        if real in self._records:
            raise TestError(f'VM "{name}" is defined already in namespace {namespace}; choose another name')
        self._host_keys[real] = new_key_pair(real)
        login = GuestLogin(self._guest_user, self._password, self.user_key.private, self._host_keys[real].public)
        nics = [Nic(POD_NIC, self.mac(real, POD_NIC))] if pod_network else []
        record = VmRecord(real, namespace, login, nics, pod_binding, storage_class)
        self._records[real] = record
        return record

    def new_nic(self, record: VmRecord, name: str, network: str, addresses: tuple[Address, ...]) -> Nic:
        """A NIC that a VM is about to get. TestError for a name that is taken or cannot be a NIC's."""
        if not is_dns_label(name):
            raise TestError(f'NIC "{name}" of VM {record.name}: expected lower-case letters, digits and hyphens')
        if any(nic.name == name for nic in record.nics):
            raise TestError(f'NIC "{name}" of VM {record.name} is defined already; choose another name')
        return Nic(name, self.mac(record.name, name), network, addresses)

    def mac(self, name: str, nic: str) -> str:
        """The MAC of a NIC of one of these VMs."""
        return nic_mac(self._run_id, f"{self._namespace.name}/{name}", nic)

    def host_key(self, name: str) -> KeyPair:
        """The SSH host key that a VM's guest is given."""
        return self._host_keys[name]

    def mark_started(self, name: str) -> None:
        """Note that a VM was created on the cluster."""
        self._started.add(name)

    @property
    def started(self) -> list[VmRecord]:
        """Those that were created on the cluster."""
        return [record for record in self if record.name in self._started]

    @property
    def waiting(self) -> list[VmRecord]:
        """Those that are defined and not created yet."""
        return [record for record in self if record.name not in self._started]
