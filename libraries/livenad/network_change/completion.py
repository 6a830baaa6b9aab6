# SPDX-License-Identifier: Apache-2.0
"""The five facts that together mean that a network change is complete. Pure functions of the history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from livenad.api.history import History
from livenad.api.kinds import MIGRATION, POD, VM, VMI, Object, meta
from livenad.api.migration_trouble import migration_trouble, warnings_about
from livenad.api.status import (
    condition_text,
    current_pod,
    elsewhere,
    is_automatic,
    is_true,
    migration_state,
    network_of,
    node_of,
    phase_of,
    pod_network,
    qualified,
)
from livenad.changes import NetworkChange, migrations_since
from livenad.foreign_migrations import maker_of
from livenad.text import human


@dataclass(frozen=True)
class Fact:
    """One of the five facts. ``seen`` is the state last seen; ``since`` (monotonic clock) is when it began."""

    name: str
    holds: bool
    seen: str
    since: float | None = None


@dataclass(frozen=True)
class _Finding:
    """Whether a fact holds. ``tell`` makes the rest, what was seen and since when: for each wait that is too much."""

    name: str
    holds: bool
    tell: Callable[[], tuple[str, float | None]]


def the_migration(history: History, change: NetworkChange) -> Object | None:
    """The newest migration object that the cluster made after the edit."""
    automatic = [item for item in migrations_since(history, change).values() if is_automatic(item)]
    return automatic[-1] if automatic else None


def five_facts(history: History, change: NetworkChange) -> list[Fact]:
    """The five facts; all but the condition in the order in which they come true on a healthy cluster."""
    return [Fact(one.name, one.holds, *one.tell()) for one in _findings(history, change)]


def is_complete(history: History, change: NetworkChange) -> bool:
    """Whether all five facts hold."""
    return all(one.holds for one in _findings(history, change))


def _findings(history: History, change: NetworkChange) -> Iterator[_Finding]:
    vmi = history.current(VMI, change.vm) or {}
    migration = the_migration(history, change)
    yield _migration_succeeded(history, change, migration)
    yield _state_completed(history, change, vmi, migration)
    yield _node_changed(history, change, vmi, migration)
    yield _condition_gone(history, change, vmi)
    yield _pod_on_new_network(history, change, vmi)


def completed_at(facts: list[Fact]) -> float | None:
    """When, by the monotonic clock, the last of the five facts came true; None while one is missing."""
    times = [fact.since for fact in facts if fact.holds and fact.since is not None]
    return max(times) if len(times) == len(facts) else None


def _migration_succeeded(history: History, change: NetworkChange, migration: Object | None) -> _Finding:
    name = "the cluster's migration object for the edit is Succeeded"
    if migration is None:
        return _Finding(name, False, lambda: (_why_no_migration(history, change), change.at))
    title, phase, uid = meta(migration, "name"), phase_of(migration), meta(migration, "uid")

    def tell() -> tuple[str, float | None]:
        since = history.since_when(MIGRATION, title, lambda item: meta(item, "uid") == uid and phase_of(item) == phase)
        if phase == "Succeeded":
            return f"migration {change.namespace}/{title} Succeeded", since or _gone(history, title)
        seen = f"migration {change.namespace}/{title} is {phase or 'without a phase'}{_ago(history, since)}"
        completed = _completed(migration_state(history.current(VMI, change.vm) or {}), uid)
        if phase == "Running" and completed:
            seen += " though migrationState.completed is true: the product left it in phase Running"
        return seen + migration_trouble(history, migration), since

    return _Finding(name, phase == "Succeeded", tell)


def _state_completed(history: History, change: NetworkChange, vmi: Object, migration: Object | None) -> _Finding:
    name = "vmi.status.migrationState is completed for that migration and not failed"
    uid = meta(migration, "uid") if migration else ""
    state = migration_state(vmi)
    holds = bool(uid) and _completed(state, uid)

    def tell() -> tuple[str, float | None]:
        keys = ("migrationUid", "sourceNode", "targetNode", "completed", "failed", "failureReason", "endTimestamp")
        seen = "migrationState " + ", ".join(f"{key}={state[key]}" for key in keys if key in state)
        since = history.since_when(VMI, change.vm, lambda item: _completed(migration_state(item), uid) == holds)
        return seen if state else "migrationState is not set", since

    return _Finding(name, holds, tell)


def _node_changed(history: History, change: NetworkChange, vmi: Object, migration: Object | None) -> _Finding:
    name = "vmi.status.nodeName is the target node"
    state = migration_state(vmi)
    ours = migration is not None and state.get("migrationUid") == meta(migration, "uid")
    node, target = node_of(vmi), str(state.get("targetNode") or "") if ours else ""

    def tell() -> tuple[str, float | None]:
        seen = f"nodeName is {node or 'not set'}"
        seen += " as before the edit" if node == change.node else f", it was {change.node} before the edit"
        if target and node != target:
            seen += f", the migration's target is {target}"
        if target and target == state.get("sourceNode"):
            seen += ": its target is its source"
        return seen, history.since_when(VMI, change.vm, lambda item: node_of(item) == node)

    return _Finding(name, node not in ("", state.get("sourceNode")) and node == target, tell)


def _condition_gone(history: History, change: NetworkChange, vmi: Object) -> _Finding:
    name = "condition MigrationRequired is gone from the VMI"
    required = is_true(vmi, "MigrationRequired")

    def tell() -> tuple[str, float | None]:
        since = history.since_when(VMI, change.vm, lambda item: is_true(item, "MigrationRequired") == required)
        return condition_text(vmi, "MigrationRequired"), since

    return _Finding(name, bool(vmi) and not required, tell)


def _pod_on_new_network(history: History, change: NetworkChange, vmi: Object) -> _Finding:
    name = "the launcher pod's network-status names the new network for the NIC"
    wanted = qualified(change.new_network, change.namespace)
    pod = current_pod(history, vmi) if vmi else None
    if pod is None:
        return _Finding(name, False, lambda: (f"there is no launcher pod on node {node_of(vmi) or 'none'}", None))
    title = str(meta(pod, "name"))
    network = pod_network(pod, change.pod_interface)

    def tell() -> tuple[str, float | None]:
        seen = f"pod {title} on {node_of(vmi)} has interface {change.pod_interface} on {network or 'no network'}"
        if network != wanted:
            seen += f", expected {wanted}{elsewhere(pod, wanted)}"
        since = history.since_when(POD, title, lambda item: pod_network(item, change.pod_interface) == network)
        arrived = history.since_when(VMI, change.vm, lambda item: node_of(item) == node_of(vmi))
        return seen, max(since, arrived) if since is not None and arrived is not None else since

    return _Finding(name, network == wanted, tell)


def _completed(state: Object, uid: str) -> bool:
    return state.get("migrationUid") == uid and bool(state.get("completed")) and not state.get("failed")


def _gone(history: History, name: str) -> float:
    """When a deleted migration object was last seen."""
    return history.records(MIGRATION, name)[-1].at


def _ago(history: History, since: float | None) -> str:
    return "" if since is None else f" since {human(history.now - since)}"


def _why_no_migration(history: History, change: NetworkChange) -> str:
    """Why the cluster made no migration object: how far the edit got."""
    found = migrations_since(history, change).values()
    others = [f"{meta(item, 'name')} ({maker_of(history, item)})" for item in found]
    if others:
        return f"the cluster made no migration object for the edit; there is {', '.join(others)}"
    vmi = history.current(VMI, change.vm)
    if vmi is None:
        return "no migration object, and the VMI is gone"
    network = network_of(vmi.get("spec", {}), change.nic)
    parts = ["no migration object was made"]
    if network != change.new_network:
        parts.append(f'the VMI\'s spec still names "{network}"')
    else:
        parts.append(f"the VMI's spec has the new network, {condition_text(vmi, 'MigrationRequired')}")
    if not is_true(vmi, "LiveMigratable"):
        parts.append(condition_text(vmi, "LiveMigratable"))
    if is_true(history.current(VM, change.vm) or {}, "RestartRequired"):
        parts.append("the VM has RestartRequired")
    return ", ".join(parts)


def first_warning(history: History, change: NetworkChange) -> str:
    """The first warning since the edit about its migrations, their target pods or the VMI; "" while there is none."""
    made = migrations_since(history, change)
    names = {change.vm, *(str(meta(item, "name")) for item in made.values())}
    names |= {
        str(meta(pod, "name"))
        for pod in history.all(POD, vm=change.vm)
        if meta(pod, "labels", {}).get("kubevirt.io/migrationJobUID") in made
    }
    return next(warnings_about(history, *names, since=change.index), "")
