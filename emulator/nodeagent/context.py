# SPDX-License-Identifier: Apache-2.0
"""The context that all components of the node agent share."""

from __future__ import annotations

from dataclasses import dataclass

from ..dataplane.model import DataPlane
from ..fault_points import FaultPoints
from ..pace import Pace
from ..platforms.platform import KUBERNETES, Platform


@dataclass(frozen=True)
class AgentContext:
    """The data plane, this agent's nodes (name -> address), the pace, the fault points, and the platform."""

    dataplane: DataPlane
    nodes: dict[str, str]
    pace: Pace
    fault_points: FaultPoints
    platform: Platform = KUBERNETES
