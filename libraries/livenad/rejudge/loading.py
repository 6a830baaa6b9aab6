# SPDX-License-Identifier: Apache-2.0
"""Reads what `saving` wrote, and makes its verdicts again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from livenad.api.history import History
from livenad.api.kinds import RECORDED, Object
from livenad.errors import BadInput, LabError
from livenad.rejudge.codec import decode, function_of
from livenad.rejudge.differences import applied
from livenad.rejudge.saving import FORMAT, VERSION
from livenad.verdict_log import LAB_ERROR, Outcome, Verdict

_KINDS = {kind.name: kind for kind in RECORDED}


@dataclass(frozen=True)
class Rejudged:
    """A verdict as it was saved, and as it is now; ``title`` names the function and the subject."""

    title: str
    was: Outcome
    now: Outcome

    @property
    def same(self) -> bool:
        """Whether status and message are those of then."""
        return self.was == self.now


@dataclass
class Saved:
    """A file: its first line, its states and requests in the order of arrival, and its verdicts."""

    path: Path
    head: dict[str, Any]
    states: list[list[Any]] = field(default_factory=list)
    requests: list[tuple[str, bool, int]] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def left_out(self) -> str:
        """Why it has no verdicts, "" where it has them."""
        return str(self.head.get("left out", ""))


def load(path: Path) -> Saved:
    """Read a file. BadInput that names it for one that is no such file, or of a later version."""
    try:
        lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    except (OSError, EOFError, ValueError) as error:
        raise BadInput(f"{path} is not a whole file of verdicts: {error}") from None
    return saved_of(path, lines)


def saved_of(path: Path, lines: Sequence[Any]) -> Saved:
    """What the decoded lines of a file say. BadInput as in `load`."""
    head = lines[0] if lines and isinstance(lines[0], dict) else {}
    if head.get("format") != FORMAT:
        raise BadInput(f'{path} is not a file of verdicts; its first line should have "format": "{FORMAT}"')
    if head.get("version") != VERSION:
        raise BadInput(f"{path} has version {head.get('version')}; this livenad reads version {VERSION}")
    saved = Saved(path, head)
    last: dict[tuple[str, str], Object] = {}
    newest: dict[str, Object] = {}
    for line in lines[1:]:
        if "state" in line:
            *values, change = line["state"]
            kind, name = values[3], values[4]
            item = applied(last.get((kind, name)) or newest.get(kind, {}), change)
            last[kind, name] = newest[kind] = item
            saved.states.append([*values, item])
        elif "requested" in line:
            saved.requests.append(tuple(line["requested"]))
        else:
            saved.verdicts.append(line["verdict"])
    return saved


def rejudge(saved: Saved) -> Iterator[Rejudged]:
    """Make each verdict again, with the history as it was then."""
    history = _Growing(saved)
    for data in saved.verdicts:
        was = Outcome(data["status"], data["message"])
        name = str(data.get("function", "unknown:unknown")).partition(":")[2]
        title = f"{name}: {was.message.partition(chr(10))[0]}"
        yield Rejudged(title, was, _made_again(data, was, history))


def _made_again(data: dict[str, Any], was: Outcome, history: _Growing) -> Outcome:
    if "cannot" in data:
        return Outcome(LAB_ERROR, f"it was saved without what it was made of: {data['cannot']}")
    try:
        function, arguments, since = function_of(data["function"]), decode(data["arguments"]), decode(data["since"])
    except (LabError, TypeError, KeyError) as error:
        return Outcome(LAB_ERROR, f"it cannot be made again by this version: {error}")
    verdict = Verdict(function, tuple(arguments), since, data["states"], data["now"], data["wall"], was)
    try:
        return verdict.made_again(history.grown_to(data["states"] or 0))
    except Exception as error:  # whatever it is: the arguments are those of another version
        return Outcome(LAB_ERROR, f"it cannot be made again by this version: {type(error).__name__}: {error}")


class _Growing:
    """A history to which the saved states are added as they arrived. Verdicts come in the order of their time."""

    def __init__(self, saved: Saved) -> None:
        self._saved = saved
        self._begin()

    def _begin(self) -> None:
        self._at = self._wall = 0.0
        self._grown = 0
        self._history = History(clock=lambda: self._at, wall=lambda: self._wall)

    def grown_to(self, length: int) -> History:
        """The history when ``length`` states had arrived."""
        if length < self._grown:
            self._begin()
        for at, wall, type_, kind, _, synthetic, item in self._saved.states[self._grown : length]:
            self._ask()
            self._at, self._wall = at, wall
            self._history.append(_KINDS[kind], type_, item, synthetic=synthetic)
            self._grown += 1
        self._ask()
        return self._history

    def _ask(self) -> None:
        """What the run had asked for by then."""
        known = len(self._history.own_requests())
        for vm, evacuation, index in self._saved.requests[known:]:
            if index <= self._grown:
                self._history.expect_migration(vm, evacuation=evacuation)
