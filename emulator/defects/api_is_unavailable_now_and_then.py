from __future__ import annotations

from ..apiserver.trouble import Trouble, every
from ..decisions import Defect
from ..kube.errors import ApiError


def _trouble() -> Trouble:
    return Trouble(error=ApiError(503, "ServiceUnavailable", "apiserver not ready"))


DEFECT = Defect(
    name="api-is-unavailable-now-and-then",
    sentence="Each seventh request to the API server is answered with 503.",
    rows=(),
    point="api.trouble",
    change=every(7, _trouble),
    fault="lab",
)
