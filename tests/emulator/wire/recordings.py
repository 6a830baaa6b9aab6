# SPDX-License-Identifier: Apache-2.0
"""The recorded exchanges on disk: an area a file, an exchange a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Obj = dict[str, Any]
DATA = Path(__file__).parent / "data"


ADMISSION = "admission-main"


def recorded(area: str) -> list[Obj]:
    """The exchanges of an area in their order. Of admission, the older versions have what differs from main's."""
    found = _lines(area)
    if area == ADMISSION or not area.startswith("admission-"):
        return found
    other = {exchange["name"]: exchange for exchange in found}
    return [other.get(exchange["name"], exchange) for exchange in _lines(ADMISSION)]


def _lines(area: str) -> list[Obj]:
    return [json.loads(line) for line in (DATA / f"{area}.jsonl").read_text().splitlines()]
