# SPDX-License-Identifier: Apache-2.0
"""Where the log has the charts of a suite and of a test: the keyword whose message holds the picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TITLE = re.compile(r"<svg [^>]*role=\"img\"[^>]*><title[^>]*>(Timeline|Connectivity)\b")


def charts_in(*steps: Any) -> dict[str, str]:
    """The ids of the keywords that hold the first chart of each kind, by ``timeline`` and ``connectivity``."""
    found: dict[str, str] = {}
    for step in steps:
        for kind, place in _walk(step) if step else ():
            found.setdefault(kind, place)
    return found


def _walk(step: Any) -> Iterator[tuple[str, str]]:
    for item in step.body:
        if item.type == item.MESSAGE:
            if item.html and (title := _TITLE.match(item.message)):
                yield title[1].lower(), step.id
        else:
            yield from _walk(item)
