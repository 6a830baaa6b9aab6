# SPDX-License-Identifier: Apache-2.0
"""Reads the identity of a guest inside it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from livenad.guest.shells import DEFAULT_TIMEOUT, Deadline, Shell
from livenad.identity.guest_identity import GuestIdentity, parse_identity

# One line each: "<what> ...". Works with iproute2 and with BusyBox.
READ_IDENTITY = r"""# identity of the guest
read -r boot </proc/sys/kernel/random/boot_id; echo "boot $boot"
read -r up _ </proc/uptime; echo "uptime $up"
for d in /sys/class/net/*; do
[ -e "$d/address" ] || continue
read -r mac <"$d/address"; read -r mtu <"$d/mtu"; read -r state <"$d/operstate"
carrier=; read -r carrier 2>/dev/null <"$d/carrier"
echo "link ${d##*/} ${mac:--} $mtu $state ${carrier:--}"
done
command -v ip >/dev/null || { echo "missing ip"; exit 0; }
ip -o addr show | while read -r line; do echo "addr $line"; done
ip -4 -o route show | while read -r line; do echo "route4 $line"; done
ip -6 -o route show 2>/dev/null | while read -r line; do echo "route6 $line"; done
"""


def read_identity(shell: Shell, timeout: float = DEFAULT_TIMEOUT) -> GuestIdentity:
    """Read it in the guest. LabError when no command can be run there."""
    return parse_identity(shell.run(READ_IDENTITY, timeout, repeatable=True).stdout, shell.name)


def read_settled_identity(
    shell: Shell, as_expected: Callable[[GuestIdentity], bool], patience: float = 5.0
) -> GuestIdentity:
    """Read it until the guest is as expected, or its interfaces are stable, at most ``patience`` seconds.

    An interface that has just come up may have no address for a moment; a state of half a second counts as stable.
    """
    deadline = Deadline(patience)
    pause = threading.Event()
    before: GuestIdentity | None = None
    while True:
        now = read_identity(shell)
        if as_expected(now) or deadline.passed or (before is not None and before.interfaces == now.interfaces):
            return now
        before = now
        pause.wait(0.5)
