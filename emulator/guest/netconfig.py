# SPDX-License-Identifier: Apache-2.0
"""cloud-init network data, version 2: parsed, and applied to the guest's NICs as addresses and routes."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from emulator.dataplane.links import Links
from emulator.guest.spec import BootNic, Lease

Complain = Callable[[str], None]
_LEASE_METRIC = 100
# How soon a neighbour that did not answer is asked again. The kernel's default of a second would only slow tests down:
# inside one machine an answer takes less than a millisecond.
_NEIGHBOUR_MILLISECONDS = 200


@dataclass
class Ethernet:
    """One entry under ``ethernets``."""

    key: str
    mac: str = ""
    name: str = ""
    new_name: str = ""
    dhcp4: bool = False
    addresses: list[str] = field(default_factory=list)
    routes: list[dict[str, Any]] = field(default_factory=list)
    nameservers: list[str] = field(default_factory=list)
    search: list[str] = field(default_factory=list)
    mtu: int = 0

    def fits(self, nic: BootNic) -> bool:
        if self.mac:
            return self.mac == nic.mac
        return (self.name or self.key) == nic.device


def read_network_data(text: str, complain: Complain) -> list[Ethernet] | None:
    """The interfaces that the text configures; None if it configures none and the guest uses its default."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        complain(f"network data is not YAML: {' '.join(str(error).split())}")
        return None
    if not data:
        return None
    data = data.get("network", data) if isinstance(data, dict) else {}
    if data.get("version") != 2:
        complain(f"network data of version {data.get('version')!r} is not known here and is ignored")
        return None
    for key in sorted(set(data) - {"version", "ethernets", "renderer"}):
        complain(f"network data: {key!r} is not known here and is ignored")
    return [_ethernet(str(key), entry or {}, complain) for key, entry in (data.get("ethernets") or {}).items()]


def _ethernet(key: str, entry: dict[str, Any], complain: Complain) -> Ethernet:
    match = entry.get("match") or {}
    nameservers = entry.get("nameservers") or {}
    known = {"match", "set-name", "dhcp4", "dhcp6", "addresses", "routes", "gateway4", "gateway6", "nameservers", "mtu",
             "optional", "accept-ra", "wakeonlan", "dhcp4-overrides", "dhcp-identifier"}  # fmt: skip
    for name in sorted(set(entry) - known):
        complain(f"network data of {key}: {name!r} is not known here and is ignored")
    routes = [route for route in entry.get("routes") or [] if isinstance(route, dict)]
    routes += [{"to": "0.0.0.0/0", "via": entry["gateway4"]}] if entry.get("gateway4") else []
    routes += [{"to": "::/0", "via": entry["gateway6"]}] if entry.get("gateway6") else []
    return Ethernet(
        key=key,
        mac=str(match.get("macaddress") or "").lower(),
        name=str(match.get("name") or ""),
        new_name=str(entry.get("set-name") or ""),
        dhcp4=bool(entry.get("dhcp4")),
        addresses=[str(address) for address in entry.get("addresses") or []],
        routes=routes,
        nameservers=[str(address) for address in nameservers.get("addresses") or []],
        search=[str(domain) for domain in nameservers.get("search") or []],
        mtu=int(entry.get("mtu") or 0),
    )


def configure(nics: list[BootNic], ethernets: list[Ethernet] | None, links: Links, complain: Complain) -> list[str]:
    """Configures NICs and brings them up; returns the lines of /etc/resolv.conf. Without configuration the first NIC
    uses DHCP.
    """
    lines: list[str] = []
    for number, nic in enumerate(nics):
        if ethernets is None:
            chosen = Ethernet(key=nic.device, dhcp4=number == 0)
        else:
            chosen = next((entry for entry in ethernets if entry.fits(nic)), Ethernet(key=nic.device))
        lines += [line for line in _configure(nic, chosen, links, complain) if line not in lines]
    return lines


def _configure(nic: BootNic, ethernet: Ethernet, links: Links, complain: Complain) -> list[str]:
    device = nic.device
    # The kernel renames only devices that are down.
    if ethernet.new_name and ethernet.new_name != device:
        links.change(device, new_name=ethernet.new_name)
        device = ethernet.new_name
    with _complaining(complain, f"{device}: mtu {ethernet.mtu}"):
        links.change(device, up=True, mtu=ethernet.mtu or None)
    links.ask_neighbours_every(device, _NEIGHBOUR_MILLISECONDS)
    lines = [f"nameserver {address}" for address in ethernet.nameservers]
    lines += [f"search {' '.join(ethernet.search)}"] if ethernet.search else []
    for address in ethernet.addresses:
        with _complaining(complain, f"{device}: address {address}"):
            links.add_address(device, address if "/" in address else f"{address}/24")
    if ethernet.dhcp4 and nic.lease:
        with _complaining(complain, f"{device}: lease {nic.lease.address}"):
            lines += _use_lease(device, nic.lease, links)
    elif ethernet.dhcp4:
        complain(f"{device}: no DHCP server answers on this network")
    for route in ethernet.routes:
        with _complaining(complain, f"{device}: route {route}"):
            _add_route(device, route, links)
    return lines


def _use_lease(device: str, lease: Lease, links: Links) -> list[str]:
    links.add_address(device, lease.address)
    links.add_route(device, "0.0.0.0/0", lease.gateway, metric=_LEASE_METRIC)
    return [f"nameserver {address}" for address in lease.nameservers]


def _add_route(device: str, route: dict[str, Any], links: Links) -> None:
    via = str(route.get("via") or "")
    destination = str(route.get("to") or "")
    if destination in {"default", "0/0"}:
        destination = "::/0" if ":" in via else "0.0.0.0/0"
    network = str(ipaddress.ip_network(destination, strict=False))
    on_link = bool(route.get("on-link"))
    links.add_route(device, network, via or None, metric=int(route.get("metric") or 0), on_link=on_link)


@contextlib.contextmanager
def _complaining(complain: Complain, what: str) -> Any:
    try:
        yield
    except (OSError, ValueError, TypeError) as error:
        complain(f"{what} could not be set: {error}")


def write_resolv_conf(lines: list[str]) -> None:
    Path("/etc/resolv.conf").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
