# SPDX-License-Identifier: Apache-2.0
"""Round trips of two versions of the project, in turns.

Needs nothing of the project but its keywords, so that a former version can load this file, too.
"""

from __future__ import annotations

import enum
import json
import os
import select
import sys
import time
import typing
from pathlib import Path
from typing import Any

from robot.libraries.BuiltIn import BuiltIn

_LONGEST_TURN = 120  # seconds
_PROJECT = Path(__file__).parents[3]


class RoundTrips:
    """Keywords of round_trips.robot.

    ``mine`` and ``theirs`` are named pipes: a byte in one gives its reader the turn.
    """

    ROBOT_LIBRARY_SCOPE = "SUITE"

    def __init__(self, mine: str, theirs: str) -> None:
        self._mine = os.open(mine, os.O_RDWR)
        self._theirs = os.open(theirs, os.O_RDWR)
        self._series: dict[str, list[list[float]]] = {}
        loaded = str(sys.modules["GuestLibrary"].__file__)
        if not Path(loaded).is_relative_to(_PROJECT):
            raise AssertionError(f"the keywords of {_PROJECT} were to be timed, those of {loaded} are loaded")

    def time_round_trips(self, vm: str, via: str, series: int, count: int) -> None:
        """In each series ``count`` commands follow each other on a standing session; then it is the other's turn."""
        guests: Any = BuiltIn().get_library_instance("GuestLibrary")
        keywords = guests.keywords
        run_in_guest = keywords.get("Run In Guest") or keywords["run_in_guest"]
        kind = typing.get_type_hints(run_in_guest)["via"]
        way = kind[via] if isinstance(kind, enum.EnumMeta) else via
        run_in_guest(vm, "true", via=way)
        self._series[via] = []
        for _ in range(series):
            self._wait_for_turn()
            self._series[via].append([_timed(run_in_guest, vm, way, number) for number in range(count)])
            os.write(self._theirs, b"\n")

    def write_series(self, path: str) -> None:
        Path(path).write_text(json.dumps(self._series), encoding="utf-8")

    def _wait_for_turn(self) -> None:
        if not select.select([self._mine], [], [], _LONGEST_TURN)[0]:
            raise AssertionError(f"the other version did not give the turn back within {_LONGEST_TURN} s")
        os.read(self._mine, 1)


def _timed(run_in_guest: Any, vm: str, way: Any, number: int) -> float:
    start = time.monotonic()
    result = run_in_guest(vm, f"echo {number}", via=way)
    seconds = time.monotonic() - start
    if result.stdout.strip() != str(number):
        raise AssertionError(f"command {number} answered {result.stdout!r}")
    return seconds
