from __future__ import annotations

from ..apiserver.trouble import Trouble, every
from ..decisions import Defect
from ..kube.errors import ApiError


def _trouble() -> Trouble:
    return Trouble(error=ApiError(409, "Conflict", "the object has been modified"))


DEFECT = Defect(
    name="edits-conflict",
    sentence="Each second change of an object is refused with 409.",
    rows=(),
    point="api.trouble",
    change=every(2, _trouble, "patch", "update"),
    fault="lab",
)
