# SPDX-License-Identifier: Apache-2.0
"""The boot specification that the data plane sends to a guest: its hardware and its cloud-init disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Lease:
    """The answer of the DHCP server on the NIC's network; no lease if there is no server."""

    address: str
    gateway: str
    nameservers: tuple[str, ...] = ()


@dataclass(frozen=True)
class BootNic:
    """A NIC as the guest finds it: the kernel's name for it, its MAC, its lease."""

    device: str
    mac: str
    lease: Lease | None = None


@dataclass(frozen=True)
class BootSpec:
    hostname: str
    instance_id: str
    boot_id: str
    nics: tuple[BootNic, ...] = ()
    user_data: str = ""
    network_data: str = ""
    # Paths that interpreters inside the guest need besides /usr.
    read_only_paths: tuple[str, ...] = field(default=())
    # 32 bytes as hex: the SSH host key that the guest makes for itself, the same at every boot.
    host_key_seed: str = ""
    # Delay after a wrong password, in seconds.
    login_delay: float = 0.5


def nic_from(data: dict[str, Any]) -> BootNic:
    lease = data.get("lease")
    return BootNic(
        device=data["device"],
        mac=data["mac"],
        lease=Lease(lease["address"], lease["gateway"], tuple(lease["nameservers"])) if lease else None,
    )


def spec_from(data: dict[str, Any]) -> BootSpec:
    """The inverse of ``dataclasses.asdict``."""
    return BootSpec(
        hostname=data["hostname"],
        instance_id=data["instance_id"],
        boot_id=data["boot_id"],
        nics=tuple(nic_from(nic) for nic in data["nics"]),
        user_data=data["user_data"],
        network_data=data["network_data"],
        read_only_paths=tuple(data["read_only_paths"]),
        host_key_seed=data["host_key_seed"],
        login_delay=data["login_delay"],
    )
