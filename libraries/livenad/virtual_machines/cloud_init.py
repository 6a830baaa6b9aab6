# SPDX-License-Identifier: Apache-2.0
"""cloud-init data of a guest (NoCloud): its user, and the addresses of its NICs."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from livenad.model import GuestLogin, Nic
from livenad.virtual_machines.credentials import KeyPair

_QUIET_BOOT = [
    # A guest with two NICs in one subnet must answer ARP for the address of that NIC alone.
    "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore",
    "echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce",
    # Kernel messages would mix with the output of commands on the serial console.
    "dmesg -n 1 || true",
]


def user_data(hostname: str, login: GuestLogin, user_key: KeyPair, host_key: KeyPair) -> str:
    """``#cloud-config`` text: one user with password (console) and key (SSH), and a known host key."""
    config = {
        "hostname": hostname,
        "users": [
            {
                "name": login.user,
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "shell": "/bin/bash",
                "lock_passwd": False,
                "plain_text_passwd": login.password,
                "ssh_authorized_keys": [user_key.public],
            }
        ],
        "ssh_pwauth": False,
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": host_key.private, "ed25519_public": host_key.public},
        "bootcmd": _QUIET_BOOT,
        "runcmd": ["systemctl enable --now qemu-guest-agent || true"],
    }
    return "#cloud-config\n" + yaml.safe_dump(config, sort_keys=False, width=1000)


_POD_IPV6 = {"addresses": ["fd10:0:2::2/120"], "gateway6": "fd10:0:2::1"}
"""What KubeVirt expects of a guest behind masquerade: it has no router advertisements there."""


def network_data(nics: Sequence[Nic], *, ipv6_only: bool = False) -> str:
    """Network configuration version 2. NICs are matched by MAC and named net0, net1, ... in the VM's order.

    The pod network's NIC takes its address by DHCP, or has the IPv6 address that KubeVirt expects where pods have no
    IPv4; the others have static ones and no gateway, so that there is one default route only.
    """
    ethernets: dict[str, object] = {}
    for index, nic in enumerate(nics):
        entry: dict[str, object] = {"match": {"macaddress": nic.mac}, "set-name": f"net{index}"}
        if nic.network is None:
            entry |= {"dhcp4": False, **_POD_IPV6} if ipv6_only else {"dhcp4": True}
        else:
            entry |= {"dhcp4": False, "dhcp6": False, "accept-ra": False, "optional": True}
            if nic.addresses:
                entry["addresses"] = [str(address) for address in nic.addresses]
        ethernets[f"net{index}"] = entry
    return yaml.safe_dump({"version": 2, "ethernets": ethernets}, sort_keys=False)
