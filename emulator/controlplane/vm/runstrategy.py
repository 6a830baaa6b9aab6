# SPDX-License-Identifier: Apache-2.0
"""The action that a VM's run strategy and its pending requests ask for."""

from __future__ import annotations

from enum import Enum

from emulator.controlplane.accessors import Obj, is_deleting, is_final, phase
from emulator.controlplane.vm.startfailure import seconds_to_wait


class Action(Enum):
    NONE = "none"
    START = "start"
    STOP = "stop"


def run_strategy(vm: Obj) -> str:
    """``spec.runStrategy``, or its equivalent of ``spec.running``."""
    spec = vm["spec"]
    if spec.get("runStrategy"):
        return str(spec["runStrategy"])
    return "Always" if spec.get("running") else "Halted"


def requests(vm: Obj) -> list[Obj]:
    return list(vm.get("status", {}).get("stateChangeRequests") or [])


def asks_stop(vm: Obj, vmi: Obj) -> bool:
    """Whether the first pending request is to stop this VMI."""
    pending = requests(vm)
    return bool(pending) and pending[0]["action"] == "Stop" and pending[0].get("uid") == vmi["metadata"]["uid"]


def asks_start(vm: Obj) -> bool:
    return any(request["action"] == "Start" for request in requests(vm))


def next_action(vm: Obj, vmi: Obj | None) -> Action:
    strategy = run_strategy(vm)
    if vmi is None:
        waits = seconds_to_wait(vm) > 0
        return Action.START if _starts(vm, strategy) and not waits else Action.NONE
    if is_deleting(vmi):
        return Action.NONE
    return Action.STOP if _stops(vm, vmi, strategy) else Action.NONE


def _starts(vm: Obj, strategy: str) -> bool:
    if strategy == "Always":
        return True
    if strategy in ("RerunOnFailure", "Once"):
        ran_before = vm.get("status", {}).get("runStrategy") == strategy
        return not ran_before or (strategy == "RerunOnFailure" and asks_start(vm))
    return strategy == "Manual" and asks_start(vm)


def _stops(vm: Obj, vmi: Obj, strategy: str) -> bool:
    if strategy == "Halted" or asks_stop(vm, vmi):
        return True
    return strategy in ("Always", "RerunOnFailure") and is_final(vmi)


def restarts_after_stop(vm: Obj, vmi: Obj) -> bool:
    """RerunOnFailure restarts a VMI that failed, but not one that was shut down."""
    return run_strategy(vm) == "RerunOnFailure" and phase(vmi) == "Failed"
