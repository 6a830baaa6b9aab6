# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect


def _nothing(data: bytes | None, *, kind: str, **_: Any) -> bytes | None:
    return b"" if kind == "console" else data


DEFECT = Defect(
    name="consoles-are-dead",
    sentence="No serial console shows anything; the guests are well.",
    rows=(),
    point="agent.stream_output",
    change=_nothing,
    fault="lab",
)
