# SPDX-License-Identifier: Apache-2.0
"""The options of an embedded cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..fault_points import fault_points_for
from ..platforms.platform import DEFAULT as DEFAULT_PLATFORM
from ..platforms.platform import platform_for

MOST_NODES = 32
DEFAULT_KUBEVIRT = "1.9"


@dataclass(frozen=True)
class ClusterOptions:
    """``speed`` divides the real control plane's delays; ``defects`` are names of ``emulator/defects``.

    ``dynamic_networks``: whether the Dynamic Networks Controller runs. ``audit_log``: a file that gets every request to
    the API server, "" for none. ``shortest_token``: the shortest lifetime in seconds that a token may be requested for.
    ``lazy_guests``: a guest is started when something looks into it or sends it a frame.
    """

    kubevirt: str = DEFAULT_KUBEVIRT
    nodes: int = 2
    speed: float = 5.0
    defects: tuple[str, ...] = ()
    platform: str = DEFAULT_PLATFORM
    dynamic_networks: bool = False
    audit_log: str = ""
    shortest_token: int = 600
    lazy_guests: bool = False

    @property
    def node_names(self) -> tuple[str, ...]:
        return tuple(f"embedded-{number}" for number in range(1, self.nodes + 1))

    def check(self) -> None:
        """ValueError that names the first bad value and what was expected."""
        from ..controlplane.profile import profile_for  # noqa: PLC0415 - the agent alone does not need it

        profile_for(self.kubevirt)
        platform_for(self.platform)
        fault_points_for(self.defects)
        if not 1 <= self.nodes <= MOST_NODES:
            raise ValueError(f"nodes is {self.nodes}; expected a whole number from 1 to {MOST_NODES}")
        if self.audit_log and not Path(self.audit_log).absolute().parent.is_dir():
            raise ValueError(f"audit_log is {self.audit_log}: there is no directory {Path(self.audit_log).parent}")
        if not 0 < self.speed <= 1000:
            raise ValueError(f"speed is {self.speed:g}; expected a number above 0 and up to 1000, such as 5")
