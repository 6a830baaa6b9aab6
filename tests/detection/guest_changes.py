# SPDX-License-Identifier: Apache-2.0
"""Properties of a guest that one command changes: the commands, run as root in the guest when it has moved.

Each prints something if it has changed anything. The interfaces are those of P0's VM under test.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

DEVICES = {"net0": "default", "net1": "secondary", "net2": "other"}
"""Interface in the guest -> name of the NIC in the VM."""

_FLAGS = ("promisc on", "allmulticast on", "arp off", "multicast off", "down")
_OF_INTERFACE = {
    "address": "ip link set dev {dev} address 02:00:00:00:5e:01",
    "addr_assign_type": "cd /sys/class/net/{dev}; t=$(cat addr_assign_type); ip link set {dev} address $(cat address);"
    ' [ "$t" != "$(cat addr_assign_type)" ]',
    "broadcast": "ip link set dev {dev} broadcast ff:ff:ff:ff:ff:fe",
    "mtu": "ip link set dev {dev} mtu 1400",
    "tx_queue_len": "ip link set dev {dev} txqueuelen 777",
    "carrier": "ip link set dev {dev} down",
    "operstate": "ip link set dev {dev} down",
    "ifindex": "ip link del dev {dev}; ip link add {dev} type bridge; ip link set {dev} up",
    "name": "ip link set dev {dev} down; ip link set dev {dev} name odd0; ip link set dev odd0 up",
    "alias": "ip link set dev {dev} alias odd",
    "group": "ip link set dev {dev} group 7",
    "VLAN interface": "ip link add link {dev} name odd0 type vlan id 7; ip link set odd0 up",
    "MACVLAN interface": "ip link add link {dev} name odd0 type macvlan; ip link set odd0 up",
    "bridge": "ip link add odd0 type bridge; ip link set dev odd0 up; ip link set dev {dev} master odd0",
    "queue": "tc qdisc replace dev {dev} root tbf rate 100kbit burst 4kb latency 50ms",
    "further address": "ip addr add 10.77.0.1/24 dev {dev}",
    "further IPv6 address": "ip -6 addr add fd77::1/64 dev {dev}",
    "permanent neighbor": "ip neigh replace 10.77.0.9 lladdr 02:00:00:00:5e:02 dev {dev} nud permanent",
    "further route": "ip route add 10.78.0.0/24 dev {dev}",
}
_OTHERS = {
    "hostname": "hostname odd",
    "machine_id": "echo 0123456789abcdef0123456789abcdef > /etc/machine-id",
    "name server": "echo nameserver 10.77.0.53 >> /etc/resolv.conf",
    "no name server": ": > /etc/resolv.conf",
    "process": "pkill -x sleep || kill $(ps -eo pid,comm | awk '$2 == \"sleep\" {print $1}')",
    "further interface": "ip link add odd0 type bridge; ip link set odd0 up",
    "blackhole": "ip route add blackhole 10.79.0.0/24",
    "wrong neighbor on the new network": "ip neigh replace 10.10.0.12 lladdr 02:00:00:00:5e:02 dev net1 nud permanent",
    "IPv6 default route": "ip -6 route add default via fe80::77 dev net1",
    "default route by the new network": "ip route add default via 10.10.0.1 dev net1 metric 5",
    "boot_id": "",
}

HARMLESS = (
    "ip neigh flush all",
    "echo 10.77.0.1 odd.example >> /etc/hosts",
    "touch /tmp/odd",
    "(sleep 7 >/dev/null 2>&1 &)",
)
"""What may happen in a guest at any time."""


def properties() -> list[str]:
    """Those besides what recordings show."""
    return [f"interface[{dev}].{name}" for dev in DEVICES for name in _OF_INTERFACE] + list(_OTHERS)


def change_of(path: str, chance: random.Random, *, late: bool = False) -> dict[str, Any] | None:
    """How a property is changed, as ``guest`` of a deviation; ``late``: 2 s after the guest has moved. None: cannot."""
    if path == "boot_id":
        return {"reboot": True}
    if (found := re.fullmatch(r"interface\[(.*)\]\.carrier_changes", path)) and found[1] in DEVICES:
        return {"link": DEVICES[found[1]]}
    script = "; ".join(_script(path, chance))
    if not script:
        return None
    if late:
        script = f"(sleep 2; {script}) >/dev/null 2>&1 & echo in 2 s"
    elif not path.startswith("sysctl."):
        script = f"{script} && echo done"
    return {"command": ["sh", "-c", script]}


def _script(path: str, chance: random.Random) -> Iterator[str]:
    kind, _, rest = path.partition("[")
    inner = rest.rpartition("]")[0]
    if path in _OTHERS:
        yield _OTHERS[path]
    elif path.startswith("sysctl."):
        yield _other_number(path.removeprefix("sysctl."))
    elif kind == "interface":
        device, name = inner, path.rpartition("].")[2]
        if name == "flags":
            yield f"ip link set dev {device} {chance.choice(_FLAGS)}"
        elif name in _OF_INTERFACE:
            yield _OF_INTERFACE[name].format(dev=device)
    elif kind == "address":
        device, _, text = inner.partition("][")
        family, address = text.split()[:2]
        how = chance.choice(("dropped", "changed", "doubled"))
        new = "fd77::2/64" if family == "inet6" else "10.77.0.2/24"
        if how != "doubled":
            yield f"ip addr del {address} dev {device}"
        if how != "dropped":
            yield f"ip addr add {new} dev {device}"
    elif kind in ("route4", "route6"):
        how = chance.choice(("dropped", "changed", "doubled"))
        version, spec = kind[-1], re.sub(r" (?:proto|scope|src|pref) \S+", "", inner)
        other = re.sub(r" metric \S+", "", spec) + " metric 777"
        if how != "doubled":
            yield f"ip -{version} route del {spec}"
        if how != "dropped":
            yield f"ip -{version} route add {other}"
    elif kind in ("rule4", "rule6"):
        how = chance.choice(("dropped", "doubled"))
        number, _, rule = inner.partition(": ")
        do = f"del pref {number}" if how == "dropped" else f"add pref {int(number) + 1 & 0x7FFF} {rule}"
        yield f"ip -{kind[-1]} rule {do}"


def _other_number(name: str) -> str:
    return (
        f"f=/proc/sys/{name}; v=$(cat $f); for n in $((v+1)) $((v-1)) 0 1; do "
        '{ echo $n > $f; } 2>/dev/null; w=$(cat $f); [ "$w" != "$v" ] && echo "$v is $w" && break; done'
    )
