# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any, NoReturn

from ..fault_points import Defect


def _refuse(_nothing: None, **_: Any) -> NoReturn:
    raise ConnectionRefusedError


def _silence(_data: bytes | None, **_: Any) -> bytes:
    return b""


DEFECT = Defect(
    name="guests-are-out-of-reach",
    sentence="Neither console nor port-forward leads to any guest.",
    rows=(),
    point="agent.dial",
    change=_refuse,
    fault="lab",
    also=(("agent.stream_output", _silence),),
)
