# SPDX-License-Identifier: Apache-2.0
"""The data types that the cluster side and the guest side share."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv6Interface
from typing import Any, Literal

from livenad.errors import TestError

Address = IPv4Interface | IPv6Interface


Origin = Literal["suite", "manifest", "existing"]
"""Where a VM comes from: defined by keywords, from a manifest of the user, or existing before the suite."""


@dataclass(frozen=True)
class Nic:
    """A NIC of a VM as the test defined it. ``network`` is the NAD's name; None is the pod network.

    The guest's interface is found by ``mac``, whatever its name. ``mac`` is "" only for a NIC of an existing VM that
    was not seen running yet.
    """

    name: str
    mac: str
    network: str | None = None
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True)
class GuestLogin:
    """User and credentials for a guest. Key material is OpenSSH text; ``repr`` shows none of it.

    ``user`` is "" where no login is known. Without ``password`` there is no login on the console. Without
    ``private_key`` the password is used for SSH as well. Without ``host_public_key`` any host key is accepted, as the
    API server forwards the connection to the VM.
    """

    user: str
    password: str = field(repr=False)
    private_key: str = field(repr=False)
    host_public_key: str = field(repr=False)


@dataclass(eq=False)
class VmRecord:
    """A VM of this run as it was defined. Its state on the cluster is in the recorder.

    ``pod_binding`` is the binding of the pod network's NIC: ``masquerade``, or ``bridge``, with which the VM is
    non-migratable. ``eviction_strategy`` is "" for the cluster's default. ``storage_class`` is that of a volume
    that only one node can mount: "" for the default class, None for no volume. ``image`` and ``memory`` are "" for
    the values of VM_IMAGE and VM_MEMORY. ``manifest`` is that of the user if ``origin`` is "manifest";
    ``recorded_from`` is the history's length when the VM was added to the suite.
    """

    name: str
    namespace: str
    login: GuestLogin
    nics: list[Nic]
    pod_binding: str = "masquerade"
    storage_class: str | None = None
    eviction_strategy: str = ""
    image: str = ""
    memory: str = ""
    cpu_cores: int = 1
    origin: Origin = "suite"
    manifest: dict[str, Any] = field(default_factory=dict, repr=False)
    recorded_from: int = 0

    @property
    def subject(self) -> str:
        """The VM as messages name it."""
        return f"VM {self.namespace}/{self.name}"

    @property
    def guest_is_known(self) -> bool:
        """Whether our cloud-init data set up the guest, so that its agent and addresses are known."""
        return bool(self.login.host_public_key)

    @property
    def can_migrate(self) -> bool:
        """Whether KubeVirt is expected to be able to migrate it."""
        return self.storage_class is None and (self.pod_binding == "masquerade" or not self.has_pod_network)

    @property
    def has_pod_network(self) -> bool:
        return any(nic.network is None for nic in self.nics)

    def nic(self, name: str) -> Nic:
        """A NIC by name. TestError that lists the existing NICs."""
        for nic in self.nics:
            if nic.name == name:
                return nic
        raise TestError(f'VM {self.namespace}/{self.name} has no NIC "{name}"; it has: {[n.name for n in self.nics]}')


@dataclass(frozen=True)
class CommandResult:
    """The result of a command in a guest. ``seconds`` is the round trip as the caller measured it."""

    command: str
    exit_code: int
    stdout: str
    stderr: str
    seconds: float
