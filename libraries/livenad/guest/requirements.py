# SPDX-License-Identifier: Apache-2.0
"""What a guest must have, and which values cannot be had of one that lacks it."""

from __future__ import annotations

from collections.abc import Iterable

from livenad.errors import LabError
from livenad.guest.shells import DEFAULT_TIMEOUT, Shell

NEEDS: dict[str, str] = {
    "ip": "addresses and routes of its interfaces (iproute2 or BusyBox)",
    "ping": "who answers by ICMP, and how much a network loses",
    "bash or nc": "who answers by TCP",
    "cksum": "output of commands on its console",
    "python3": "answers by UDP, full frames, transfers, frames to everybody, and connections that stay open",
    "root or sudo": "whether others tell their MAC once it is forgotten (sudo without a password)",
}
"""Tools, alternatives joined by ``or``, and the values that rest on them; the documentation has the same."""

_ASK = r"""# tools of the guest
true >/dev/null || {{ echo {no_null}; exit 0; }}
for t in {tools}; do command -v "$t" >/dev/null 2>&1 && echo "$t"; done
if [ "$(id -u)" = 0 ]; then echo root; elif sudo -n true; then echo sudo; fi 2>/dev/null
:
"""


_NO_NULL = "no-null"


def missing_in(shell: Shell, timeout: float = DEFAULT_TIMEOUT) -> list[str]:
    """What a guest lacks, as in `NEEDS`. LabError where nothing can be found out."""
    tools = [tool for need in NEEDS for tool in need.split(" or ") if tool not in ("root", "sudo")]
    there = shell.run(_ASK.format(tools=" ".join(tools), no_null=_NO_NULL), timeout, repeatable=True).stdout.split()
    if _NO_NULL in there:
        raise LabError(f"{shell.name}: its user may not write to /dev/null; give it mode 666")
    return [need for need in NEEDS if not set(need.split(" or ")) & set(there)]


def not_observed(missing: Iterable[str]) -> str:
    """The values that cannot be had, in words; "" when nothing is missing."""
    return "; ".join(f"no {need}: not observed are {NEEDS[need]}" for need in missing)
