# SPDX-License-Identifier: Apache-2.0
"""Compares the state of a guest with the state that was recorded. Pure."""

from __future__ import annotations

import re

from livenad.invariants.comparison import Comparison, Difference
from livenad.invariants.guest_state import GuestState
from livenad.text import human

TOLD = (
    (
        re.compile(r"interface\[[^\]]*\]\.carrier_(?:changes|up_count|down_count)"),
        "counts how often a link was lost; a hypervisor may announce a migrated NIC so",
    ),
    (
        re.compile(
            r"sysctl\.net/ipv6/(?:conf/[^/]+/hop_limit|neigh/[^/]+/(?:base_reachable_time|retrans_time)(?:_ms)?)"
        ),
        "learnt from the routers of a network by their advertisements",
    ),
)
"""Values of a guest that are told and not judged, with the reason."""

_RESOLUTION = 1.0
"""Seconds by which two readings of a guest's uptime may be apart from ours: the command's way there and back."""


def compare_guest(guest: str, before: GuestState, now: GuestState, elapsed: float, downtime: float) -> Comparison:
    """Every value that was read then or now; and the uptime, which must have grown by ``elapsed`` seconds.

    ``downtime`` is how long migrations may have stopped the guest's clock in that time.
    """
    result = Comparison()
    subject = f"guest {guest}'s"
    for path in sorted(set(before.values) | set(now.values)):
        result.compared += 1
        old, new = before.values.get(path), now.values.get(path)
        if old == new:
            continue
        told = any(pattern.fullmatch(path) for pattern, _ in TOLD)
        what = "is gone" if new is None else f"is {new}"
        result.differences.append(Difference(subject, path, old, new, finding="" if told else what))
    result.compared += 1
    grown = now.uptime - before.uptime
    if not elapsed - downtime - _RESOLUTION <= grown <= elapsed + _RESOLUTION:
        what = (
            f"is {now.uptime:.2f} s {human(elapsed)} later: expected it to grow by that time, less at most "
            f"{human(downtime)} for the migration"
        )
        result.differences.append(Difference(subject, "uptime", f"{before.uptime:.2f} s", now.uptime, finding=what))
    return result
