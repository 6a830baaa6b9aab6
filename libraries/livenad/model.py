"""The nouns that the cluster side and the guest side share."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv6Interface
from typing import Any, Literal

from livenad.errors import TestError

Address = IPv4Interface | IPv6Interface


Origin = Literal["suite", "manifest", "existing"]
"""Where a VM comes from: defined by keywords, by a manifest of the user's, or there before the suite."""


@dataclass(frozen=True)
class Nic:
    """A NIC of a VM as the test asked for it. ``network`` is the NAD's name; None is the pod network.

    ``mac`` is always given, so that the guest's interface can be found by it, whatever the guest calls it; only for a
    NIC of a VM that exists already it is "" until the VM was seen running.
    """

    name: str
    mac: str
    network: str | None = None
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True)
class GuestLogin:
    """How to get into a guest. Key material is OpenSSH text; ``repr`` shows none of it.

    ``user`` is "" where no login is known. Without ``password`` there is no login on the console. Without
    ``private_key`` the password is used for SSH as well. Without ``host_public_key`` any host key is accepted: the API
    server leads the connection to the VM.
    """

    user: str
    password: str = field(repr=False)
    private_key: str = field(repr=False)
    host_public_key: str = field(repr=False)


@dataclass(eq=False)
class VmRecord:
    """A VM of this run: what was asked for. What it became is in the recorder.

    ``pod_binding`` binds its pod network's NIC: ``masquerade``, or ``bridge``, which no live migration can move.
    ``storage_class`` is that of a volume that one node alone may mount, "" for the default class, None for no volume.
    ``image`` and ``memory`` are "" for the values of VM_IMAGE and VM_MEMORY. ``manifest`` is that of the user where
    ``origin`` says so; ``recorded_from`` is the history's length when the VM became one of the suite.
    """

    name: str
    namespace: str
    login: GuestLogin
    nics: list[Nic]
    pod_binding: str = "masquerade"
    storage_class: str | None = None
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
        """Whether the guest was set up by our cloud-init data, so that its agent and its addresses are known."""
        return bool(self.login.host_public_key)

    @property
    def can_migrate(self) -> bool:
        """Whether KubeVirt is expected to be able to migrate it."""
        return self.storage_class is None and (self.pod_binding == "masquerade" or not self.has_pod_network)

    @property
    def has_pod_network(self) -> bool:
        return any(nic.network is None for nic in self.nics)

    def nic(self, name: str) -> Nic:
        """A NIC by name. TestError that lists the NICs there are."""
        for nic in self.nics:
            if nic.name == name:
                return nic
        raise TestError(f'VM {self.namespace}/{self.name} has no NIC "{name}"; it has: {[n.name for n in self.nics]}')


@dataclass(frozen=True)
class CommandResult:
    """What a command in a guest gave. ``seconds`` is the round trip as the caller saw it."""

    command: str
    exit_code: int
    stdout: str
    stderr: str
    seconds: float
