# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect


def _only_the_first(ready: bool, *, node: str, **_: Any) -> bool:
    return ready and node.endswith("-1")


DEFECT = Defect(
    name="node-is-not-ready",
    sentence="All nodes but the first one are NotReady.",
    rows=(),
    point="agent.node_ready",
    change=_only_the_first,
    fault="lab",
)
