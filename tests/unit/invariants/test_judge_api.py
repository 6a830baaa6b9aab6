# SPDX-License-Identifier: Apache-2.0
"""What a value that must not differ looks like in the verdict: one recorded flow, altered in one field."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest
from livenad.errors import LabError, ProductFault
from livenad.invariants.comparison import Comparison, judge_unchanged
from livenad.invariants.judge_api import compare_api

from tests.unit.support.flows import Object, State, replay

FLOW = "main-ab_basic"
SOURCE, TARGET = "virt-launcher-vm1-dhwdt", "virt-launcher-vm1-vxnh5"
VM, VMI, MIGRATION, POD = (
    "VirtualMachine",
    "VirtualMachineInstance",
    "VirtualMachineInstanceMigration",
    "Pod",
)
Change = Callable[[Object], None]


def altered(kind: str, change: Change, *, since: float = 0.0, until: float = 1e9, name: str = "") -> Comparison:
    """The flow with every state of an object changed that came within these seconds."""

    def alter(states: list[State]) -> list[State]:
        for second, _, of, title, item in states:
            if of == kind and since < second <= until and name in title:
                change(item)
        return states

    flow = replay(FLOW, alter)
    return compare_api(flow.history, "vm1", flow.index, flow.at, flow.edits)


@pytest.mark.parametrize(("of", "priority"), [("evacuation", "user-triggered"), ("workload-update", "system-critical")])
def test_priority_of_a_migration_is_that_of_its_cause(of: str, priority: str) -> None:
    def alter(states: list[State]) -> list[State]:
        for _, _, kind, title, item in states:
            if kind == MIGRATION and of in title:
                item["spec"]["priority"] = priority
        return states

    flow = replay("1.9.0-m3b_swap_early_in_evacuation", alter)
    (finding,) = flow.compare().findings
    assert f"{of}-" in finding.subject
    assert (finding.path, finding.now) == ("spec.priority", priority)


def lines(found: Comparison) -> str:
    return "\n".join(map(str, found.findings))


def put(*path: str, value: object) -> Change:
    """Set a field; a step such as ``name=net1`` chooses an entry of a list by a field."""

    def change(item: Object) -> None:
        here: Any = item
        for step in path[:-1]:
            key, _, wanted = step.partition("=")
            here = next(one for one in here if one.get(key) == wanted) if wanted else here.setdefault(step, {})
        here[path[-1]] = value

    return change


def without(*path: str) -> Change:
    def change(item: Object) -> None:
        for step in path[:-1]:
            item = item.get(step, {})
        item.pop(path[-1], None)

    return change


NEW = {"type": "Odd", "status": "True"}
NETWORKS = ("spec", "networks", "name=net1", "multus", "networkName")


@pytest.mark.parametrize(
    ("kind", "change", "since", "until", "told"),
    [
        (
            VM,
            put("spec", "template", *NETWORKS, value="nad-a"),
            19,
            24,
            "VM's .*networkName was nad-a, was nad-a for a",
        ),
        (VM, put("spec", "runStrategy", value="Halted"), 19, 24, "VM's spec.runStrategy was Always, was Halted for a"),
        (VMI, put(*NETWORKS, value="nad-a"), 25, 1e9, "VMI's .*networkName was nad-a, is nad-a since"),
        (
            VMI,
            put("spec", "domain", "cpu", "cores", value=7),
            19,
            23.5,
            "spec.domain.cpu.cores was 1, was 7 for a while",
        ),
        (VMI, without("spec", "domain", "firmware"), 25, 1e9, "firmware.uuid was .*, is not set since"),
        (VMI, without("metadata", "finalizers"), 24, 1e9, "metadata.finalizers"),
        (VMI, put("status", "nodeName", value="node3"), 24.0, 1e9, "nodeName was node1, is node3 since"),
        (VMI, put("metadata", "labels", "kubevirt.io/nodeName", value="node1"), 24, 1e9, "it may only be the node in"),
        (VMI, put("status", "migrationState", "targetPod", value=SOURCE), 18, 1e9, "may only be the pod made for"),
        (VMI, put("status", "interfaces", "name=net1", "mac", value="02:00:00:00:00:09"), 25, 1e9, r"\[net1\].mac was"),
        (VMI, put("status", "interfaces", "name=net1", "flags", value="x"), 25, 1e9, r"\[net1\].flags was not set"),
        (
            VMI,
            lambda vmi: vmi["status"]["conditions"].append(dict(NEW)),
            25,
            1e9,
            r"\[Odd\].status was not set, is True",
        ),
        (VMI, lambda vmi: vmi["status"].update(conditions=[]), 25.2, 1e9, r"conditions\[Ready\]"),
        (MIGRATION, put("status", "phase", value="Failed"), 25, 1e9, "phase was not set, is Failed since"),
        (MIGRATION, put("status", "migrationState", "targetNode", value="node1"), 25.3, 1e9, "be what the VMI shows"),
        (MIGRATION, put("metadata", "finalizers", value=["kubevirt.io/migrationJobFinalize"]), 25, 1e9, "finalizers"),
        (POD, put("metadata", "ownerReferences", value=[]), 16, 1e9, "ownerReferences"),
        (POD, put("spec", "priority", value=5), 16, 1e9, "spec.priority"),
    ],
)
def test_one_field_that_must_not_differ_is_found(
    kind: str, change: Change, since: float, until: float, told: str
) -> None:
    assert re.search(told, lines(altered(kind, change, since=since, until=until)))


@pytest.mark.parametrize(
    ("kind", "change", "until"),
    [
        (VMI, put("status", "brandNew", value={"field": 1}), 1e9),
        (VMI, put("metadata", "annotations", "example.com/seen", value="yes"), 1e9),
        (VMI, lambda vmi: vmi["status"].update(guestOSInfo={"name": "other"}), 25.2),
        (POD, put("metadata", "labels", "example.com/team", value="blue"), 1e9),
        (VMI, put("status", "conditions", "type=AgentConnected", "lastTransitionTime", value="2026-12-01"), 1e9),
        (POD, put("spec", "nodeSelector", "cpu-feature.node.kubevirt.io/vmx", value="true"), 1e9),
        (POD, put("status", "containerStatuses", "name=compute", "imageID", value="another"), 1e9),
    ],
)
def test_what_is_new_or_foreign_or_late_by_the_agent_is_told_only(kind: str, change: Change, until: float) -> None:
    found = altered(kind, change, since=24, until=until)
    assert not found.findings
    assert len(found.told) > len(altered(kind, lambda _: None).told)


def test_source_pod_that_has_not_ended_is_found() -> None:
    running = put("status", "phase", value="Running")
    found = lines(altered(POD, running, name=SOURCE))
    assert found == f"launcher pod {SOURCE}'s status.phase was not set, is Running, and the VMI is not in it"


@pytest.mark.parametrize("phase", ["Succeeded", "Running"])
def test_a_source_pod_whose_end_is_told_before_the_move_of_the_vmi_is_as_it_may_be(phase: str) -> None:
    """The watch of VMIs was silent for a while; a kubelet tells the end of the container before that of the pod."""

    def late(states: list[State]) -> list[State]:
        ended = next(n for n, one in enumerate(states) if one[2] == "Pod" and one[4]["status"]["phase"] == "Succeeded")
        ending = (*states[ended][:4], copy.deepcopy(states[ended][4]))
        ending[4]["status"]["phase"] = phase
        ending[4]["metadata"]["resourceVersion"] = str(int(ending[4]["metadata"]["resourceVersion"]) - 1)
        came = states[ended][0]
        moved = [one for one in states[:ended] if one[2] == VMI and one[4]["status"].get("nodeName") == "node2"]
        assert moved
        before = [one for one in states[:ended] if one not in moved]
        return [*before, ending, *((came, *one[1:]) for one in moved), *states[ended:]]

    flow = replay(FLOW, late)
    assert lines(compare_api(flow.history, "vm1", flow.index, flow.at, flow.edits)) == ""


def test_target_pod_is_compared_with_the_source_pod_though_another_object() -> None:
    found = lines(altered(POD, put("spec", "hostname", value="other"), name=TARGET))
    assert f"launcher pod {TARGET}'s spec.hostname was vm1, is other" in found


def test_warning_about_the_vmi_is_found_and_one_about_a_pod_is_told() -> None:
    def warn(kind: str) -> Comparison:
        def alter(states: list[State]) -> list[State]:
            event = next(item for second, _, of, _, item in states if of == "Event" and second > 11)
            added = copy.deepcopy(event)
            added["metadata"] |= {"name": "odd", "uid": "odd", "resourceVersion": "99999"}
            name = "vm1" if kind == VMI else TARGET
            added |= {"type": "Warning", "reason": "SyncFailed", "message": "no", "involvedObject": {"kind": kind}}
            added["involvedObject"]["name"] = name
            return [*states, (30.0, "ADDED", "Event", "odd", added)]

        flow = replay(FLOW, alter)
        return compare_api(flow.history, "vm1", flow.index, flow.at, flow.edits)

    assert "VirtualMachineInstance vm1's warning was not set, is SyncFailed: no 20 s after" in lines(warn(VMI))
    assert not warn(POD).findings


def test_first_line_has_one_finding_and_a_condition_is_one_line() -> None:
    found = altered(VMI, put("status", "evacuationNodeName", value="node1"), since=24)
    with pytest.raises(ProductFault) as caught:
        judge_unchanged(found, "VM lab/vm1")
    assert str(caught.value).startswith(
        "VM lab/vm1: expected nothing else to change with the network; the VMI's status.evacuationNodeName was not set"
    )
    lost = altered(VMI, lambda vmi: vmi["status"].update(conditions=[]), since=25.2)
    with pytest.raises(ProductFault) as caught:
        judge_unchanged(lost, "VM lab/vm1")
    assert str(caught.value).count("conditions[Ready]") == 1


def test_a_vm_that_was_not_recorded_before_is_a_lab_error() -> None:
    flow = replay(FLOW)
    with pytest.raises(LabError, match="was not recorded while it was running"):
        compare_api(flow.history, "vm1", 1, 0.0, flow.edits)


def test_log_line_and_table() -> None:
    found = altered(VMI, lambda _: None)
    assert judge_unchanged(found, "VM lab/vm1") == f"VM lab/vm1: {found.line()}"
    assert "changed in ways that a network change may" in found.line()
    assert "may         the VMI's status.nodeName: node1 -> node2. The live migration moves the VMI." in found.table()
