# SPDX-License-Identifier: Apache-2.0
"""Network devices, addresses and routes of one network namespace, by rtnetlink."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import itertools
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from emulator.dataplane.netlink import NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, Netlink, attribute, attributes_of, nested

_NEWLINK, _DELLINK, _GETLINK, _SETLINK = 16, 17, 18, 19
_NEWADDR, _DELADDR, _GETADDR = 20, 21, 22
_NEWROUTE = 24
_SETNEIGHTBL = 67
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_MASTER = 1, 3, 4, 10
_IFLA_PROTINFO, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 12, 18, 28
_INFO_KIND, _INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_BR_FORWARD_DELAY, _BR_AGEING_TIME, _BR_MCAST_SNOOPING = 1, 4, 23
_BRPORT_STATE, _BRPORT_ISOLATED = 1, 33
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST, _IFA_FLAGS = 1, 2, 4, 8
_IFA_F_NODAD = 0x02
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY = 1, 4, 5, 6
_RT_TABLE_MAIN, _RTPROT_STATIC, _RT_SCOPE_LINK, _RTN_UNICAST = 254, 4, 253, 1
_NDTA_NAME, _NDTA_PARMS, _NDTPA_IFINDEX, _NDTPA_RETRANS_TIME = 1, 6, 1, 5
_RTNH_F_ONLINK = 4
_IFF_UP, _IFF_LOOPBACK = 0x1, 0x8
_IFF_LOWER_UP = 0x10000
_ENODEV = 19
_IFINFO = struct.Struct("=BxHiII")
_IFADDR = struct.Struct("=BBBBI")

BRIDGE_PORT_DISABLED = 0

# The kernel treats a veth device whose peer has the same number in its own namespace as a device without a peer, and
# checks its carrier only once a second. So the near end of each pair gets a number that no namespace assigns by itself.
_numbers = itertools.count(1 << 16)


@dataclass(frozen=True)
class Link:
    index: int
    name: str
    mac: str
    mtu: int
    up: bool
    carrier: bool
    loopback: bool


def mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", "").replace("-", ""))


class Links:
    """The devices of the current network namespace; OSError as the kernel reports it."""

    def __init__(self) -> None:
        self._netlink = Netlink()

    def close(self) -> None:
        self._netlink.close()

    def add_veth(
        self,
        name: str,
        peer: str,
        *,
        peer_namespace: int | None = None,
        mac: str | None = None,
        peer_mac: str | None = None,
    ) -> None:
        """A pair of devices, its peer in another namespace (given by file descriptor) where one is named."""
        far_end = _IFINFO.pack(0, 0, 0, 0, 0) + attribute(_IFLA_IFNAME, peer)
        if peer_mac:
            far_end += attribute(_IFLA_ADDRESS, mac_bytes(peer_mac))
        if peer_namespace is not None:
            far_end += attribute(_IFLA_NET_NS_FD, peer_namespace)
        near_end = attribute(_IFLA_ADDRESS, mac_bytes(mac)) if mac else b""
        self._add(name, "veth", near_end, nested(_VETH_INFO_PEER, far_end), next(_numbers))

    def add_bridge(self, name: str, *, learning: bool = True) -> None:
        """A bridge that forwards at once and floods multicast; without learning it is a repeater."""
        ageing = b"" if learning else attribute(_BR_AGEING_TIME, 0)
        data = attribute(_BR_FORWARD_DELAY, 0) + attribute(_BR_MCAST_SNOOPING, b"\0") + ageing
        self._add(name, "bridge", b"", data)

    def _add(self, name: str, kind: str, attributes: bytes, data: bytes, number: int = 0) -> None:
        info = nested(_IFLA_LINKINFO, attribute(_INFO_KIND, kind), nested(_INFO_DATA, data))
        body = _IFINFO.pack(0, 0, number, 0, 0) + attribute(_IFLA_IFNAME, name) + attributes + info
        self._netlink.request(_NEWLINK, body, NLM_F_CREATE | NLM_F_EXCL)

    def delete(self, name: str) -> None:
        self._netlink.request(_DELLINK, _by_name(name))

    def delete_if_there(self, name: str) -> None:
        try:
            self.delete(name)
        except OSError as error:
            if error.errno != _ENODEV:
                raise

    def change(
        self,
        name: str,
        *,
        up: bool | None = None,
        master: str | None = None,
        new_name: str | None = None,
        mac: str | None = None,
        mtu: int | None = None,
    ) -> None:
        """Changes what is given; ``master=""`` takes a device out of its bridge."""
        index = self.index(name)
        attributes = b""
        if master is not None:
            attributes += attribute(_IFLA_MASTER, self.index(master) if master else 0)
        if new_name is not None:
            attributes += attribute(_IFLA_IFNAME, new_name)
        if mac is not None:
            attributes += attribute(_IFLA_ADDRESS, mac_bytes(mac))
        if mtu is not None:
            attributes += attribute(_IFLA_MTU, mtu)
        flags, mask = (0, 0) if up is None else (_IFF_UP if up else 0, _IFF_UP)
        self._netlink.request(_NEWLINK, _IFINFO.pack(0, 0, index, flags, mask) + attributes)

    def silence_port(self, name: str) -> None:
        """Stops a bridge port at once, because removing a device takes the kernel some 30 ms.

        A device that is gone or in no bridge is ignored: it carries nothing.
        """
        try:
            self.set_port(name, state=BRIDGE_PORT_DISABLED)
        except OSError as error:
            if error.errno not in (_ENODEV, errno.EOPNOTSUPP, errno.EINVAL):
                raise

    def set_port(self, name: str, *, state: int | None = None, isolated: bool | None = None) -> None:
        """Sets what is given of a bridge port."""
        values = b""
        if state is not None:
            values += attribute(_BRPORT_STATE, struct.pack("=B", state))
        if isolated is not None:
            values += attribute(_BRPORT_ISOLATED, struct.pack("=B", isolated))
        body = _IFINFO.pack(socket.AF_BRIDGE, 0, self.index(name), 0, 0) + nested(_IFLA_PROTINFO, values)
        self._netlink.request(_SETLINK, body)

    def index(self, name: str) -> int:
        for link in self._links(_by_name(name), 0):
            return link.index
        raise OSError(_ENODEV, f"no network device {name}")

    def all(self) -> list[Link]:
        return list(self._links(_IFINFO.pack(0, 0, 0, 0, 0), NLM_F_DUMP))

    def _links(self, body: bytes, flags: int) -> Iterator[Link]:
        for kind, answer in self._netlink.request(_GETLINK, body, flags):
            if kind != _NEWLINK:
                continue
            _, _, index, state, _ = _IFINFO.unpack_from(answer)
            found = dict(attributes_of(answer[_IFINFO.size :]))
            yield Link(
                index=index,
                name=found[_IFLA_IFNAME].rstrip(b"\0").decode(),
                mac=":".join(f"{byte:02x}" for byte in found.get(_IFLA_ADDRESS, b"")),
                mtu=struct.unpack("=I", found[_IFLA_MTU])[0],
                up=bool(state & _IFF_UP),
                carrier=bool(state & _IFF_LOWER_UP),
                loopback=bool(state & _IFF_LOOPBACK),
            )

    def ask_neighbours_every(self, name: str, milliseconds: int) -> None:
        """How soon an unanswered question for a neighbour's link address is repeated, for IPv4 and IPv6."""
        index = self.index(name)
        for family, table in ((socket.AF_INET, "arp_cache"), (socket.AF_INET6, "ndisc_cache")):
            values = attribute(_NDTPA_IFINDEX, index) + attribute(_NDTPA_RETRANS_TIME, struct.pack("=Q", milliseconds))
            body = struct.pack("=BxH", family, 0) + attribute(_NDTA_NAME, table) + nested(_NDTA_PARMS, values)
            # A kernel without IPv6 has no such table.
            with contextlib.suppress(OSError):
                self._netlink.request(_SETNEIGHTBL, body)

    def add_address(self, name: str, address: str) -> None:
        """Adds ``address/prefix``. Duplicate address detection is left out: a static address is usable at once."""
        body = self._address(name, address)
        self._netlink.request(_NEWADDR, body, NLM_F_CREATE | NLM_F_EXCL)

    def delete_address(self, name: str, address: str) -> None:
        self._netlink.request(_DELADDR, self._address(name, address))

    def _address(self, name: str, address: str) -> bytes:
        interface = ipaddress.ip_interface(address)
        packed = interface.ip.packed
        family = socket.AF_INET if interface.version == 4 else socket.AF_INET6
        body = _IFADDR.pack(family, interface.network.prefixlen, 0, 0, self.index(name))
        body += attribute(_IFA_LOCAL, packed) + attribute(_IFA_ADDRESS, packed)
        if interface.version == 6:
            body += attribute(_IFA_FLAGS, _IFA_F_NODAD)
        elif interface.network.prefixlen < 31:
            body += attribute(_IFA_BROADCAST, interface.network.broadcast_address.packed)
        return body

    def addresses(self) -> dict[int, list[str]]:
        """``address/prefix`` of each device, by index, IPv4 first."""
        found: dict[int, list[str]] = {}
        for kind, answer in self._netlink.request(_GETADDR, _IFADDR.pack(0, 0, 0, 0, 0), NLM_F_DUMP):
            if kind != _NEWADDR:
                continue
            _, prefix, _, _, index = _IFADDR.unpack_from(answer)
            values = dict(attributes_of(answer[_IFADDR.size :]))
            packed = values.get(_IFA_LOCAL) or values[_IFA_ADDRESS]
            found.setdefault(index, []).append(f"{ipaddress.ip_address(packed)}/{prefix}")
        return found

    def add_route(
        self, name: str, destination: str, gateway: str | None = None, *, metric: int = 0, on_link: bool = False
    ) -> None:
        network = ipaddress.ip_network(destination)
        family = socket.AF_INET if network.version == 4 else socket.AF_INET6
        scope = 0 if gateway or network.version == 6 else _RT_SCOPE_LINK
        flags = _RTNH_F_ONLINK if on_link else 0
        body = struct.pack(
            "=BBBBBBBBI", family, network.prefixlen, 0, 0, _RT_TABLE_MAIN, _RTPROT_STATIC, scope, _RTN_UNICAST, flags
        )
        if network.prefixlen:
            body += attribute(_RTA_DST, network.network_address.packed)
        if gateway:
            body += attribute(_RTA_GATEWAY, ipaddress.ip_address(gateway).packed)
        if metric:
            body += attribute(_RTA_PRIORITY, metric)
        body += attribute(_RTA_OIF, self.index(name))
        self._netlink.request(_NEWROUTE, body, NLM_F_CREATE | NLM_F_EXCL)


def _by_name(name: str) -> bytes:
    return _IFINFO.pack(0, 0, 0, 0, 0) + attribute(_IFLA_IFNAME, name)
