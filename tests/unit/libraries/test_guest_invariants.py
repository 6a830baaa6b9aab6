# SPDX-License-Identifier: Apache-2.0
"""Keywords on everything that must be as before, at the end of a recorded flow and with a guest of paper."""

from __future__ import annotations

import copy
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from KubeVirtLibrary.base import SESSION
from livenad.errors import LabError, ProductFault, TestError
from livenad.guest.shells import GuestUnreachable
from livenad.invariants.guest_state import parse_state
from livenad.invariants.record import Recorded
from livenad.model import Nic, VmRecord
from livenad.report.evidence.collecting import _differs

from tests.unit.libraries.conftest import Call
from tests.unit.support.flows import Object, State, replay
from tests.unit.support.histories import EVACUATION, restarted
from tests.unit.support.open_suite import open_suite
from tests.unit.support.paper import PaperShell
from tests.unit.support.topology import LOGIN

STATE = "boot_id\tb00f\ninterface[eth1].mtu\t1500\nuptime\t{uptime:.2f}\n"


@pytest.fixture
def flow(keywords: Call) -> Any:
    """Opens a suite at the end of a flow, with the guest recorded ten seconds ago; gives the suite and its shell."""

    def opened(alter: Any = list, error: LabError | None = None) -> tuple[Any, PaperShell]:
        done = replay("main-ab_basic", alter)
        edit = done.edits[0]
        record = VmRecord("vm1", edit.namespace, LOGIN, [Nic("net1", "02:00:00:00:00:02", "nad-b")])
        suite: Any = open_suite(edit.namespace, done.history, {"vm1": record})
        edit.index = done.index
        suite.changes.add(edit)
        before = parse_state(STATE.format(uptime=100), "vm1")
        suite.records._records["vm1"] = Recorded(done.index, time.monotonic() - 10, before, "77")
        shell = PaperShell("vm1", lambda *_: True, error)
        shell.state = STATE.format(uptime=110)
        suite.guests.shell = lambda _: shell
        return suite, shell

    return opened


def test_nothing_else_has_changed(keywords: Call, flow: Any) -> None:
    flow()
    keywords("Nothing Else Should Have Changed", "vm1", within=timedelta())
    keywords("Nothing Else Should Have Changed", "vm1", within=timedelta(), duration=timedelta(seconds=5))


def warmer(states: list[State]) -> list[State]:
    for second, _, kind, _, item in states:
        if kind == "VirtualMachineInstance" and second > 24:
            item["spec"]["domain"]["cpu"]["cores"] = 9
    return states


def test_value_of_the_guest_and_of_the_api_are_told_together(keywords: Call, flow: Any) -> None:
    _, shell = flow(warmer)
    shell.state = shell.state.replace("1500", "1400")
    with pytest.raises(ProductFault) as caught:
        keywords("Nothing Else Should Have Changed", "vm1", within=timedelta())
    assert "the VMI's spec.domain.cpu.cores was 1, is 9 since" in str(caught.value).splitlines()[0]
    assert "also: guest lab-ab-basic/vm1's interface[eth1].mtu was 1500, is 1400" in str(caught.value)


def test_of_the_guest_alone_the_api_tells_nothing(keywords: Call, flow: Any) -> None:
    _, shell = flow(warmer)
    keywords("Nothing Else Should Have Changed", "vm1", within=timedelta(), where="guest")
    shell.state = shell.state.replace("1500", "1400")
    with pytest.raises(ProductFault, match=r"interface\[eth1\]\.mtu was 1500, is 1400") as caught:
        keywords("Nothing Else Should Have Changed", "vm1", within=timedelta(), where="guest")
    assert "cores" not in str(caught.value)


def test_of_a_guest_without_a_shell_alone_nothing_is_judged(keywords: Call, flow: Any) -> None:
    flow(warmer, GuestUnreachable("guest vm1 gives no shell"))
    with pytest.raises(LabError, match="gives no shell"):
        keywords("Nothing Else Should Have Changed", "vm1", within=timedelta(), where="guest")


def test_message_at_the_end_of_the_quiet_time_begins_with_what_that_showed(keywords: Call, flow: Any) -> None:
    _, shell = flow()
    shell.state = shell.state.replace("1500", "1400")
    quiet = r"^VM \S+: nothing more happened in the API for 5.0 s after the change was complete; compared with `Record"
    with pytest.raises(ProductFault, match=f"{quiet} Guest`: expected nothing else .* was 1500, is 1400"):
        keywords("Nothing Else Should Have Changed", "vm1", within=timedelta(), duration=timedelta(seconds=5))


def evacuated(states: list[State]) -> list[State]:
    """The flow, with a drain after it: the evacuation controller's migration moves the VM once more."""
    last = {kind: copy.deepcopy(item) for _, _, kind, _, item in states}
    migration, vmi = last["VirtualMachineInstanceMigration"], last["VirtualMachineInstance"]
    migration["metadata"] |= {"name": "other", "uid": "other", "annotations": EVACUATION, "resourceVersion": "999998"}
    migration["status"] = {"phase": "Pending"}
    vmi["metadata"]["resourceVersion"] = "999999"
    vmi["status"] |= {"nodeName": "elsewhere", "phase": "Failed"}
    end = states[-1][0]
    return [
        *states,
        (end + 30, "ADDED", "VirtualMachineInstanceMigration", "other", migration),
        (end + 40, "MODIFIED", "VirtualMachineInstance", "vm1", vmi),
    ]


def test_what_a_drain_changes_is_no_fault_of_the_product(keywords: Call, flow: Any) -> None:
    flow(evacuated)
    with pytest.raises(LabError, match=r"cannot be judged, as migration .*evacuation controller"):
        keywords("Nothing Else Should Have Changed", "vm1", within=timedelta())


def test_what_had_changed_before_a_drain_stays_a_fault(keywords: Call, flow: Any) -> None:
    flow(lambda states: evacuated(warmer(states)))
    with pytest.raises(ProductFault, match=r"cpu.cores was 1, is 9"):
        keywords("Nothing Else Should Have Changed", "vm1", within=timedelta())


def test_guest_without_a_shell_hides_no_finding_of_the_api(keywords: Call, flow: Any) -> None:
    def halted(states: list[State]) -> list[State]:
        last: list[Object] = [item for _, _, kind, _, item in states if kind == "VirtualMachine"]
        last[-1]["spec"]["runStrategy"] = "Halted"
        return states

    flow(halted, GuestUnreachable("guest lab/vm1 over SSH: no session"))
    with pytest.raises(ProductFault, match="runStrategy was Always, is Halted"):
        keywords("Nothing Else Should Have Changed", "vm1", within=timedelta())
    flow(error=GuestUnreachable("guest lab/vm1 over SSH: no session"))
    with pytest.raises(LabError, match="no session"):
        keywords("Nothing Else Should Have Changed", "vm1", within=timedelta())


def test_vm_that_was_not_recorded_or_was_restarted_since_is_a_test_error(keywords: Call, flow: Any) -> None:
    suite, _ = flow()
    suite.changes.add(restarted(suite.changes.network_change("vm1")))
    with pytest.raises(TestError, match="its restart came after `Record Guest`, and changes more than a network"):
        keywords("Nothing Else Should Have Changed", "vm1")
    suite.records.forget("vm1")
    with pytest.raises(TestError, match="VM vm1 was not recorded; call `Record Guest` before the change"):
        keywords("Nothing Else Should Have Changed", "vm1")


def test_time_after_a_change_that_is_not_complete_cannot_be_judged(keywords: Call, flow: Any) -> None:
    flow(lambda states: [state for state in states if state[0] < 20])
    with pytest.raises(ProductFault, match="expected nothing more to happen after its completion, but it is not compl"):
        keywords("Nothing Else Should Have Changed", "vm1", within=timedelta(), duration=timedelta(seconds=5))


def test_evidence_tells_first_what_differs_from_the_record(keywords: Call, flow: Any) -> None:
    flow(warmer)
    told = _differs(SESSION.run)  # type: ignore[arg-type]
    assert [line.partition(" since ")[0] for line in told] == [
        "VM lab-ab-basic/vm1: the VMI's spec.domain.cpu.cores was 1, is 9"
    ]


def test_route_that_moved_is_told_when_the_pod_network_is_cut_off(
    keywords: Call, flow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, shell = flow()
    before = suite.records._records["vm1"]
    routed = parse_state(STATE.format(uptime=100) + "route4\tdefault via 10.0.2.1 dev eth0\n", "vm1")
    suite.records._records["vm1"] = replace(before, guest=routed)
    suite.guests.console = lambda _: shell

    def cut_off(*_: object, **__: object) -> None:
        raise ProductFault("VM lab-ab-basic/vm1: a new connection through its pod network should open within 1 s")

    monkeypatch.setattr("GuestLibrary.reachability.check_pod_network", cut_off)
    with pytest.raises(ProductFault) as caught:
        keywords("Pod Network Should Work", "vm1", "vm1", within=timedelta(seconds=1))
    told = "; since it was recorded: guest vm1's route4[default via 10.0.2.1 dev eth0] was present, is gone"
    assert str(caught.value).endswith(f"within 1 s{told}")
    shell._error = GuestUnreachable("no console")
    with pytest.raises(ProductFault, match=r"within 1 s$"):
        keywords("Pod Network Should Work", "vm1", "vm1", within=timedelta(seconds=1))
