"""Judgements on a VM that cannot be live-migrated: that it was left alone means something while others are moved."""

from __future__ import annotations

import time

from livenad.api.history import History
from livenad.api.kinds import VM, VMI
from livenad.api.status import is_true
from livenad.errors import LabError, ProductFault
from livenad.migrations.judge_stayed import judge_signalled
from livenad.network_change.completion import NetworkSwap, five_facts, is_complete
from livenad.text import human

_SIGNS = ((VM, "RestartRequired"), (VMI, "MigrationRequired"))


def has_settled(history: History, control: NetworkSwap) -> bool:
    """Whether the cluster is done with a VM that can be migrated: it was moved, or it takes a restart here."""
    return is_complete(history, control) or _needs_restart(history, control)


def require_control(history: History, swap: NetworkSwap, control: NetworkSwap) -> tuple[bool, str]:
    """Whether the control was moved, and what became of it; False where this cluster moves no VM for such an edit.

    LabError when neither is so, or when the control was not edited after the VM: then nothing can be judged.
    """
    if control.index <= swap.index:
        raise LabError(f"control {control.vm} was edited before {swap.vm}; it proves nothing about the time since")
    if is_complete(history, control):
        return True, f"control {control.vm}, edited later, was migrated"
    if _needs_restart(history, control):
        return False, f"control {control.vm} has RestartRequired, as this cluster moves no VM for such an edit"
    missing = next(fact for fact in five_facts(history, control) if not fact.holds)
    raise LabError(
        f"VM {swap.namespace}/{swap.vm} was not migrated, which proves nothing: its control was not either: "
        f"{control.title}: {missing.seen}"
    )


def judge_still_signalled(history: History, swap: NetworkSwap) -> str:
    """A condition says that the edit is not in effect, and has not gone away since it came."""
    gone = []
    for kind, type_ in _SIGNS:
        came: float | None = None
        for record in history.records(kind, swap.vm, swap.index):
            if is_true(record.object, type_):
                came = record.at if came is None else came
            elif came is not None:
                gone.append(
                    f"{type_} of the {kind.name} came {human(came - swap.at)} after the edit and was gone "
                    f"{human(record.at - came)} later"
                )
                break
        if came is not None and not gone:
            return f"{judge_signalled(history, swap)}, since {human(time.monotonic() - came)}"
    if gone:
        raise ProductFault(
            f"VM {swap.namespace}/{swap.vm}: expected RestartRequired on the VM or MigrationRequired on the VMI for as "
            f"long as the edit is not in effect; {'; '.join(gone)}, though the VM was not moved"
        )
    return judge_signalled(history, swap)


def _needs_restart(history: History, control: NetworkSwap) -> bool:
    return is_true(history.current(VM, control.vm) or {}, "RestartRequired")
