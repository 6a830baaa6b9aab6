# SPDX-License-Identifier: Apache-2.0
"""What differs between two files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tests.baseline.record import Key, Records, Seen
from tests.baseline.wordings import Wording, reworded

Saying = tuple[str, str]
Entries = dict[Key, set[Saying]]
MANY = 4


@dataclass(frozen=True)
class Difference:
    """``kind`` is missing, new, status or message; no ``test``: all of the run."""

    kind: str
    run: str
    scenario: str = ""
    test: str = ""
    before: tuple[Saying, ...] = ()
    after: tuple[Saying, ...] = ()


def differences(before: Records, after: Records, wordings: Sequence[Wording] = ()) -> list[Difference]:
    """In the order of the runs. Of several things that were seen before, each is as good as the others."""
    old, new = _entries(before, list(wordings)), _entries(after, [])
    old_runs, new_runs = {key.run for key in old}, {key.run for key in new}
    found = [Difference("missing", run) for run in sorted(old_runs - new_runs)]
    found += [Difference("new", run) for run in sorted(new_runs - old_runs)]
    for key in sorted(key for key in {*old, *new} if key.run in old_runs & new_runs):
        found += _of_one(key, old.get(key, set()), new.get(key, set()))
    return found


def _entries(records: Records, wordings: list[Wording]) -> Entries:
    found: Entries = {}
    for run, record in records.items():
        for key, several in record.entries(run):
            of = key.scenario
            renamed = Key(reworded(run, wordings), of, reworded(key.test, wordings, of))
            found.setdefault(renamed, set()).update(_saying(seen, wordings, of) for seen in several)
    return found


def _saying(seen: Seen, wordings: list[Wording], scenario: str) -> Saying:
    return seen.status, reworded(seen.message, wordings, scenario)


def _of_one(key: Key, old: set[Saying], new: set[Saying]) -> Iterable[Difference]:
    if unknown := new - old if old else new:
        words = {status for status, _ in old}
        kind = "new" if not old else "message" if all(status in words for status, _ in unknown) else "status"
        yield Difference(kind, *key, tuple(sorted(old)), tuple(sorted(unknown)))
    elif not new:
        yield Difference("missing", *key, tuple(sorted(old)))


def lines(found: Sequence[Difference]) -> list[str]:
    """What is the same in several runs is said once."""
    runs: dict[Difference, list[str]] = {}
    for one in found:
        runs.setdefault(replace(one, run="" if one.test else one.run), []).append(one.run)
    return [line for one, where in runs.items() for line in _lines(one, where)]


def _lines(one: Difference, runs: list[str]) -> list[str]:
    if not one.test:
        return [f"{one.kind.upper():8} {one.run}: the whole run"]
    where = ", ".join(runs[:MANY]) + (f" and {len(runs) - MANY} more runs" if len(runs) > MANY else "")
    name = " ".join(filter(None, (one.scenario, one.test)))
    told = [f"    {mark} {_told(saying)}" for mark, some in (("-", one.before), ("+", one.after)) for saying in some]
    return [f"{one.kind.upper():8} {name}, in {where}", *told]


def _told(saying: Saying) -> str:
    return ": ".join(filter(None, saying)).replace("\n", "\n      ")
