# SPDX-License-Identifier: Apache-2.0
"""The timeline of a change as data: what was seen of the VM, its migrations and its launcher pods, a lane each.

Times are seconds after the edit; what came before the edit is negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from livenad.api.history import DELETED, History, Record
from livenad.api.kinds import MIGRATION, POD, VM, VMI, Object, dig, meta
from livenad.api.status import FINAL_PHASES, is_true, network_of, node_of, phase_of, pod_network
from livenad.changes import NetworkChange, migrations_since
from livenad.network_change.completion import completed_at, five_facts
from livenad.text import human

BEFORE = 0.13
"""The time before the edit that is shown, as a part of the time after it."""

AFTER = 1.16
"""The time that is shown of a change that completed, as a multiple of what it took: its last state has room."""

_WARNINGS = 4
_SHORTEST = 0.05


class Tone(StrEnum):
    """The meaning of a colour; labels say the same in words."""

    CALM = "calm"
    BUSY = "busy"
    WAIT = "wait"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True)
class Span:
    """A state with a duration; ``open``: it had not ended when the timeline was drawn."""

    start: float
    end: float
    label: str
    tone: Tone
    open: bool = False


@dataclass(frozen=True)
class Mark:
    """Something that happened at one moment."""

    at: float
    label: str
    tone: Tone


@dataclass(frozen=True)
class Lane:
    """One thing over the time; ``note`` is said of it as a whole.

    ``words`` is what precedes its states in words, where the name of the lane does not say of which object they are.
    """

    name: str
    spans: tuple[Span, ...] = ()
    marks: tuple[Mark, ...] = ()
    note: str = ""
    words: str = ""

    def said(self, label: str) -> str:
        """A state in words, which must be clear without the lane above."""
        return f"{self.words or f'{self.name}:'} {label}"


@dataclass(frozen=True)
class Timeline:
    """All lanes. ``complete``: when the last of the five facts came true; ``deadline``: until when it had to."""

    title: str
    lanes: tuple[Lane, ...]
    end: float
    complete: float | None
    deadline: float | None

    @property
    def start(self) -> float:
        """A little before the edit, so that the state before it is seen."""
        return -BEFORE * self.end

    @property
    def outcome(self) -> str:
        """``complete 5.2 s after the edit``, or for how long it is not."""
        by = "" if self.deadline is None else f" (deadline {human(self.deadline)})"
        if self.complete is None:
            return f"not complete {human(self.end)} after the edit{by}"
        return f"complete {human(self.complete)} after the edit{by}"


def timeline_of(history: History, change: NetworkChange, until: float, within: float | None = None) -> Timeline:
    """The timeline of a change up to ``until`` (monotonic clock); ``within`` is its deadline in seconds."""
    done = completed_at(five_facts(history, change))
    complete = None if done is None else max(0.0, done - change.at)
    end = max(1.0, until - change.at) if complete is None else max(1.0, complete * AFTER)
    lanes = (lane for lane in _lanes(history, change, end) if lane.spans or lane.marks or lane.note)
    return Timeline(change.title, tuple(lanes), end, complete, within)


def text_of(timeline: Timeline) -> list[str]:
    """The same in words, a line for each state and moment, by time."""
    lines: list[tuple[float, str]] = []
    for lane in timeline.lanes:
        for span in lane.spans:
            lasted = "until now" if span.open else human(span.end - span.start)
            if span.start < 0:  # cut off there: when it began is not known here
                lasted = f"since before the edit, until {span.end:+.2f} s"
            if span.start >= 0 or not span.open:
                lines.append((max(0.0, span.start), f"{lane.said(span.label)} ({lasted})"))
        lines += [(mark.at, lane.said(mark.label)) for mark in lane.marks]
    return [f"+{at:7.2f} s  {text}" for at, text in sorted(lines)] + [f"= {timeline.outcome}"]


def _lanes(history: History, change: NetworkChange, end: float) -> Iterator[Lane]:
    vm, vmi = history.records(VM, change.vm), history.records(VMI, change.vm)

    def network(item: Object) -> tuple[str, Tone]:
        name = network_of(item.get("spec", {}), change.nic) or "no network"
        return name, Tone.GOOD if name == change.new_network else Tone.CALM

    def node(item: Object) -> tuple[str, Tone]:
        name = node_of(item)
        return name, Tone.CALM if name == change.node else Tone.GOOD

    def agent(item: Object) -> tuple[str, Tone]:
        return ("connected", Tone.GOOD) if is_true(item, "AgentConnected") else ("silent", Tone.WAIT)

    def required(type_: str, tone: Tone) -> Callable[[Object], tuple[str, Tone]]:
        return lambda item: ("true" if is_true(item, type_) else "", tone)

    spans = _Spans(change.at, end)
    edit = f'NIC "{change.nic}": {change.old_network or "no network"} → {change.new_network}'
    yield Lane("spec edit", marks=(Mark(0.0, edit, Tone.BUSY),))
    yield Lane("VMI spec names", spans.of(vmi, network), words="VMI spec names")
    yield Lane("VMI phase", _unless_steady(spans.of(vmi, _vmi_phase)))
    yield Lane("MigrationRequired", spans.of(vmi, required("MigrationRequired", Tone.WAIT)))
    yield Lane("RestartRequired", spans.of(vm, required("RestartRequired", Tone.BAD)))
    for uid, item in migrations_since(history, change).items():
        records = [record for record in history.records(MIGRATION, meta(item, "name")) if record.uid == uid]
        phases = spans.of(records, _migration_phase)
        name = f"migration {meta(item, 'name')}"
        yield Lane(name, phases)
        yield Lane("· its phases", note=_durations(phases))
        yield Lane("· its nodes", marks=_route(vmi, uid, change, end), words=f"{name}:")
    yield Lane("node", spans.of(vmi, node))
    for records in _pods(history, change, vmi):
        name = f"pod {records[-1].name}"
        yield Lane(name, spans.of(records, _pod_phase))
        attached = _attachment(change, after_the_edit=records[0].at >= change.at)
        yield Lane("· network-status names", spans.of(records, attached), words=f"{name}: network-status names")
    yield Lane("guest agent", spans.of(vmi, agent))
    yield from _warnings(history, change, end)


class _Spans:
    """From states of one object to spans, cut off at both ends of the timeline."""

    def __init__(self, zero: float, end: float) -> None:
        self._zero, self._end = zero, end

    def of(self, records: Iterable[Record], state: Callable[[Object], tuple[str, Tone]]) -> tuple[Span, ...]:
        """Spans of equal states; a state "" has none."""
        found: list[Span] = []
        label, tone, since = "", Tone.CALM, 0.0
        for record in records:
            now, next_tone = ("", Tone.CALM) if record.type == DELETED else state(record.object)
            if now == label:
                continue
            at = record.at - self._zero
            self._add(found, Span(since, at, label, tone))
            label, tone, since = now, next_tone, at
        self._add(found, Span(since, self._end, label, tone, open=True))
        return tuple(found)

    def _add(self, found: list[Span], span: Span) -> None:
        start, end = max(span.start, -BEFORE * self._end), min(span.end, self._end)
        if span.label and start < end and end > 0:
            found.append(Span(start, end, span.label, span.tone, span.open or span.end > self._end))


def _unless_steady(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The phase of the VMI; a VMI that is always Running is not highlighted."""
    return spans if len(spans) > 1 else ()


def _vmi_phase(item: Object) -> tuple[str, Tone]:
    phase = phase_of(item) or "new"
    return f"{phase} ({str(meta(item, 'uid'))[:8]})", Tone.CALM if phase == "Running" else Tone.BAD


def _migration_phase(item: Object) -> tuple[str, Tone]:
    phase = phase_of(item) or "new"
    tones = {"Succeeded": Tone.GOOD, "Failed": Tone.BAD, "Pending": Tone.WAIT, "new": Tone.WAIT}
    return phase, tones.get(phase, Tone.BUSY)


def _pod_phase(item: Object) -> tuple[str, Tone]:
    phase = phase_of(item) or "new"
    node = dig(item, "spec", "nodeName")
    tones = {"Running": Tone.GOOD, "Failed": Tone.BAD, "Succeeded": Tone.CALM}
    return phase + (f" on {node}" if node else ""), tones.get(phase, Tone.WAIT)


def _route(vmi: Sequence[Record], uid: str, change: NetworkChange, end: float) -> tuple[Mark, ...]:
    """When the VMI was first seen to know source and target of a migration."""
    for record in vmi:
        state = dig(record.object, "status", "migrationState") or {}
        if state.get("migrationUid") == uid and state.get("targetNode") and record.at - change.at <= end:
            label = f"from {state.get('sourceNode') or change.node} to {state['targetNode']}"
            return (Mark(record.at - change.at, label, Tone.BUSY),)
    return ()


def _pods(history: History, change: NetworkChange, vmi: Iterable[Record]) -> Iterator[list[Record]]:
    """The states of each launcher pod that was there after the edit, in the order of their appearance."""
    owners = {record.uid for record in vmi}
    names = dict.fromkeys(
        record.name
        for record in history.records(POD, vm=change.vm)
        if meta(record.object, "labels", {}).get("kubevirt.io/created-by") in owners
    )
    for name in names:
        records = history.records(POD, name)
        gone = records[-1].type == DELETED and records[-1].at < change.at
        if not gone:
            yield records


def _attachment(change: NetworkChange, *, after_the_edit: bool) -> Callable[[Object], tuple[str, Tone]]:
    """What a pod's network-status names for the NIC's interface; a pod made after the edit should be on the new one."""
    new = change.new_network.rpartition("/")[2]

    def attached(pod: Object) -> tuple[str, Tone]:
        name = (pod_network(pod, change.pod_interface) or "").rpartition("/")[2]
        wrong = Tone.BAD if after_the_edit else Tone.CALM
        return name, Tone.GOOD if name == new else wrong

    return attached


def _durations(phases: Iterable[Span]) -> str:
    """``Pending 0.1, Running 2.0 s so far``: short ones have no room in their bars."""
    shown = [span for span in phases if span.end - span.start >= _SHORTEST and span.label not in FINAL_PHASES]
    lasted = ", ".join(f"{span.label} {human(span.end - span.start)}" for span in shown)
    return lasted.replace(" s,", ",") + (" so far" if shown and shown[-1].open else "")


def _warnings(history: History, change: NetworkChange, end: float) -> Iterator[Lane]:
    """A lane for each reason, the first few; equal ones that follow each other are one."""
    names = {change.vm, *(meta(item, "name") for item in migrations_since(history, change).values())}
    names |= {records[-1].name for records in _pods(history, change, history.records(VMI, change.vm))}
    found: dict[str, list[Mark]] = {}
    for record in history.events_about(names, change.index):
        event, at = record.object, record.at - change.at
        if event.get("type") == "Warning" and 0 <= at <= end:
            marks = found.setdefault(str(event.get("reason")), [])
            label = str(event.get("message"))
            if not marks or marks[-1].label != label:
                marks.append(Mark(at, label, Tone.BAD))
    for reason, marks in list(found.items())[:_WARNINGS]:
        yield Lane(f"event {reason}", marks=tuple(marks))
