# SPDX-License-Identifier: Apache-2.0
"""A hot-plugged NIC inside the guest: its interface, and the configuration of its addresses."""

from __future__ import annotations

import shlex
import threading

from livenad.guest.shells import Deadline, Shell
from livenad.identity.guest_identity import GuestInterface
from livenad.identity.read_identity import read_identity
from livenad.model import Nic

LOOK_AGAIN = 0.3

# NetworkManager starts DHCP on a NIC without a profile and removes addresses that it did not set, so it needs a
# profile. Without NetworkManager the addresses are set once with `ip`.
_ADDRESS_NIC = r"""# addresses of a plugged NIC
as_root=; [ "$(id -u)" = 0 ] || as_root='sudo -n'
name=
for d in /sys/class/net/*; do
[ -e "$d/address" ] || continue
read -r mac <"$d/address"
if [ "$mac" = MAC_HERE ]; then name=${d##*/}; fi
done
[ -n "$name" ] || { echo "no interface has the MAC MAC_HERE" >&2; exit 1; }
if command -v nmcli >/dev/null 2>&1 && [ "$(nmcli -t -f RUNNING general 2>/dev/null)" = running ]; then
$as_root nmcli -w 20 connection add type ethernet con-name "plugged-$name" ifname "$name" connection.autoconnect yes \
NM_SETTINGS >/dev/null || exit
$as_root nmcli -w 20 connection up "plugged-$name" >/dev/null || exit
else
$as_root ip link set dev "$name" up || exit
for address in ADDRESSES_HERE; do
ip -o addr show dev "$name" | grep -qF " $address " || $as_root ip addr add "$address" dev "$name" || exit
done
fi
"""


def await_interface(shell: Shell, nic: Nic, within: float) -> GuestInterface | None:
    """The guest's interface with the NIC's MAC, as soon as it exists; None after ``within`` seconds."""
    return _look(shell, nic, within, there=True)


def await_no_interface(shell: Shell, nic: Nic, within: float) -> GuestInterface | None:
    """None as soon as no interface has the NIC's MAC; the interface that still has it after ``within`` seconds."""
    return _look(shell, nic, within, there=False)


def address_command(nic: Nic) -> str:
    """The command that sets the addresses of a plugged NIC in a guest, with or without NetworkManager."""
    addresses = " ".join(shlex.quote(str(address)) for address in nic.addresses)
    command = _ADDRESS_NIC.replace("MAC_HERE", nic.mac).replace("NM_SETTINGS", " ".join(_nm_settings(nic)))
    return command.replace("ADDRESSES_HERE", addresses)


def _nm_settings(nic: Nic) -> list[str]:
    settings = []
    for version, otherwise in ((4, "disabled"), (6, "link-local")):
        own = ",".join(str(address) for address in nic.addresses if address.version == version)
        settings += [f"ipv{version}.method", "manual" if own else otherwise]
        settings += [f"ipv{version}.addresses", own] if own else []
    return settings


def _look(shell: Shell, nic: Nic, within: float, *, there: bool) -> GuestInterface | None:
    deadline, pause = Deadline(within), threading.Event()
    while True:
        found = read_identity(shell).by_mac(nic.mac)
        if (found is not None) is there or deadline.passed:
            return found
        pause.wait(LOOK_AGAIN)
