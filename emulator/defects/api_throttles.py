from __future__ import annotations

from ..apiserver.trouble import Trouble, every
from ..decisions import Defect
from ..kube.errors import ApiError


def _trouble() -> Trouble:
    return Trouble(error=ApiError(429, "TooManyRequests", "the server has received too many requests"))


DEFECT = Defect(
    name="api-throttles",
    sentence="Each fifth request to the API server is turned away with 429.",
    rows=(),
    point="api.trouble",
    change=every(5, _trouble),
    fault="lab",
)
