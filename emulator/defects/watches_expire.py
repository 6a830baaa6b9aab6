from __future__ import annotations

from ..apiserver.trouble import Trouble, every
from ..decisions import Defect
from ..kube.errors import ApiError


def _trouble() -> Trouble:
    return Trouble(error=ApiError(410, "Expired", "too old resource version"))


DEFECT = Defect(
    name="watches-expire",
    sentence="Each second watch is refused with 410: the resource version is too old.",
    rows=(),
    point="api.trouble",
    change=every(2, _trouble, "watch"),
    fault="lab",
)
