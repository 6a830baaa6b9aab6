# SPDX-License-Identifier: Apache-2.0
"""Whether a NIC works in its guest: its link, its addresses, and the frames that it sends."""

from __future__ import annotations

import re
from dataclasses import dataclass

from livenad.errors import LabError
from livenad.guest.shells import Shell
from livenad.model import Nic

_READ = r"""# link of a NIC
for f in /sys/class/net/*/address; do
read -r m <"$f"; [ "$m" = "%(mac)s" ] || continue
d=${f%%/address}; c=0; read -r c 2>/dev/null <"$d/carrier"
read -r t <"$d/statistics/tx_packets"; read -r r <"$d/statistics/rx_packets"
echo "LINK ${d##*/} ${c:-0} $t $r"
ip -o addr show dev "${d##*/}" 2>/dev/null | while read -r _ _ _ a _; do echo "ADDRESS ${a%%/*}"; done
done
"""
_LINK = re.compile(r"^LINK (\S+) (\d) (\d+) (\d+)$", re.MULTILINE)
_ADDRESS = re.compile(r"^ADDRESS (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class LinkState:
    """A NIC's interface in the guest: name, carrier, frames sent and received, and addresses.

    ``name`` is "" when no interface has the NIC's MAC.
    """

    name: str
    carrier: bool = False
    sent: int = 0
    received: int = 0
    addresses: tuple[str, ...] = ()


def read_link(shell: Shell, nic: Nic) -> LinkState:
    """Read it in the guest. LabError when no command can be run there."""
    said = shell.run(_READ % {"mac": nic.mac}, repeatable=True).stdout
    found = _LINK.search(said)
    if found is None:
        return LinkState("")
    name, carrier, sent, received = found.groups()
    return LinkState(name, carrier == "1", int(sent), int(received), tuple(_ADDRESS.findall(said)))


def alive_since(before: LinkState, now: LinkState, nic: Nic, address: str) -> str:
    """``secondary is net1, carrier up, sent 14 frames``: the evidence that a NIC worked. LabError when it did not."""
    for when, state in (("at the beginning", before), ("at the end", now)):
        if not state.name:
            raise LabError(f'no interface of the guest had the MAC {nic.mac} of NIC "{nic.name}" {when} of the window')
        if not state.carrier:
            raise LabError(f'NIC "{nic.name}" ({state.name}) had no carrier {when} of the window')
        if address not in state.addresses:
            listed = ", ".join(state.addresses) or "none"
            raise LabError(
                f'NIC "{nic.name}" ({state.name}) did not have the address {address} {when} of the window; it had: '
                f"{listed}"
            )
    if now.sent <= before.sent:
        raise LabError(f'NIC "{nic.name}" ({now.name}) sent no frame in the window')
    return (
        f'"{nic.name}" is {now.name}, carrier up, {now.sent - before.sent} frames sent and '
        f"{now.received - before.received} received"
    )
