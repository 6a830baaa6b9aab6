# SPDX-License-Identifier: Apache-2.0
"""Saves the verdicts of a suite with its history: one file of JSON lines, compressed, without credentials.

The first line says what it is; then come a line for each state, as the difference to the state before, one for each
migration that the run asked for, and one for each verdict with its arguments.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from livenad.api.history import History
from livenad.api.kinds import Object
from livenad.rejudge.codec import encode, name_of
from livenad.rejudge.differences import difference
from livenad.verdict_log import Outcome, Verdict, VerdictLog

FILE = "verdicts.jsonl.gz"
FORMAT, VERSION = "livenad verdicts", 1

MOST_STATES = 50_000
"""A history with more states is not saved: it would take a suite's end longer than seconds."""

Redacted = Callable[[str], str]
"""Removes credentials from a text."""

_SALT = secrets.token_bytes(16)
_SECRET = frozenset({"userData", "userDataBase64", "kubectl.kubernetes.io/last-applied-configuration"})


def save(path: Path, history: History, log: VerdictLog, redacted: Redacted, made: Mapping[str, str]) -> str:
    """Write the file, in a folder that is made; returns a remark when something is left out, else "".

    ``made`` tells where it comes from, such as the version of KubeVirt; ``redacted`` removes credentials.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    head: dict[str, Any] = {"format": FORMAT, "version": VERSION, "made": dict(made)}
    too_many = history.dropped or len(history) > MOST_STATES
    if too_many:
        head["left out"] = history.dropped or f"more than {MOST_STATES:,} states"
    lines = iter(()) if too_many else _lines(history, log, redacted)
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=4) as file:
        file.write(_line(head) + "\n")
        file.writelines(line + "\n" for line in lines)
    return f"verdicts of this suite cannot be made again: {head['left out']}" if too_many else ""


def accept(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write a file again with other outcomes of its verdicts, in their order."""
    left = list(outcomes)
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for line in lines:
            data = json.loads(line)
            if "verdict" in data:
                now = left.pop(0)
                data["verdict"] |= {"status": now.status, "message": now.message}
            file.write(_line(data) + "\n")


def _lines(history: History, log: VerdictLog, redacted: Redacted) -> Iterator[str]:
    verdicts = log.all()
    last: dict[tuple[str, str], Object] = {}
    newest: dict[str, Object] = {}
    for record in history.by_arrival():
        item = record.object
        base = last.get((record.kind, record.name)) or newest.get(record.kind, {})
        last[record.kind, record.name] = newest[record.kind] = item
        values = [record.at, record.wall, record.type, record.kind, record.name, record.synthetic]
        change = _hidden(difference(base, item))
        yield _clean(redacted, {"state": [*values, change]})
    for vm, evacuation, index in history.own_requests():
        yield _line({"requested": [vm, evacuation, index]})
    for verdict in verdicts:
        yield _clean(redacted, {"verdict": _data_of(verdict)})


def _data_of(verdict: Verdict) -> dict[str, Any]:
    data: dict[str, Any] = {
        "wall": verdict.wall,
        "status": verdict.outcome.status,
        "message": verdict.outcome.message,
        "states": verdict.states,
        "now": verdict.now,
    }
    try:
        called = {
            "function": name_of(verdict.function),
            "arguments": encode(list(verdict.arguments)),
            "since": encode(verdict.since),
        }
    except ValueError as error:
        return data | {"cannot": str(error)}
    return data | called


def _hidden(value: Any) -> Any:
    """Without what may hold credentials; the same text is hidden in the same way, so that a change is still seen."""
    if isinstance(value, dict):
        return {
            key: _digest(item) if key in _SECRET and isinstance(item, str) else _hidden(item)
            for key, item in value.items()
        }
    return [_hidden(item) for item in value] if isinstance(value, list) else value


def _digest(text: str) -> str:
    return f"[removed {hashlib.sha256(_SALT + text.encode()).hexdigest()[:8]}]"


def _clean(redacted: Redacted, data: Any) -> str:
    """A line without credentials. Text that is replaced may stand across JSON; then each text is cleaned by itself."""
    line = _line(data)
    clean = redacted(line)
    if clean != line:
        try:
            json.loads(clean)
        except ValueError:
            return _line(_each_cleaned(redacted, data))
    return clean


def _each_cleaned(redacted: Redacted, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _each_cleaned(redacted, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_each_cleaned(redacted, item) for item in value]
    return redacted(value) if isinstance(value, str) else value


def _line(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)
