# SPDX-License-Identifier: Apache-2.0
"""Versions of KubeVirt, and their differences in live updates of networks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LIVE_UPDATE_NAD = "LiveUpdateNADRef"
BETA = frozenset(
    {"DeclarativeHotplugVolumes", "ExternalNetResourceInjection", "MigrationPriorityQueue", "NodeRestriction"}
)


@dataclass(frozen=True)
class Profile:
    """One version of KubeVirt.

    ``live_update`` says when a change of ``networkName`` reaches a running VMI: ``never``, ``gate`` (only with the
    feature gate) or ``always``. ``asks_migratable``: only for a VMI that can migrate, others need a restart.
    ``beta_gates_on``: gates in beta are on without being listed. ``priority``: automatic migrations carry one.
    ``tells_overhead``: launcher pods and VMIs say what memory the launcher itself needs.
    ``image_volumes``: launcher pods get container disks as volumes, not by containers that copy them;
    ``monitor_args``: they get what tells the launcher's monitor of its guest as arguments, not in the command.
    ``feature_gates`` are those that the KubeVirt CR lists from the start.
    """

    name: str
    version: str
    live_update: str
    asks_migratable: bool = False
    beta_gates_on: bool = False
    priority: bool = False
    max_downtime: bool = False
    gated_send_to: bool = True
    binding_required: bool = True
    memory_overhead_mib: int = 268
    tells_overhead: bool = True
    image_volumes: bool = True
    monitor_args: bool = False
    feature_gates: tuple[str, ...] = ()
    beta_gates: frozenset[str] = field(default=BETA)
    ga_gates: frozenset[str] = frozenset()


_GA = frozenset({LIVE_UPDATE_NAD})
_V18: dict[str, Any] = {
    "version": "v1.8.4+embedded",
    "live_update": "gate",
    "binding_required": False,
    "tells_overhead": False,
    "image_volumes": False,
}
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("1.7", "v1.7.4+embedded", "never", binding_required=False, tells_overhead=False, image_volumes=False),
        Profile("1.8", **_V18),
        Profile("1.8-gate", feature_gates=(LIVE_UPDATE_NAD,), **_V18),
        Profile(
            "1.9",
            "v1.9.0+embedded",
            "always",
            beta_gates_on=True,
            priority=True,
            max_downtime=True,
            ga_gates=_GA,
        ),
        Profile(
            "main",
            "v1.10.0-alpha.0+embedded",
            "always",
            asks_migratable=True,
            beta_gates_on=True,
            priority=True,
            max_downtime=True,
            gated_send_to=False,
            memory_overhead_mib=288,
            monitor_args=True,
            ga_gates=_GA,
        ),
    )
}
DEFAULT = "1.9"


def profile_for(name: str) -> Profile:
    """The profile of that name; ValueError lists the existing ones."""
    try:
        return PROFILES[name]
    except KeyError:
        raise ValueError(f"no KubeVirt profile is called {name!r}; there are: {', '.join(PROFILES)}") from None
