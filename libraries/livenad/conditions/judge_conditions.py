"""Judgements on what an edit asks for where the cluster does not carry it out by itself: a migration, or a restart."""

from __future__ import annotations

import time

from livenad.api.history import DELETED, History
from livenad.api.kinds import VM, VMI, Kind, Object
from livenad.api.status import condition_text, is_true, network_of
from livenad.errors import ProductFault
from livenad.network_change.completion import NetworkSwap
from livenad.text import human

RESTART, MIGRATION = "RestartRequired", "MigrationRequired"


def asks_for(history: History, swap: NetworkSwap, type_: str) -> bool:
    """Whether the edit shows ``type_`` where it is shown: a restart on the VM, a migration on the VMI."""
    return is_true(_latest(history, swap, VM if type_ == RESTART else VMI), type_)


def judge_asks_for_migration(history: History, swap: NetworkSwap) -> str:
    """The VMI has taken the edit over and asks for a migration; nobody asks for a restart."""
    vm, vmi = _latest(history, swap, VM), _latest(history, swap, VMI)
    _require_spec(swap, vmi, swap.new_network, "to take the edit over")
    if not is_true(vmi, MIGRATION):
        raise ProductFault(
            f"{swap.title}: expected MigrationRequired on the VMI, as the cluster does not migrate by itself; "
            f"{_after(swap)} {condition_text(vmi, MIGRATION)}, on the VM {condition_text(vm, RESTART)}"
        )
    _require_never(history, swap, VM, RESTART, "a migration is enough for this edit")
    return f"{swap.title}: the VMI asks for a migration: {condition_text(vmi, MIGRATION)}"


def judge_asks_for_restart(history: History, swap: NetworkSwap) -> str:
    """The VM asks for a restart; the VMI has not taken the edit over and never asked for a migration."""
    vm, vmi = _latest(history, swap, VM), _latest(history, swap, VMI)
    if not is_true(vm, RESTART):
        raise ProductFault(
            f"{swap.title}: expected RestartRequired on the VM, as the edit cannot go live here; {_after(swap)} "
            f"{condition_text(vm, RESTART)}, on the VMI {condition_text(vmi, MIGRATION)}"
        )
    return f"{swap.title}: the VM asks for a restart: {condition_text(vm, RESTART)}"


def judge_not_live(history: History, swap: NetworkSwap) -> str:
    """The VMI's spec was on the old network in every state since the edit, and never asked for a migration."""
    for record in history.records(VMI, swap.vm, swap.index):
        if record.type != DELETED:
            _require_spec(swap, record.object, swap.old_network, "not to take the edit over")
    _require_never(history, swap, VMI, MIGRATION, "the edit cannot go live here")
    return f"{swap.title}: the VMI has kept its spec for {human(time.monotonic() - swap.at)}"


def judge_settled(history: History, swap: NetworkSwap) -> str:
    """Nothing is asked for any more, neither on the VM nor on its VMI."""
    if left := asked_for(history, swap):
        raise ProductFault(f"{swap.title}: expected nothing to be asked for any more; {_after(swap)} {left}")
    return f"{swap.title}: nothing is asked for any more"


def asked_for(history: History, swap: NetworkSwap) -> str:
    """The conditions that still ask for something, "" for none."""
    found = [
        f"{kind.name} {condition_text(item, type_)}"
        for kind, type_ in ((VM, RESTART), (VMI, MIGRATION))
        if is_true(item := _latest(history, swap, kind), type_)
    ]
    return ", ".join(found)


def _latest(history: History, swap: NetworkSwap, kind: Kind) -> Object:
    return history.current(kind, swap.vm) or {}


def _after(swap: NetworkSwap) -> str:
    return f"{human(time.monotonic() - swap.at)} after it:"


def _require_spec(swap: NetworkSwap, vmi: Object, wanted: str, what: str) -> None:
    network = network_of(vmi.get("spec") or {}, swap.nic)
    if network != wanted:
        raise ProductFault(
            f"{swap.title}: expected the VMI {what}, its spec to name {wanted}; {_after(swap)} it names "
            f"{network or 'no network'}"
        )


def _require_never(history: History, swap: NetworkSwap, kind: Kind, type_: str, why: str) -> None:
    for record in history.records(kind, swap.vm, swap.index):
        if record.type != DELETED and is_true(record.object, type_):
            raise ProductFault(
                f"{swap.title}: expected no {type_}, as {why}; the {kind.name} had it "
                f"{human(record.at - swap.at)} after the edit: {condition_text(record.object, type_)}"
            )
