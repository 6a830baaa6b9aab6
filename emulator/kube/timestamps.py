# SPDX-License-Identifier: Apache-2.0
"""Times as the Kubernetes API writes them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

# Seconds since the epoch. Tests in virtual time put the clock of their event loop here.
wall_clock: Callable[[], float] = time.time


def now() -> datetime:
    """The current time, UTC."""
    return datetime.fromtimestamp(wall_clock(), UTC)


def timestamp(when: datetime | None = None) -> str:
    """RFC 3339 in whole seconds, UTC; the current time if ``when`` is not given."""
    return (when or now()).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str) -> datetime:
    """The time that an RFC 3339 text stands for; ValueError if it is not one."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
