from __future__ import annotations

from ..apiserver.trouble import Trouble, every
from ..decisions import Defect


def _trouble() -> Trouble:
    return Trouble(seconds=0.4)


DEFECT = Defect(
    name="api-is-slow",
    sentence="The API server takes 400 ms longer for each request.",
    rows=(),
    point="api.trouble",
    change=every(1, _trouble),
    fault="lab",
)
