# SPDX-License-Identifier: Apache-2.0
"""The VMs of a suite as they were defined, with keys and passwords of their guests."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping

from livenad.api.kinds import Object, meta
from livenad.dns_names import is_dns_label
from livenad.errors import TestError
from livenad.model import Address, GuestLogin, Nic, VmRecord
from livenad.ownership.naming import SuiteNamespace
from livenad.virtual_machines.credentials import KeyPair, new_key_pair, new_password
from livenad.virtual_machines.guest_size import check_guest_size
from livenad.virtual_machines.manifests import POD_NIC, nic_mac
from livenad.virtual_machines.user_manifest import (
    complete_nics,
    nics_of_spec,
    sets_up_its_guest,
    spec_of_existing,
    with_addresses,
)

_LONGEST_NAME = 50


class VirtualMachines:
    """The VMs that a suite defined, by their names on the cluster. A suite's name of a VM finds it, too."""

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
        """A VM by name. TestError that lists the existing VMs."""
        found = self._records.get(self._namespace.naming.real(name)) or self._records.get(name)
        if found is None:
            known = ", ".join(self._records) or "none"
            raise TestError(f'VM "{name}" is not defined in this suite; defined: {known}; see `Define VM`')
        return found

    def define(
        self,
        name: str,
        *,
        pod_network: bool = True,
        pod_binding: str = "masquerade",
        storage_class: str | None = None,
        image: str = "",
        memory: str = "",
        cpu_cores: int = 1,
        eviction_strategy: str = "",
    ) -> VmRecord:
        """Record a VM without creating it. TestError for a name that is in use, or an invalid value."""
        real = self._free_name(name)
        check_guest_size(name, image, memory, cpu_cores)
        nics = [Nic(POD_NIC, self.mac(real, POD_NIC))] if pod_network else []
        record = VmRecord(real, self._namespace.name, self._own_login(real), nics, pod_binding, storage_class)
        record.image, record.memory, record.cpu_cores = image, memory, cpu_cores
        record.eviction_strategy = eviction_strategy
        self._records[real] = record
        return record

    def define_from_manifest(
        self,
        name: str,
        manifest: Object,
        login: GuestLogin,
        *,
        network: Callable[[str], str],
        addresses: Mapping[str, tuple[Address, ...]],
    ) -> VmRecord:
        """Record a VM from a manifest of `read_manifest`; the guest gets our cloud-init data if it has none of its own.

        ``network`` and ``addresses`` as in `complete_nics`. TestError for a name that is in use or invalid.
        """
        real = self._free_name(name)
        own = copy.deepcopy(manifest)
        nics = complete_nics(own, name, mac=lambda nic: self.mac(real, nic), network=network, addresses=addresses)
        if not login.user and not sets_up_its_guest(own):
            login = self._own_login(real)
        record = VmRecord(real, self._namespace.name, login, nics, origin="manifest", manifest=own)
        self._records[real] = record
        return record

    def use_existing(
        self, vm: Object, vmi: Object | None, login: GuestLogin, addresses: Mapping[str, tuple[Address, ...]]
    ) -> VmRecord:
        """Record a VM that already exists on the cluster, under its name there."""
        name = str(meta(vm, "name"))
        nics = with_addresses(name, nics_of_spec(spec_of_existing(vm, vmi), vmi), addresses)
        record = VmRecord(name, self._namespace.name, login, nics, origin="existing")
        self._records[name] = record
        self._started.add(name)
        return record

    def require_free(self, name: str) -> None:
        """Raise TestError when a VM of the suite has this name."""
        if self._namespace.naming.real(name) in self._records or name in self._records:
            raise TestError(f'VM "{name}" is already defined in namespace {self._namespace.name}; choose another name')

    def forget(self, record: VmRecord) -> None:
        """Remove a VM from the suite; its name may be used again."""
        self._records.pop(record.name, None)
        self._host_keys.pop(record.name, None)
        self._started.discard(record.name)

    def _free_name(self, name: str) -> str:
        real = self._namespace.naming.real(name)
        if not is_dns_label(real) or len(real) > _LONGEST_NAME:
            raise TestError(
                f'VM "{name}": expected lower-case letters, digits and hyphens, {_LONGEST_NAME} characters at most'
            )
        self.require_free(name)
        return real

    def _own_login(self, real: str) -> GuestLogin:
        self._host_keys[real] = new_key_pair(real)
        return GuestLogin(self._guest_user, self._password, self.user_key.private, self._host_keys[real].public)

    def new_nic(self, record: VmRecord, name: str, network: str, addresses: tuple[Address, ...]) -> Nic:
        """A NIC to be added to a VM. TestError for a name that is in use or invalid."""
        if not is_dns_label(name):
            raise TestError(f'NIC "{name}" of VM {record.name}: expected lower-case letters, digits and hyphens')
        if any(nic.name == name for nic in record.nics):
            raise TestError(f'NIC "{name}" of VM {record.name} is already defined; choose another name')
        return Nic(name, self.mac(record.name, name), network, addresses)

    def mac(self, name: str, nic: str) -> str:
        """The MAC of a NIC of one of these VMs."""
        return nic_mac(self._run_id, f"{self._namespace.name}/{name}", nic)

    def host_key(self, name: str) -> KeyPair:
        """The SSH host key of a VM's guest."""
        return self._host_keys[name]

    def mark_started(self, name: str) -> None:
        """Record that a VM was created on the cluster."""
        self._started.add(name)

    @property
    def started(self) -> list[VmRecord]:
        """The VMs that were created on the cluster."""
        return [record for record in self if record.name in self._started]

    @property
    def waiting(self) -> list[VmRecord]:
        """The VMs that are defined and not created yet."""
        return [record for record in self if record.name not in self._started]
