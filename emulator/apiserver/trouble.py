"""What an API server in trouble does to a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from emulator.kube.errors import ApiError

from .requests import RequestInfo
from .users import UserInfo


@dataclass(frozen=True)
class Trouble:
    """How long a request waits, and the error that it then gets in place of its answer."""

    seconds: float = 0.0
    error: ApiError | None = None


def is_from_outside(user: UserInfo) -> bool:
    """Not a part of the cluster."""
    return not user.name.startswith("system:")


def every(nth: int, trouble: Callable[[], Trouble], *verbs: str) -> Callable[..., Trouble]:
    """A defect's change at ``api.trouble``: each ``nth`` request from outside is in trouble.

    Only resources are counted, and only these verbs where some are given.
    """
    numbers = count(1)

    def change(now: Trouble, *, info: RequestInfo, user: UserInfo, **_: Any) -> Trouble:
        if not is_from_outside(user) or not info.is_resource or (verbs and info.verb not in verbs):
            return now
        return trouble() if next(numbers) % nth == 0 else now

    return change
