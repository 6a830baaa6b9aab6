# SPDX-License-Identifier: Apache-2.0
"""Faults of the API server that a defect injects: a delay, or an error in place of the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from emulator.kube.errors import ApiError

from .requests import RequestInfo
from .users import UserInfo


@dataclass(frozen=True)
class ApiFault:
    """How long a request is delayed, and the error that then replaces its answer."""

    seconds: float = 0.0
    error: ApiError | None = None


def is_from_outside(user: UserInfo) -> bool:
    """Whether the user is a client of the cluster, not one of its own components."""
    return not user.name.startswith("system:")


def every(nth: int, fault: Callable[[], ApiFault], *verbs: str) -> Callable[..., ApiFault]:
    """A defect's change at ``api.fault``: injects ``fault`` into each ``nth`` request from outside.

    Only requests on resources are counted; with ``verbs``, only those verbs.
    """
    numbers = count(1)

    def change(now: ApiFault, *, info: RequestInfo, user: UserInfo, **_: Any) -> ApiFault:
        if not is_from_outside(user) or not info.is_resource or (verbs and info.verb not in verbs):
            return now
        return fault() if next(numbers) % nth == 0 else now

    return change
