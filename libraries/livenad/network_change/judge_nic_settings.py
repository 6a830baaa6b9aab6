"""Judgements on edits that need a restart: each returns what it saw, or raises ProductFault."""

from __future__ import annotations

import time

from livenad.api.history import DELETED, History
from livenad.api.kinds import VM, VMI, Object, meta
from livenad.api.status import condition, condition_text, is_true, network_of, node_of, phase_of
from livenad.errors import ProductFault
from livenad.network_change.change import migrations_after
from livenad.network_change.nic_settings import NicEdit, interface_of
from livenad.nic_hotplug.judge_hotplug import judge_same_instance
from livenad.text import human


def asks_for_restart(history: History, edit: NicEdit) -> bool:
    """Whether the VM has RestartRequired now."""
    return is_true(history.current(VM, edit.act.vm) or {}, "RestartRequired")


def judge_restart_asked_for(history: History, edit: NicEdit) -> str:
    """RestartRequired came after the edit, stands now, and was never taken back in between."""
    shown = None
    for record in history.records(VM, edit.act.vm, edit.act.index):
        asked = is_true(record.object, "RestartRequired")
        if asked and shown is None:
            shown = record
        elif shown is not None and not asked:
            raise ProductFault(
                f"{edit.title}: expected RestartRequired to stand until a restart; it was set "
                f"{human(shown.at - edit.act.at)} after the edit and taken back {human(record.at - shown.at)} later"
            )
    if shown is None:
        vm = history.current(VM, edit.act.vm) or {}
        raise ProductFault(
            f"{edit.title}: expected RestartRequired, as the edit needs a restart; after "
            f"{human(time.monotonic() - edit.act.at)}: {condition_text(vm, 'RestartRequired')}"
        )
    return (
        f"{edit.title}: RestartRequired since {human(shown.at - edit.act.at)} after the edit"
        f"{_network_part(history, edit)}"
    )


def applied_live(history: History, edit: NicEdit) -> str:
    """The first sign that the running VM follows the edit, or is to follow it; "" when there is none."""
    before = (history.state_before(VMI, edit.act.vm, edit.act.index) or {}).get("spec", {})
    for record in history.records(VMI, edit.act.vm, edit.act.index):
        if record.type == DELETED:
            continue
        when = f"{human(record.at - edit.act.at)} after the edit"
        spec = dict(record.object.get("spec", {}))
        was, now = interface_of(before, edit.nic), interface_of(spec, edit.nic)
        if was != now:
            return f"{when} its interface in the VMI's spec was another one: {_changes(was, now)}"
        if network_of(before, edit.nic) != network_of(spec, edit.nic):
            return f"{when} the VMI's spec had the NIC on {network_of(spec, edit.nic)}"
        if condition(record.object, "MigrationRequired") is not None:
            return f"{when} the VMI had {condition_text(record.object, 'MigrationRequired')}"
        if node_of(record.object) != edit.act.node:
            return f"{when} the VMI was on node {node_of(record.object) or 'none'}, before it on {edit.act.node}"
    found = [f"{meta(item, 'name')} ({phase_of(item) or 'new'})" for item in migrations_after(history, edit.act)]
    return f"there is migration {', '.join(found)}" if found else ""


def judge_not_applied_live(history: History, edit: NicEdit) -> str:
    """Since before the edit the VMI's spec and node are the same, and no migration was asked for or made."""
    judge_same_instance(history, edit.act)
    if sign := applied_live(history, edit):
        raise ProductFault(f"{edit.title}: expected the running VM to be left as it is; {sign}")
    return (
        f"{edit.title}: the VMI is as it was for {human(time.monotonic() - edit.act.at)}, on node {edit.act.node}, and "
        "no migration was made"
    )


def _network_part(history: History, edit: NicEdit) -> str:
    """What became of the network in a mixed edit; reported, as nothing is laid down about it."""
    if not edit.network:
        return ""
    vmi = history.current(VMI, edit.act.vm) or {}
    network = network_of(dict(vmi.get("spec", {})), edit.nic)
    made = [f"{meta(item, 'name')} is {phase_of(item) or 'new'}" for item in migrations_after(history, edit.act)]
    return f"; for information: the VMI's spec names {network}, {', '.join(made) or 'no migration was made'}"


def _changes(was: Object, now: Object) -> str:
    keys = sorted(key for key in {*was, *now} if was.get(key) != now.get(key))
    return ", ".join(f"{key} was {was.get(key, 'not set')}, is {now.get(key, 'not set')}" for key in keys)
