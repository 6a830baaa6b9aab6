# SPDX-License-Identifier: Apache-2.0
"""Compares all that the API showed of a VM since a record with what it showed then. Pure functions of the history.

Every state counts, not only the newest one: a value that changed for a moment is found too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from livenad.api.history import DELETED, History, Record
from livenad.api.kinds import EVENT, MIGRATION, POD, VM, VMI, Object, dig, meta
from livenad.api.status import FINAL_PHASES, current_pod, node_of, phase_of
from livenad.changes import NetworkChange
from livenad.errors import LabError
from livenad.invariants.allowed_fields import MAY_DIFFER, expected_warning
from livenad.invariants.comparison import Comparison, Difference, text_of
from livenad.invariants.flat_fields import Fields, fields_of
from livenad.invariants.flow import Flow, flow_of, taken_over
from livenad.invariants.may_differ import MayDiffer
from livenad.invariants.scope import is_judged
from livenad.invariants.transitions import Step
from livenad.text import human

_MIGRATION_STATE = "status.migrationState."
_MIGRATION_UID = f"{_MIGRATION_STATE}migrationUid"


def compare_api(history: History, vm: str, index: int, at: float, edits: Sequence[NetworkChange]) -> Comparison:
    """Compare the VM, its VMI, launcher pods, migrations and warnings since ``index`` of the history.

    ``at`` is when that was, by the clock of the history. LabError when the VM, its VMI or its launcher pod were not
    known then.
    """
    vmi, vm_object = (history.state_before(kind, vm, index) for kind in (VMI, VM))
    if vmi is None or vm_object is None:
        raise LabError(f"VM {vm} was not recorded while it was running, so nothing can be compared")
    return _Comparing(history, index, at, vm_object, vmi, flow_of(history, vmi, index, edits)).compare()


@dataclass
class _Comparing:
    history: History
    index: int
    at: float
    vm: Object
    vmi: Object
    flow: Flow
    result: Comparison = field(default_factory=Comparison)

    def compare(self) -> Comparison:
        if gone := self._instance_gone():
            return Comparison(1, [gone])
        for kind, title, before in ((VM, "VM", self.vm), (VMI, "VMI", self.vmi)):
            self._states(f"the {title}'s", before, self.history.records(kind, self.flow.vm, self.index))
        self._launcher_pods()
        for uid, item in self.flow.migrations.items():
            name = str(meta(item, "name"))
            records = [one for one in self.history.records(MIGRATION, name) if one.uid == uid and one.type != DELETED]
            self._states(f"migration {name}'s", {}, records)
        self._warnings()
        return self.result

    def _instance_gone(self) -> Difference | None:
        """A VMI that was deleted or replaced: nothing of it can be compared then."""
        for record in self.history.records(VMI, self.flow.vm, self.index):
            if record.type == DELETED or record.uid != meta(self.vmi, "uid"):
                what = "was deleted" if record.type == DELETED else f"was replaced by {record.uid}"
                return Difference(
                    "the VMI's", "metadata.uid", meta(self.vmi, "uid"), record.uid, finding=self._when(what, record)
                )
        return None

    def _states(self, subject: str, before: Object, records: Sequence[Record], *, left: bool = False) -> None:
        """Each state of an object against the one before the act; an object that was made later has none.

        ``left`` says that later states do not count, as the VMI has left the pod: the last one is not the newest.
        """
        was = fields_of(before) if before else {}
        earlier, paths = was, set(was)
        found: dict[str, Difference] = {}
        wrong: dict[str, Record] = {}
        for record in records:
            if record.type == DELETED:
                path = "metadata.uid"
                found[path] = Difference(subject, path, was.get(path), None, finding=self._when("was deleted", record))
                break
            state = fields_of(record.object)
            paths |= set(state)
            first, previous = (_of_its_migration(fields, state) for fields in (was, earlier))
            for path in sorted({*first, *state, *previous} - wrong.keys()):
                step = Step(path, first, previous, state, self.flow, last=record is records[-1] and not left)
                judged = _judged(record.kind, subject, step)
                if judged is not None:
                    found[path], fits = judged
                    if not fits:
                        wrong[path] = record
            earlier = state
        for path, record in wrong.items():
            found[path] = replace(found[path], finding=self._wrong(found[path], record, earlier.get(path)))
        self.result.compared += len(paths)
        self.result.differences += found.values()

    def _wrong(self, one: Difference, record: Record, newest: object) -> str:
        """What a value is or was for a while, since when, and what it may be."""
        after = f"{human(record.at - self.at)} after the record"
        shown = text_of(one.now)
        what = f"is {shown} since {after}" if newest == one.now else f"was {shown} for a while, {after}"
        return what + (f"; it may only {one.entry.words}" if one.entry else "")

    def _launcher_pods(self) -> None:
        """The pod that carried the VMI, until the VMI left it; then the one that carries it now; then all others."""
        source = self._source_pod()
        name = str(meta(source, "name"))
        over = taken_over(self.history, self.vmi, self.index)
        until = [one for one in self.history.records(POD, name, self.index) if over is None or one.index < over]
        if over is not None:
            # Pods and VMIs have a watch each: the end of the source pod may come before the VMI's move that it follows.
            until = [one for one in until if not _has_ended_well(one.object)]
        self._states(f"launcher pod {name}'s", source, until, left=over is not None)
        now = current_pod(self.history, self.history.current(VMI, self.flow.vm) or self.vmi)
        if now is not None and meta(now, "uid") != meta(source, "uid"):
            title = str(meta(now, "name"))
            self._states(f"launcher pod {title}'s", source, self.history.records(POD, title)[-1:])
        for title, pod in self.flow.pods.items():
            self.result.compared += 1
            carries = now is not None and meta(pod, "uid") == meta(now, "uid")
            if not carries and self.history.current(POD, title) is not None and phase_of(pod) not in FINAL_PHASES:
                what = f"is {phase_of(pod)}, and the VMI is not in it"
                self.result.differences.append(
                    Difference(f"launcher pod {title}'s", "status.phase", None, phase_of(pod), finding=what)
                )

    def _source_pod(self) -> Object:
        states = [
            state
            for name, pod in self.flow.pods.items()
            if dig(pod, "spec", "nodeName") == node_of(self.vmi)
            and (state := self.history.state_before(POD, name, self.index)) is not None
            and phase_of(state) not in FINAL_PHASES
        ]
        if not states:
            raise LabError(f"VM {self.flow.vm}: its launcher pod was not recorded before the act: nothing is compared")
        return max(states, key=lambda pod: str(meta(pod, "creationTimestamp")))

    def _warnings(self) -> None:
        """Warnings about the VM, its VMI and its migrations; those about pods are told."""
        found: dict[tuple[str, str, str], Difference] = {}
        for record in self.history.records(EVENT, since=self.index, vm=self.flow.vm):
            event, about = record.object, dig(record.object, "involvedObject", default={})
            if event.get("type") != "Warning" or record.type == DELETED:
                continue
            kind, name, reason = str(about.get("kind")), str(about.get("name")), str(event.get("reason"))
            text = f"{reason}: {event.get('message', '')}"
            judged = kind != POD.name and expected_warning(kind, reason) is None
            what = self._when(f"is {text_of(text)}", record) if judged else ""
            found[kind, name, reason] = Difference(f"{kind} {name}'s", "warning", None, text, finding=what)
        self.result.differences += found.values()

    def _when(self, what: str, record: Record) -> str:
        return f"{what} {human(record.at - self.at)} after the record"


def _of_its_migration(fields: Fields, state: Fields) -> Fields:
    """Fields to compare a state with: migrationState is replaced as a whole when a further migration begins."""
    if state.get(_MIGRATION_UID) is None or fields.get(_MIGRATION_UID) in (None, state[_MIGRATION_UID]):
        return fields
    return {path: value for path, value in fields.items() if not path.startswith(_MIGRATION_STATE)}


@lru_cache(maxsize=4096)
def _entries_of(kind: str, path: str) -> tuple[MayDiffer, ...]:
    """The entries whose path may be this one; which it is depends on what the placeholders stand for."""
    return tuple(entry for entry in MAY_DIFFER if entry.kind == kind and entry.pattern.fullmatch(path))


def _entry_of(kind: str, step: Step) -> tuple[MayDiffer | None, Step]:
    """What may differ at a path, and the step with what the placeholders of its path stand for."""
    for entry in _entries_of(kind, step.path):
        names = entry.names(step.path, step.flow)
        if names is not None:
            return entry, replace(step, names=names) if names else step
    return None, step


def _judged(kind: str, subject: str, step: Step) -> tuple[Difference, bool] | None:
    """What differs in one state from before the act or from the preceding state, and whether it may; None for nothing.

    In the newest state also what does not differ and should, such as a label that did not follow the node.
    """
    if not step.changed and not step.last:
        return None
    entry, step = _entry_of(kind, step)
    one = Difference(subject, step.path, step.was, step.now, entry)
    if entry is None:
        return (
            None if step.now == step.was else (one, not is_judged(kind, step.path, step.was, step.now, last=step.last))
        )
    if step.now == step.was and (not step.changed or not entry.for_good):
        if entry.must_follow and not entry.allows(step):
            return one, False
        return (replace(one, now=step.previous, passing=True), True) if step.changed else None
    return one, entry.allows(step)


def _has_ended_well(pod: Object) -> bool:
    """Whether the guest's container ended with 0: the kubelet tells this before the pod's phase becomes Succeeded."""
    states = {one["name"]: one.get("state") or {} for one in dig(pod, "status", "containerStatuses", default=[]) or []}
    return phase_of(pod) == "Succeeded" or dig(states, "compute", "terminated", "exitCode") == 0
