# SPDX-License-Identifier: Apache-2.0
"""Diagnostics: one line for each problem, to be read first. Pure functions of what was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from livenad.api.history import DELETED, History
from livenad.api.kinds import EVENT, POD, VM, VMI, dig, meta
from livenad.api.status import (
    NO_TROUBLE_YET,
    condition_text,
    is_true,
    phase_of,
    pod_trouble,
    qualified,
    vm_summary,
)
from livenad.changes import NetworkChange, migrations_since
from livenad.network_change.completion import five_facts
from livenad.report.connectivity import Connectivity, Role
from livenad.text import human

_EVENTS = 5


def findings_of(history: History, changes: Iterable[NetworkChange], vms: Iterable[str]) -> list[str]:
    """Problems on the cluster: of changes, then of VMs, then of pods and events."""
    lines = [line for change in changes for line in _findings_of_change(history, change)]
    for name in vms:
        vmi = history.current(VMI, name)
        if vmi is None or phase_of(vmi) != "Running" or not is_true(vmi, "Ready"):
            lines.append(f"VM {name}: {vm_summary(history, name)}")
    lines += [
        f"pod {meta(pod, 'name')}: {why}"
        for pod in history.all(POD)
        if phase_of(pod) not in ("Running", "Succeeded") and (why := pod_trouble(pod)) and why not in NO_TROUBLE_YET
    ]
    return [*lines, *_warnings(history)]


def guest_findings(outputs: Mapping[str, str], boot_ids: Mapping[str, str]) -> list[str]:
    """Guests whose boot id is not the recorded one; ``outputs`` is the output of each, by name."""
    lines = []
    for name, text in outputs.items():
        recorded = boot_ids.get(name, "")
        now = next((line.strip() for line in text.splitlines()[1:2]), "")
        if recorded and now and now != recorded:
            lines.append(f"guest {name} rebooted: its boot id is {now}, it was {recorded}")
    return lines


def wire_findings(chart: Connectivity) -> list[str]:
    """Where probes contradict the API after a change that is complete there."""
    complete = chart.timeline.complete
    if complete is None:
        return []
    lines = []
    for track in chart.tracks:
        after = [sample for sample in track.samples if sample.asked > complete]
        answered = sum(sample.answered for sample in after)
        counted = f"{track.name} ({track.address}): {answered} of {len(after)} answered after the swap was complete"
        if (track.role is Role.OLD and answered) or (track.role is Role.NEW and after and not answered):
            lines.append(f"{track.role}: {counted}")
    return lines


def _findings_of_change(history: History, change: NetworkChange) -> Iterator[str]:
    facts = five_facts(history, change)
    # Without a successful migration none of the other facts can hold.
    missing = [fact.seen for fact in (facts if facts[0].holds else facts[:1]) if not fact.holds]
    if missing and qualified(change.old_network, change.namespace) != qualified(change.new_network, change.namespace):
        yield f"{change.title}: not complete: {'; '.join(missing)}"
    start = None
    for record in history.records(VM, change.vm, change.index):
        required = is_true(record.object, "RestartRequired")
        if required and start is None:
            start = record
            text = condition_text(record.object, "RestartRequired")
            yield f"VM {change.vm}: {text}, first seen {human(record.at - change.at)} after the edit"
        elif start is not None and not required:
            yield f"VM {change.vm}: RestartRequired was gone again {human(record.at - start.at)} later"
            break
    for record in history.records(VMI, change.vm, change.index):
        if record.type == DELETED or record.uid != change.vmi_uid:
            what = "was deleted" if record.type == DELETED else "was replaced by another one"
            yield f"VM {change.vm}: its VMI {what} {human(record.at - change.at)} after the edit"
            break
    for item in migrations_since(history, change).values():
        if phase_of(item) == "Failed":
            yield f"migration {meta(item, 'name')} Failed"


def _warnings(history: History) -> list[str]:
    """The last warnings, the newest state of each event."""
    newest: dict[str, str] = {}
    for record in history.records(EVENT):
        event = record.object
        if event.get("type") == "Warning":
            about = f"{dig(event, 'involvedObject', 'kind')} {dig(event, 'involvedObject', 'name')}"
            newest.pop(record.name, None)
            newest[record.name] = f"event on {about}: {event.get('reason')}: {event.get('message')}"
    return list(newest.values())[-_EVENTS:]
