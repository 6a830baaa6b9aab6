# SPDX-License-Identifier: Apache-2.0
"""The topology of the P0 suite as records: a VM on the old network, a peer on each, each peer watching the other."""

from __future__ import annotations

from ipaddress import ip_interface

from livenad.model import GuestLogin, Nic, VmRecord

LOGIN = GuestLogin("tester", "password", "private", "public")


def nic(name: str, network: str | None, mac: int, *addresses: str) -> Nic:
    return Nic(name, f"02:00:00:00:00:{mac:02x}", network, tuple(ip_interface(address) for address in addresses))


def vm(name: str, *nics: Nic) -> VmRecord:
    return VmRecord(name, "demo", LOGIN, list(nics))


def three_guests() -> dict[str, VmRecord]:
    return {
        "vm": vm(
            "vm",
            nic("default", None, 1),
            nic("secondary", "old", 2, "10.10.0.10/24"),
            nic("other", "other", 3, "10.13.0.10/24"),
        ),
        "old-peer": vm(
            "old-peer",
            nic("default", None, 4),
            nic("main", "old", 5, "10.10.0.11/24", "10.11.0.11/24"),
            nic("witness", "new", 6, "10.12.0.11/24"),
        ),
        "new-peer": vm(
            "new-peer",
            nic("default", None, 7),
            nic("main", "new", 8, "10.10.0.12/24", "10.12.0.12/24"),
            nic("witness", "old", 9, "10.11.0.12/24"),
            nic("other", "other", 10, "10.13.0.12/24"),
        ),
    }
