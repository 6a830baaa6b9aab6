# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect


def _never(_fault: str, **_: Any) -> str:
    return "Back-off pulling image: 401 Unauthorized"


DEFECT = Defect(
    name="image-is-never-pulled",
    sentence="The nodes cannot pull the image of any launcher pod.",
    rows=(),
    point="agent.image_pull_error",
    change=_never,
    fault="lab",
)
