# SPDX-License-Identifier: Apache-2.0
"""Verdicts on edits that must not be applied to the running VM. Each returns what it saw, or raises ProductFault."""

from __future__ import annotations

from livenad.api.history import DELETED, History
from livenad.api.kinds import VMI, Object, meta
from livenad.api.status import condition, condition_text, interface_of, network_of, node_of, phase_of
from livenad.changes import NetworkChange, NicSettingsChange, migrations_since
from livenad.conditions.judge_conditions import MIGRATION, require_never, require_spec
from livenad.errors import ProductFault
from livenad.text import human
from livenad.virtual_machines.judge_lifecycle import judge_same_instance


def judge_not_live(history: History, change: NetworkChange) -> str:
    """Since the edit, every state of the VMI names the old network, and MigrationRequired was never set."""
    if history.current(VMI, change.vm) is None:
        raise ProductFault(f"{change.title}: expected the VMI to keep running without the edit; there is none")
    for record in history.records(VMI, change.vm, change.index):
        if record.type != DELETED:
            require_spec(history, change, record.object, change.old_network, "not to have the edit")
    require_never(history, change, VMI, MIGRATION, "the edit cannot be applied to the running VM here")
    return f"{change.title}: the VMI has kept its spec for {human(history.now - change.at)}"


def applied_live(history: History, edit: NicSettingsChange) -> str:
    """The first state that shows that the edit is applied to the running VM, or will be; "" when there is none."""
    before = (history.state_before(VMI, edit.vm, edit.index) or {}).get("spec", {})
    for record in history.records(VMI, edit.vm, edit.index):
        if record.type == DELETED:
            continue
        when = f"{human(record.at - edit.at)} after the edit"
        spec = dict(record.object.get("spec", {}))
        was, now = interface_of(before, edit.nic), interface_of(spec, edit.nic)
        if was != now:
            return f"{when} its interface in the VMI's spec had changed: {_changes(was, now)}"
        if network_of(before, edit.nic) != network_of(spec, edit.nic):
            return f"{when} the VMI's spec had the NIC on {network_of(spec, edit.nic)}"
        if condition(record.object, "MigrationRequired") is not None:
            return f"{when} the VMI had {condition_text(record.object, 'MigrationRequired')}"
        if node_of(record.object) != edit.node:
            return f"{when} the VMI was on node {node_of(record.object) or 'none'}, before it on {edit.node}"
    found = [f"{meta(item, 'name')} ({phase_of(item) or 'new'})" for item in migrations_since(history, edit).values()]
    return f"there is migration {', '.join(found)}" if found else ""


def judge_not_applied_live(history: History, edit: NicSettingsChange) -> str:
    """Since before the edit the VMI has the same spec and node, and no migration was required or made."""
    judge_same_instance(history, edit)
    if found := applied_live(history, edit):
        raise ProductFault(f"{edit.title}: expected the running VM to stay unchanged; {found}")
    return (
        f"{edit.title}: the VMI is unchanged for {human(history.now - edit.at)}, on node {edit.node}, and "
        "no migration was made"
    )


def _changes(was: Object, now: Object) -> str:
    keys = sorted(key for key in {*was, *now} if was.get(key) != now.get(key))
    return ", ".join(f"{key} was {was.get(key, 'not set')}, is {now.get(key, 'not set')}" for key in keys)
