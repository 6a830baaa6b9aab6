# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any, NoReturn

from ..fault_points import Defect


def _refuse(_nothing: None, **_: Any) -> NoReturn:
    raise ConnectionRefusedError


DEFECT = Defect(
    name="ssh-is-refused",
    sentence="Port-forwards to guests are refused, as without an SSH server in them.",
    rows=(),
    point="agent.dial",
    change=_refuse,
    fault="lab",
)
