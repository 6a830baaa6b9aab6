from __future__ import annotations

from ..apiserver.trouble import Trouble, every
from ..decisions import Defect
from ..kube.errors import ApiError


def _trouble() -> Trouble:
    return Trouble(error=ApiError(500, "InternalError", "Internal error occurred: etcdserver: leader changed"))


DEFECT = Defect(
    name="api-fails-now-and-then",
    sentence="Each seventh request to the API server fails with 500.",
    rows=(),
    point="api.trouble",
    change=every(7, _trouble),
    fault="lab",
)
