"""Judgements over the history of a swap: each returns what it saw, or raises ProductFault."""

from __future__ import annotations

import time

from livenad.api.history import DELETED, History
from livenad.api.kinds import MIGRATION, VM, VMI, Object, dig, meta
from livenad.api.status import (
    FINAL_PHASES,
    condition_text,
    is_automatic,
    is_true,
    network_of,
    nic_status,
    phase_of,
)
from livenad.errors import ProductFault
from livenad.network_change.completion import NetworkSwap, completed_at, five_facts, migrations_since
from livenad.text import human

_SPEC_KEYS = ("bootOrder", "bridge", "macAddress", "model", "state")
_STATUS_KEYS = ("mac", "interfaceName", "podInterfaceName", "linkState")


def judge_completion(history: History, swap: NetworkSwap, within: float) -> str:
    """The five facts hold, and the last of them came true within ``within`` seconds of the edit."""
    facts = five_facts(history, swap)
    missing = [fact for fact in facts if not fact.holds]
    if missing:
        waited = human(time.monotonic() - swap.at)
        first, *others = missing
        also = "".join(f"\nalso missing: {fact.seen}" for fact in others)
        raise ProductFault(
            f"{swap.title}: expected to be complete within {human(within)}, is not after {waited}; "
            f"missing: {first.name}: {first.seen}{_restarted(history, swap)}{also}"
        )
    done = completed_at(facts)
    took = (done if done is not None else time.monotonic()) - swap.at
    if took > within:
        last = max(facts, key=lambda fact: fact.since or 0)
        raise ProductFault(
            f"{swap.title}: expected to be complete within {human(within)}, was only after {human(took)}; "
            f"last to come true: {last.name} ({last.seen})"
        )
    return f"{swap.title}: complete {human(took)} after the edit"


def judge_not_restarted(history: History, swap: NetworkSwap) -> str:
    """The VMI is the one from before the edit, ran all the time, was never deleted, and is not left paused."""
    title, before = f"VM {swap.namespace}/{swap.vm}", swap.before
    for record in history.records(VMI, swap.vm, swap.index):
        when = human(record.at - swap.at)
        if record.type == DELETED or record.uid != before.vmi_uid:
            what = "was deleted" if record.type == DELETED else f"was replaced by {record.uid}"
            raise ProductFault(
                f"{title}: expected to run on without a restart; VMI {before.vmi_uid} {what} {when} after the edit"
            )
        if phase_of(record.object) != "Running":
            raise ProductFault(
                f"{title}: expected VMI phase Running all the time; it was {phase_of(record.object)} {when} "
                "after the edit"
            )
    vmi = history.current(VMI, swap.vm)
    if vmi is None:
        raise ProductFault(f"{title}: expected to run on without a restart; its VMI {before.vmi_uid} is gone")
    if is_true(vmi, "Paused"):
        raise ProductFault(f"{title}: expected its guest to run on; the VMI is paused: {condition_text(vmi, 'Paused')}")
    now = {
        "metadata.creationTimestamp": (before.created, meta(vmi, "creationTimestamp")),
        "spec.domain.firmware.uuid": (before.firmware_uuid, str(dig(vmi, "spec", "domain", "firmware", "uuid") or "")),
        "status.virtualMachineRevisionName": (
            before.revision,
            str(dig(vmi, "status", "virtualMachineRevisionName") or ""),
        ),
    }
    for path, (old, new) in now.items():
        if old != new:
            raise ProductFault(f'{title}: expected VMI {path} to stay "{old}" over the swap, it is "{new}"')
    return f"{title}: VMI {before.vmi_uid} since {before.created}, Running all the time"


def judge_restart_never_required(history: History, swap: NetworkSwap) -> str:
    """RestartRequired was true in no state of the VM from before the edit until now."""
    title = f"VM {swap.namespace}/{swap.vm}"
    records = history.records(VM, swap.vm, swap.index)
    start = end = None
    for record in records:
        if is_true(record.object, "RestartRequired"):
            start = start or record
        elif start is not None:
            end = record
            break
    if start is not None:
        lasted = (
            f"for {human(end.at - start.at)}" if end else f"and still is after {human(time.monotonic() - start.at)}"
        )
        raise ProductFault(
            f"{title}: expected RestartRequired never to be set when only networkName changes; it was set "
            f"{human(start.at - swap.at)} after the edit {lasted}: {condition_text(start.object, 'RestartRequired')}"
        )
    unsure = sum(record.synthetic for record in records)
    note = f" ({unsure} of them found by a list after a broken watch)" if unsure else ""
    return f"{title}: RestartRequired in none of {len(records)} states since before the edit{note}"


def judge_one_migration(history: History, swap: NetworkSwap) -> str:
    """The cluster made exactly one migration object after the edit, and it succeeded; nobody made another."""
    title = f"VM {swap.namespace}/{swap.vm}"
    found = migrations_since(history, swap)
    if not found:
        raise ProductFault(
            f"{title}: expected exactly one migration made by the cluster for the edit, there is none after "
            f"{human(time.monotonic() - swap.at)}"
        )
    listed = ", ".join(_describe(history, swap, item) for item in found.values())
    if len(found) > 1:
        raise ProductFault(f"{title}: expected exactly one migration for the edit, there are {len(found)}: {listed}")
    (migration,) = found.values()
    if not is_automatic(migration):
        raise ProductFault(f"{title}: expected a migration made by the cluster, this one was made by hand: {listed}")
    phases = [phase_of(record.object) for record in history.records(MIGRATION, meta(migration, "name"), swap.index)]
    if phase_of(migration) != "Succeeded" or "Failed" in phases:
        raise ProductFault(f"{title}: expected the migration for the edit to succeed; {listed}")
    return f"{title}: one migration, {listed}"


def interface_differences(history: History, swap: NetworkSwap) -> list[str]:
    """What the API says about the NIC now and did not before the edit, but for the network's name; a line each."""
    vmi = history.current(VMI, swap.vm)
    if vmi is None:
        return ["the VMI is gone"]
    old, new = swap.before.interface, nic_status(vmi, swap.nic)
    if new is None:
        return [f'status.interfaces has no entry "{swap.nic}"']
    lines = [
        f"status {key} was {old.get(key) or 'not set'}, is {new.get(key) or 'not set'}"
        for key in _STATUS_KEYS
        if (old.get(key) or None) != (new.get(key) or None)
    ]
    before, after = sorted(old.get("ipAddresses") or []), sorted(new.get("ipAddresses") or [])
    if before != after:
        lines.append(f"status ipAddresses were {before}, are {after}")
    spec = history.state_before(VMI, swap.vm, swap.index) or {}
    was, now = _spec_interface(spec, swap.nic), _spec_interface(vmi, swap.nic)
    lines += [f"spec {key} was {was.get(key)}, is {now.get(key)}" for key in _SPEC_KEYS if was.get(key) != now.get(key)]
    network = network_of(vmi.get("spec", {}), swap.nic)
    if network != swap.new_network:
        lines.append(f"spec networkName is {network}, expected {swap.new_network}")
    return lines


def _spec_interface(vmi: Object, nic: str) -> Object:
    for entry in dig(vmi, "spec", "domain", "devices", "interfaces", default=[]) or []:
        if entry.get("name") == nic:
            return dict(entry)
    return {}


def _describe(history: History, swap: NetworkSwap, migration: Object) -> str:
    name, phase = meta(migration, "name"), phase_of(migration)
    maker = "by the cluster" if is_automatic(migration) else "by hand"
    records = history.records(MIGRATION, name, swap.index)
    times = {phase_of(record.object): record.at for record in reversed(records)}
    took = f" after {human(times[phase] - swap.at)}" if phase in FINAL_PHASES and phase in times else ""
    return f"{swap.namespace}/{name} ({maker}, {phase or 'no phase'}{took})"


def _restarted(history: History, swap: NetworkSwap) -> str:
    vmi = history.current(VMI, swap.vm)
    if vmi is not None and meta(vmi, "uid") != swap.before.vmi_uid:
        return f"; the VMI was replaced: {swap.before.vmi_uid} before the edit, {meta(vmi, 'uid')} now"
    return ""
