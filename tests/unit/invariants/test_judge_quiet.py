# SPDX-License-Identifier: Apache-2.0
"""The time after a change: a recorded flow in which nothing more happens, and each thing that may not."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from livenad.errors import ProductFault
from livenad.invariants.judge_quiet import completed_first, judge_quiet

from tests.unit.support.flows import Object, State, replay

WORKED = ["1.8.4-b_basic", "1.8.4-c2_stage", "1.9.0-b_basic", "main-ab_basic", "main-b_basic", "main-j2_other_ns"]
WORKED += ["main-c5_no_methods_then_enabled", "main-h1_missing_nad", "main-q2_no_podnet", "main-v_unschedulable"]
VM, VMI = "VirtualMachine", "VirtualMachineInstance"


def judged(name: str, window: float = 10.0, alter: Callable[[list[State]], list[State]] = list) -> str:
    flow = replay(name, alter)
    completed = completed_first(flow.history, flow.edits[0])
    assert completed is not None
    return judge_quiet(flow.history, flow.edits[0], completed, window)


@pytest.mark.parametrize("name", WORKED)
def test_after_a_recorded_swap_nothing_more_happens(name: str) -> None:
    assert "nothing more happened for 10 s after its completion" in judged(name)


def later(kind: str, change: Callable[[Object], None], at: float = 30.0) -> Callable[[list[State]], list[State]]:
    """The flow with one more state of the newest object of a kind."""

    def alter(states: list[State]) -> list[State]:
        last = max((state for state in states if state[2] == kind), key=lambda state: state[0])
        item = copy.deepcopy(last[4])
        item["metadata"]["resourceVersion"] = "999999"
        change(item)
        return sorted([*states, (at, "MODIFIED", kind, item["metadata"]["name"], item)], key=lambda state: state[0])

    return alter


def renamed(item: Object) -> None:
    item["metadata"] |= {"name": "another", "uid": "another"}


def reverted(item: Object) -> None:
    item["spec"]["template"]["spec"]["networks"][1]["multus"]["networkName"] = "nad-a"


@pytest.mark.parametrize(
    ("kind", "change", "told"),
    [
        ("VirtualMachineInstanceMigration", renamed, "4.6 s after it migration another was created"),
        ("Pod", renamed, "launcher pod another was created"),
        (VM, reverted, "the spec of the VM was changed"),
        (VMI, lambda vmi: vmi["status"].update(nodeName="node1"), "the VMI went from node node2 to node1"),
        (VMI, lambda vmi: vmi["status"].update(phase="Failed"), "phase of the VMI went from Running to Failed"),
        (
            VMI,
            lambda vmi: vmi["status"]["conditions"].append({"type": "MigrationRequired", "status": "True"}),
            "condition MigrationRequired of the VMI went from absent to True",
        ),
        (
            VM,
            lambda vm: vm["status"].update(conditions=[{"type": "Ready", "status": "False"}]),
            "condition Ready of the VM went from True to False",
        ),
    ],
)
def test_each_thing_that_may_not_happen_fails(kind: str, change: Callable[[Object], None], told: str) -> None:
    with pytest.raises(ProductFault) as caught:
        judged("main-ab_basic", alter=later(kind, change))
    assert "expected nothing more to happen for 10 s after its completion" in str(caught.value)
    assert told in str(caught.value)


def test_what_happens_after_the_window_is_no_matter() -> None:
    assert "nothing more happened for 4.0 s" in judged("main-ab_basic", 4.0, later(VM, reverted))


def test_window_begins_when_the_change_was_first_complete_and_not_when_it_was_so_again() -> None:
    def blink(vmi: Object) -> None:
        vmi["status"]["conditions"].append({"type": "MigrationRequired", "status": "True"})

    def calm(vmi: Object) -> None:
        vmi["status"]["conditions"].pop()
        vmi["metadata"]["resourceVersion"] = "9999999"

    def alter(states: list[State]) -> list[State]:
        return later(VMI, calm, 31.0)(later(VMI, blink, 30.0)(states))

    with pytest.raises(ProductFault, match="went from absent to True"):
        judged("main-ab_basic", alter=alter)
