# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import count
from typing import Any

from ..fault_points import Defect

_NTH = 40
_numbers = count(1)


def _cut(data: bytes | None, **_: Any) -> bytes | None:
    return None if next(_numbers) % _NTH == 0 else data


DEFECT = Defect(
    name="streams-are-cut",
    sentence="Now and then a stream to a guest ends in the middle of what the guest says.",
    rows=(),
    point="agent.stream_output",
    change=_cut,
    fault="lab",
)
