# SPDX-License-Identifier: Apache-2.0
"""Reads the whole state of a guest inside it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from livenad.guest.shells import DEFAULT_TIMEOUT, Deadline, Shell
from livenad.invariants.guest_state import GuestState, parse_state

# A line "<path>\t<value>" each. Works with iproute2 and with BusyBox; what a guest lacks is told as "missing".
READ_STATE = r"""# whole state of the guest
T=$(printf '\t')
say() { echo "$1$T$2"; }
read -r v </proc/sys/kernel/random/boot_id; say boot_id "$v"
v=; read -r v 2>/dev/null </etc/machine-id; say machine_id "$v"
read -r v </proc/sys/kernel/hostname; say hostname "$v"
read -r v </proc/sys/kernel/osrelease; say kernel "$v"
for d in /sys/class/net/*; do
[ -e "$d/address" ] || continue
for f in "$d"/*; do [ -f "$f" ] || continue
v=; read -r v 2>/dev/null <"$f" && [ -n "$v" ] && say "interface[${d##*/}].${f##*/}" "$v"; done
[ -e "$d/master" ] && v=$(readlink "$d/master") && say "interface[${d##*/}].master" "${v##*/}"
done
while read -r k v; do case $k in nameserver|search|domain|options) say "resolver.$k[$v]" yes;; esac
done </etc/resolv.conf
cd /proc/sys/net && grep -s . ipv4/conf/*/* ipv6/conf/*/* ipv4/neigh/*/* ipv6/neigh/*/* | while IFS=: read -r k v
do say "sysctl.$k" "$v"; done
if command -v ip >/dev/null; then
ip -o addr show | while read -r _ n v; do say "addr.$n" "$v"; done
ip -o link show | while read -r _ n v; do
case $v in *" qdisc "*) n=${n%:}; v=${v#* qdisc }; say "interface[${n%%@*}].qdisc" "${v%% *}";; esac; done
for f in 4 6; do
ip -$f neigh show nud permanent 2>/dev/null | while read -r v; do say "neighbor$f" "$v"; done
ip -$f -o route show table all 2>/dev/null | while read -r v; do say "route$f" "$v"; done
ip -$f rule show 2>/dev/null | while read -r v; do say "rule$f" "$v"; done
done
else say missing ip; fi
read -r v _ </proc/uptime; say uptime "$v"
"""

START_PROCESS = r"""# process that must live through the change
(nohup sleep 7200 </dev/null >/dev/null 2>&1 & echo $!)
"""

# The 20th word after the name of the program is its start time.
_READ_PROCESS = r"""v=; read -r v 2>/dev/null </proc/{process}/stat; set -- ${{v##*)}}
if [ -n "$v" ]; then shift 19; say process "started at $1"; else say process ended; fi
"""


def start_process(shell: Shell) -> str:
    """Start a process that does nothing for two hours; gives its PID. It ends by itself."""
    return shell.run(START_PROCESS).stdout.strip()


def read_state(shell: Shell, process: str = "", timeout: float = DEFAULT_TIMEOUT) -> GuestState:
    """Read it in the guest, with the start time of a process of `start_process`. LabError if no command runs there."""
    script = READ_STATE
    if process:
        script += _READ_PROCESS.format(process=process)
    return parse_state(shell.run(script, timeout, repeatable=True).stdout, shell.name)


def read_settled_state(
    shell: Shell, process: str, as_expected: Callable[[GuestState], bool], patience: float
) -> GuestState:
    """Read it until it is as expected, at most ``patience`` seconds: addresses may be late after a link came up."""
    deadline = Deadline(patience)
    pause = threading.Event()
    while True:
        now = read_state(shell, process)
        if as_expected(now) or deadline.passed:
            return now
        pause.wait(0.5)
