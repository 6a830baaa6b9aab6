# SPDX-License-Identifier: Apache-2.0
"""The last resort against a wait without an end: every keyword of both libraries has a Robot timeout.

Each wait has a limit of its own, so this timeout ends none that works. A test, a setup and a teardown are bounded by
the timeouts of their keywords. The gate calls the end of one a LAB ERROR.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from livenad.settings import Settings
from robot.api.types import KeywordName
from robot.running.context import EXECUTION_CONTEXTS
from robot.running.timeouts import KeywordTimeout
from robot.utils import timestr_to_secs

from KubeVirtLibrary.base import LibraryBase
from KubeVirtLibrary.log import variable

GRACE_SECONDS = 300.0
"""Seconds for what a keyword does beside its wait: requests to a slow API server, sessions in guests."""

_WAITS_BY_VARIABLE = {"cluster", "cluster settings", "namespaces", "networks"}
"""Topics of keywords whose limits are the variables LEASE_TIMEOUT and NETWORK_TIMEOUT."""


class LastResort:
    """Robot tells it of each library keyword before it computes the keyword's timeout."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        self._timeouts: dict[int, KeywordTimeout] = {}

    def start_library_keyword(self, data: Any, implementation: Any, result: Any) -> None:
        """A keyword that runs another one has none: that one has its own."""
        context = EXECUTION_CONTEXTS.current
        ours = isinstance(implementation.owner.instance, LibraryBase)
        if ours and not context.dry_run and not _runs_others(implementation):
            timeout = KeywordTimeout(_limit(data, implementation, context.variables) + GRACE_SECONDS, start=True)
            result.timeout = str(timeout)
            context.timeouts.append(timeout)
            self._timeouts[id(result)] = timeout

    def end_library_keyword(self, data: Any, implementation: Any, result: Any) -> None:
        """Robot forgets the timeouts of a test by itself when its teardown begins."""
        timeout = self._timeouts.pop(id(result), None)
        timeouts = EXECUTION_CONTEXTS.current.timeouts
        if timeout in timeouts:
            timeouts.remove(timeout)


def _runs_others(implementation: Any) -> bool:
    return any(info.type is KeywordName for info in implementation.args.types.values())


def _is_time(info: Any) -> bool:
    return info.type is timedelta or any(_is_time(nested) for nested in info.nested or ())


def _limit(data: Any, implementation: Any, variables: Any) -> float:
    """Seconds that the keyword was told to wait at most, or those of the variables that it waits by."""
    seconds = 0.0
    if any(_is_time(info) for info in implementation.args.types.values()):
        try:
            positional, named = implementation.resolve_arguments(data.args, data.named_args, variables)
        except Exception:
            return 0.0  # arguments that Robot refuses when it runs the keyword
        values = [*positional, *{**implementation.args.defaults, **dict(named)}.values()]
        seconds = sum(value.total_seconds() for value in values if isinstance(value, timedelta))
    if _WAITS_BY_VARIABLE & set(implementation.tags):
        seconds += _seconds("LEASE_TIMEOUT", Settings.lease_timeout)
        seconds += _seconds("NETWORK_TIMEOUT", Settings.network_timeout)
    return seconds


def _seconds(name: str, default: float) -> float:
    try:
        return float(timestr_to_secs(variable(name)))
    except ValueError:
        return default  # not set, or no time, which the keyword that opens the cluster complains of
