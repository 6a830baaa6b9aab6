# SPDX-License-Identifier: Apache-2.0
"""Every verdict on every recording of a real control plane, at its end and cut off earlier: what each says.

``python -m tests.unit.rejudge.every_verdict`` writes it again after a verdict was changed on purpose; the difference in
the file is what has to be looked at.
"""

from __future__ import annotations

import gzip
import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, get_type_hints

from livenad.api.history import History
from livenad.api.kinds import MIGRATION
from livenad.api.status import phase_of
from livenad.changes import Change, NetworkChange, NicHotplug, NicSettingsChange
from livenad.errors import LabError, NotReached, ProductFault, TestError
from livenad.invariants.judge_everything import Act, Reading, judge_everything
from livenad.migrations.judge_induced_failure import InducedFailure
from livenad.model import Nic
from livenad.verdict_log import Judging

from tests.unit.rejudge import alterations
from tests.unit.support import flows, histories
from tests.unit.test_nothing_observed import VERDICTS

SAID = Path(__file__).parents[1] / "data" / "every_verdict.txt.gz"
PARTS = (0.5, 0.8, 1.0)
ALTERED = ("main-ab_basic", "1.9.0-m2_evacuation_during_swap")
LATER = 7.0
"""Seconds after the last state at which a verdict is made."""

_CONDITIONS = ["RestartRequired", "MigrationRequired"]


NAMES = (
    *flows.table(),
    *(f"recorded {name}" for name in histories.EDITED),
    *(f"{flow} altered: {name}" for flow in ALTERED for name in alterations.NAMES),
)


def said(name: str) -> Iterator[str]:
    """A line for each verdict on a recording: the part of it, the verdict, and what it says."""
    for part in PARTS if " altered: " not in name else PARTS[-1:]:
        history, edits = _recording(name, partial(_cut, part=part))
        if not edits:
            continue
        last = max(record.at for record in history.by_arrival())
        for verdict in VERDICTS:
            if " altered: " in name and verdict is judge_everything:
                continue
            for which, arguments in _arguments(verdict, history, edits):
                told = _told(Judging(history, verdict, arguments, edits[0], last + LATER))
                yield f"{name}, {part:.0%}, {verdict.__name__}{which}: {told}"


def _told(judging: Judging) -> str:
    """What a verdict says, and the kind of its error."""
    kind = ""
    try:
        with judging:
            judging.said = judging.function(judging.history, *judging.arguments)
    except (ProductFault, LabError, TestError) as error:
        late = " overdue" if isinstance(error, NotReached) and error.overdue else ""
        kind = f" ({type(error).__name__}{late})"
    return f"{judging.outcome.status}{kind}: {judging.outcome.message}".replace("\n", " | ")


def _recording(name: str, cut: Callable[[list[Any]], list[Any]]) -> tuple[History, list[NetworkChange]]:
    flow, _, alteration = name.partition(" altered: ")
    if alteration:
        done = flows.replay(flow, partial(alterations.altered, alteration))
        return done.history, done.edits
    if not name.startswith("recorded "):
        done = flows.replay(name, cut)
        return done.history, done.edits
    history, edit = histories.replay(name.removeprefix("recorded "), cut)
    return history, [edit]


@cache
def kept() -> dict[str, list[str]]:
    """The lines that were written, by recording."""
    found: dict[str, list[str]] = {}
    for line in gzip.decompress(SAID.read_bytes()).decode().splitlines():
        found.setdefault(line.partition(", ")[0], []).append(line)
    return found


def _cut(states: list[Any], part: float) -> list[Any]:
    return states[: max(1, round(len(states) * part))]


def _arguments(
    verdict: Callable[..., str], history: History, edits: Sequence[NetworkChange]
) -> Iterator[tuple[str, tuple[object, ...]]]:
    hints = get_type_hints(verdict)
    asked = list(inspect.signature(verdict).parameters.values())[1:]
    for edit in dict.fromkeys((edits[0], edits[-1])):
        which = "" if edit is edits[0] else " of the last edit"
        known = _known(history, edits, edit)
        if any(hints[one.name] is InducedFailure for one in asked) and known[InducedFailure] is None:
            continue
        others = {one.name: _CONDITIONS if one.default is one.empty else one.default for one in asked}
        yield which, tuple(known.get(hints[one.name], others[one.name]) for one in asked)


def _known(history: History, edits: Sequence[NetworkChange], edit: NetworkChange) -> dict[Any, object]:
    common = {name: getattr(edit, name) for name in ("vm", "namespace", "index", "at", "vmi_uid", "node", "migrations")}
    nic = Nic(edit.nic, str(edit.interface.get("mac", "")), edit.new_network)
    return {
        NetworkChange: edit,
        NetworkChange | None: edits[-1],
        Sequence[NetworkChange]: list(edits),
        Change: Change(**common, action="restart", what="its restart"),
        NicSettingsChange: NicSettingsChange(
            **common, action="nic settings", what="the edit", nic=edit.nic, model="e1000e"
        ),
        NicHotplug: NicHotplug(**common, action="hot-plug", what="its hot-plug", nic=nic, plugged=True),
        InducedFailure: _failure(history, edit),
        Act: Act(edit.vm, edits[0].index, edits[0].at, edits, edits[0]),
        Reading | None: None,
        float: 20.0,
        int: 1,
        int | None: 1,
        str: edit.new_network,
    }


def _failure(history: History, edit: NetworkChange) -> InducedFailure | None:
    for record in history.records(MIGRATION, since=edit.index, vm=edit.vm):
        if phase_of(record.object) == "Failed":
            return InducedFailure(edit, record.name, record.uid, "target", record.at - 1.0, record.index)
    return None


def main() -> None:
    """Write what every verdict says now."""
    lines = "\n".join(line for name in NAMES for line in said(name)) + "\n"
    SAID.write_bytes(gzip.compress(lines.encode(), mtime=0))


if __name__ == "__main__":
    main()
