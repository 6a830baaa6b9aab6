# SPDX-License-Identifier: Apache-2.0
"""virt-handler's changes of a VMI's status. Every function changes the given VMI."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any

from ..dataplane.model import AgentReport, GuestInterface, GuestNic
from ..kube import conditions
from ..kube.client import Obj
from ..kube.timestamps import timestamp
from . import guest_spec
from .domains import Domain
from .migratable import Verdict
from .sandboxes import Sandbox

SOURCES = ("domain", "guest-agent", "multus-status")
MOST_GUEST_ONLY = 10


def set_phase(vmi: Obj, phase: str) -> None:
    status = vmi["status"]
    if status.get("phase") == phase:
        return
    status["phase"] = phase
    status.setdefault("phaseTransitionTimestamps", []).append(
        {"phase": phase, "phaseTransitionTimestamp": timestamp()},
    )


def set_migratable(vmi: Obj, verdict: Verdict) -> None:
    status = vmi["status"]
    value = "False" if verdict.reason else "True"
    conditions.update(vmi, "LiveMigratable", value, reason=verdict.reason, message=verdict.message)
    conditions.update(vmi, "StorageLiveMigratable", "True")
    status["migrationMethod"] = verdict.method


def set_machine(vmi: Obj) -> None:
    """The fields that are known once the domain is defined."""
    status = vmi["status"]
    status["machine"] = {"type": vmi["spec"]["domain"].get("machine", {}).get("type", "q35")}
    status["selinuxContext"] = "none"


def with_link(nic: GuestNic, up: bool) -> GuestNic:
    return replace(nic, link_up=up)


def set_guest(vmi: Obj, domain: Domain, sandbox: Sandbox) -> None:
    """Agent, guest OS, interfaces and pause state, from the domain and its agent."""
    status = vmi["status"]
    report = domain.seen(domain.report)
    if report is None:
        conditions.remove(vmi, "AgentConnected")
        status["guestOSInfo"] = {}
    else:
        conditions.update(vmi, "AgentConnected", "True")
        status["guestOSInfo"] = {key: value for key, value in report.os.items() if value}
    if domain.paused:
        conditions.update(vmi, "Paused", "True", reason="PausedByUser", message="VMI was paused by user")
    else:
        conditions.remove(vmi, "Paused")
    status["interfaces"] = _interfaces(vmi, domain, sandbox, report)


def _interfaces(vmi: Obj, domain: Domain, sandbox: Sandbox, report: AgentReport | None) -> list[dict[str, Any]]:
    networks = guest_spec.networks(vmi)
    names = [name for name in domain.nics if name in networks]
    names.sort(key=lambda name: not guest_spec.is_primary(networks[name]))
    old = {entry["name"]: entry for entry in vmi["status"].get("interfaces", []) if "name" in entry}
    inside = {interface.mac.lower(): interface for interface in (report.interfaces if report else ())}
    entries = []
    for name in names:
        nic = domain.nics[name]
        guest_side = inside.pop(nic.mac.lower(), None)
        entry: dict[str, Any] = {
            "name": name,
            "mac": nic.mac,
            "queueCount": 1,
            "linkState": "up" if nic.link_up else "down",
            "infoSource": _sources(old.get(name, {}), guest_side is not None),
        }
        if "podInterfaceName" in old.get(name, {}):
            entry["podInterfaceName"] = old[name]["podInterfaceName"]
        addresses = list(sandbox.primary.ips) if guest_spec.is_primary(networks[name]) else []
        if guest_side:
            entry["interfaceName"] = guest_side.name
            addresses = addresses or _addresses(guest_side)
        if addresses:
            entry["ipAddress"] = addresses[0]
            entry["ipAddresses"] = addresses
        entries.append(entry)
    outside = [entry for name, entry in old.items() if name in networks and name not in domain.nics]
    return entries + _without_domain(vmi, outside) + _guest_only(inside)


def _without_domain(vmi: Obj, outside: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """NICs that the guest does not have: new ones, and removed ones that the pod still has."""
    to_come = {interface["name"] for interface in guest_spec.interfaces(vmi)}
    entries = []
    for entry in outside:
        if entry["name"] in to_come:
            entries.append(entry)
        elif "multus-status" in entry.get("infoSource", ""):
            kept = {key: entry[key] for key in ("name", "podInterfaceName") if key in entry}
            entries.append(kept | {"infoSource": "multus-status"})
    return entries


def _sources(old: dict[str, Any], agent: bool) -> str:
    had = [source.strip() for source in old.get("infoSource", "").split(",")]
    have = {"domain": True, "guest-agent": agent, "multus-status": "multus-status" in had}
    return ", ".join(source for source in SOURCES if have[source])


def _guest_only(inside: dict[str, GuestInterface]) -> list[dict[str, Any]]:
    """Interfaces that only the guest knows, such as a bridge or a VLAN created in it."""
    entries = []
    for interface in [i for i in inside.values() if i.name != "lo"][:MOST_GUEST_ONLY]:
        entry: dict[str, Any] = {"interfaceName": interface.name, "mac": interface.mac, "infoSource": "guest-agent"}
        if addresses := _addresses(interface):
            entry |= {"ipAddress": addresses[0], "ipAddresses": addresses}
        entries.append(entry)
    return entries


def _addresses(interface: GuestInterface) -> list[str]:
    """Without prefix lengths, IPv4 first: the first one is what ``ipAddress`` names."""
    bare = [address.split("/")[0] for address in interface.addresses]
    return sorted(bare, key=lambda address: ipaddress.ip_address(address).version)
