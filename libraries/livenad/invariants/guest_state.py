# SPDX-License-Identifier: Apache-2.0
"""The whole state of a guest as a flat table of values, parsed from what `read_guest` prints. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from livenad.errors import LabError
from livenad.invariants.flat_fields import Fields

_VOLATILE = re.compile(r"\s+(?:(?:expires|hoplimit|valid_lft|preferred_lft|used|age)\s+\S+|tentative)(?=\s|$)")
_LEARNT = re.compile(
    r"\bproto ra\b|\btemporary\b|\bmngtmpaddr\b|^(?:local|anycast|broadcast|multicast) .*\btable local\b"
)
"""What a guest learns from the network, and the routes that the kernel makes of its addresses, late for a new one."""


@dataclass(frozen=True)
class GuestState:
    """Values by path at one moment; ``uptime`` in seconds. ``missing`` are tools without which values are not there."""

    values: Fields
    uptime: float
    missing: tuple[str, ...] = field(default=())


def parse_state(text: str, source: str) -> GuestState:
    """Parse the output of the script of `read_guest`. LabError that quotes it if it is not what the script prints."""
    values: Fields = {}
    uptime: float | None = None
    missing = []
    for line in text.splitlines():
        path, tab, value = line.partition("\t")
        value = value.strip()
        if not tab:
            continue
        if path == "uptime":
            uptime = float(value)
        elif path == "missing":
            missing.append(value)
        elif path.startswith(("addr.", "route", "rule", "neighbor")):
            _add_line(values, path, value)
        else:
            values[path.replace("sysctl.", "sysctl.net/")] = value
    if uptime is None or "boot_id" not in values:
        raise LabError(f"{source}: the guest did not print its state; its output ended with: {text[-200:]!r}")
    return GuestState(values, uptime, tuple(missing))


def _add_line(values: Fields, path: str, value: str) -> None:
    """What has no name but itself, such as an address or a route: what it is without what expires or is learnt."""
    kept = " ".join(_VOLATILE.sub("", f" {value}").split()).replace("\\", "").strip()
    if path.startswith("addr."):
        path = f"address[{path[5:].partition('@')[0].rstrip(':')}]"
    if not _LEARNT.search(kept):
        values[f"{path}[{kept}]"] = "present"
