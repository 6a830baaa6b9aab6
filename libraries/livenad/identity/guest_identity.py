# SPDX-License-Identifier: Apache-2.0
"""The identity of a guest: boot, and MAC, MTU, addresses, routes and link of each interface."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from livenad.errors import LabError
from livenad.model import Nic
from livenad.text import human

# Values that expire or are learnt do not show a change of the configuration.
_VOLATILE_ROUTE_WORDS = {"expires", "hoplimit"}


@dataclass(frozen=True)
class GuestInterface:
    """An interface of the guest. ``link`` is the operational state (``up``); addresses have their prefix."""

    name: str
    mac: str
    mtu: int
    link: str
    carrier: bool
    addresses: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()


@dataclass(frozen=True)
class GuestIdentity:
    """A guest at one moment. ``uptime`` in seconds; ``has_ip`` false: addresses and routes could not be read."""

    boot_id: str
    uptime: float
    interfaces: dict[str, GuestInterface] = field(default_factory=dict)
    has_ip: bool = True

    def by_mac(self, mac: str) -> GuestInterface | None:
        """The interface that has a MAC address, whatever its name; None when there is none."""
        return next((i for i in self.interfaces.values() if i.mac == mac.lower()), None)


def parse_identity(text: str, source: str) -> GuestIdentity:
    """Parse the output of the script of `read_identity`. LabError that quotes invalid output."""
    boot_id, uptime, has_ip = "", -1.0, True
    interfaces: dict[str, GuestInterface] = {}
    for line in text.splitlines():
        kind, *words = line.split() or [""]
        if kind == "boot":
            boot_id = words[0]
        elif kind == "uptime":
            uptime = float(words[0])
        elif kind == "link":
            name, mac, mtu, state, carrier = words
            interfaces[name] = GuestInterface(name, mac.lower(), int(mtu), state, carrier == "1")
        elif kind == "missing":
            has_ip = False
        elif kind == "addr":
            _add_address(interfaces, words)
        elif kind in ("route4", "route6"):
            _add_route(interfaces, words)
    if not boot_id or uptime < 0:
        raise LabError(f"{source}: the guest did not print its boot id and uptime; its output was: {text[-200:]!r}")
    return GuestIdentity(boot_id, uptime, interfaces, has_ip)


def _add_address(interfaces: dict[str, GuestInterface], words: list[str]) -> None:
    """``2: eth0 inet 10.0.0.1/24 brd ... scope global eth0 valid_lft ...``"""
    if len(words) < 4 or words[2] not in ("inet", "inet6") or "temporary" in words[4:]:
        return
    name = words[1].rstrip(":").partition("@")[0]
    if name in interfaces:
        known = interfaces[name]
        interfaces[name] = replace(known, addresses=tuple(sorted({*known.addresses, words[3]})))


def _add_route(interfaces: dict[str, GuestInterface], words: list[str]) -> None:
    """``10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1``"""
    if "dev" not in words[:-1]:
        return
    name = words[words.index("dev") + 1]
    kept = []
    skip = False
    for word in words:
        if not skip and word not in _VOLATILE_ROUTE_WORDS:
            kept.append(word)
        skip = word in _VOLATILE_ROUTE_WORDS
    if name in interfaces:
        known = interfaces[name]
        interfaces[name] = replace(known, routes=tuple(sorted({*known.routes, " ".join(kept)})))


def reboot_evidence(before: GuestIdentity, now: GuestIdentity, elapsed: float) -> str | None:
    """The evidence that the guest rebooted within ``elapsed`` seconds; None when there is none."""
    if now.boot_id != before.boot_id:
        return (
            f"boot id was {before.boot_id} (up {human(before.uptime)}), is {now.boot_id} (up {human(now.uptime)}) "
            f"{human(elapsed)} later: it rebooted about {human(now.uptime)} ago"
        )
    if now.uptime < before.uptime:
        return f"uptime was {before.uptime:.2f} s, is {now.uptime:.2f} s {human(elapsed)} later: it went backwards"
    return None


def second_boot(uptime: float, answered: float) -> str | None:
    """The evidence from the uptime that a guest rebooted since it answered ``answered`` seconds ago; None if none.

    There is a tolerance: the guest's clock stops during the switch-over of a live migration, and the two values are not
    read at the same time.
    """
    if uptime + 1.0 + 0.02 * answered >= answered:
        return None
    return f"it answered {human(answered)} ago, but its uptime is only {human(uptime)}"


def interface_changes(before: GuestInterface, now: GuestIdentity) -> list[str]:
    """The changes of an interface, found by its name, else by its MAC; empty when there are none."""
    after = now.interfaces.get(before.name)
    if after is None:
        renamed = now.by_mac(before.mac)
        if renamed is None:
            return [f"it is gone; the guest has {', '.join(sorted(now.interfaces)) or 'no interface'}"]
        return [f"name was {before.name}, is {renamed.name}", *_differences(before, renamed)]
    return _differences(before, after)


def _differences(before: GuestInterface, after: GuestInterface) -> list[str]:
    changes = []
    for label, old, new in (
        ("MAC", before.mac, after.mac),
        ("MTU", before.mtu, after.mtu),
        ("link", before.link, after.link),
        ("carrier", before.carrier, after.carrier),
    ):
        if old != new:
            changes.append(f"{label} was {old}, is {new}")
    for label, olds, news in (
        ("address", before.addresses, after.addresses),
        ("route", before.routes, after.routes),
    ):
        changes += [f'{label} "{gone}" is gone' for gone in sorted(set(olds) - set(news))]
        changes += [f'{label} "{new}" is new' for new in sorted(set(news) - set(olds))]
    return changes


def interface_of(identity: GuestIdentity, nic: Nic, guest: str) -> GuestInterface:
    """The interface of a NIC, by its MAC. LabError that lists the existing interfaces."""
    found = identity.by_mac(nic.mac)
    if found is None:
        seen = ", ".join(f"{i.name} {i.mac}" for i in identity.interfaces.values())
        raise LabError(f'{guest}: no interface has the MAC {nic.mac} of NIC "{nic.name}"; the guest has: {seen}')
    return found
