"""Verdicts on edits that need a restart, and on the pod that a swapped VM left, on recordings."""

from __future__ import annotations

from typing import Any

import pytest
from livenad.api.history import History
from livenad.api.kinds import POD
from livenad.errors import LabError, ProductFault
from livenad.network_change.change import Act
from livenad.network_change.completion import NetworkSwap
from livenad.network_change.judge_nic_settings import judge_not_applied_live, judge_restart_asked_for
from livenad.network_change.judge_source_pod import NETWORKS, judge_request_kept
from livenad.network_change.nic_settings import NicEdit

from tests.unit.support.histories import insert, replay


def edit_of(swap: NetworkSwap, network: str = "") -> NicEdit:
    before = swap.before
    uid, node = before.vmi_uid, before.node
    act = Act("the edit", swap.vm, swap.namespace, swap.index, swap.at, uid, node, before.migrations)
    return NicEdit(act, "net1", binding="sriov", network=network)


def gate_off(change: Any = None) -> tuple[History, NicEdit]:
    """A VM that was edited where nothing goes live."""
    history, swap = replay("gate-off-1.8.4", change)
    return history, edit_of(swap, "nad-b")


def test_restart_is_asked_for_and_stands() -> None:
    told = judge_restart_asked_for(*gate_off())
    assert "RestartRequired since 0.0" in told
    assert "for information: the VMI's spec names nad-a, no migration was made" in told


def test_restart_that_is_not_asked_for_is_a_fault() -> None:
    history, swap = replay("swap-main")
    with pytest.raises(ProductFault, match=r'binding "sriov": expected RestartRequired.*absent'):
        judge_restart_asked_for(history, edit_of(swap))


def test_restart_that_is_taken_back_is_a_fault() -> None:
    def take_back(vm: Any) -> None:
        vm["status"]["conditions"] = [c for c in vm["status"]["conditions"] if c["type"] != "RestartRequired"]

    with pytest.raises(ProductFault, match=r"to stand until a restart; .* taken back"):
        judge_restart_asked_for(*gate_off(lambda recorded: insert(recorded, 15, "VirtualMachine", take_back)))


def test_the_network_part_of_a_mixed_edit_is_told() -> None:
    def ask(vm: Any) -> None:
        vm["status"]["conditions"].append({"type": "RestartRequired", "status": "True"})

    history, swap = replay("swap-main", lambda recorded: insert(recorded, recorded[-1]["t"] + 1, "VirtualMachine", ask))
    assert "names nad-b, kubevirt-workload-update-" in judge_restart_asked_for(history, edit_of(swap, "nad-b"))


def test_what_is_not_applied_leaves_the_vmi_as_it_is() -> None:
    assert "the VMI is as it was" in judge_not_applied_live(*gate_off())


def test_a_swap_counts_as_applied_live() -> None:
    history, swap = replay("swap-main")
    with pytest.raises(ProductFault, match="the VMI's spec had the NIC on nad-b"):
        judge_not_applied_live(history, edit_of(swap))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (lambda vmi: vmi["spec"]["domain"]["devices"]["interfaces"][1].update(sriov={}), "sriov was not set, is {}"),
        (
            lambda vmi: vmi["status"]["conditions"].append({"type": "MigrationRequired", "status": "False"}),
            "MigrationRequired=False",
        ),
        (lambda vmi: vmi["status"].update(nodeName="elsewhere"), "was on node elsewhere"),
    ],
)
def test_each_sign_of_a_live_change_is_a_fault(what: Any, said: str) -> None:
    changed = gate_off(lambda recorded: insert(recorded, 15, "VirtualMachineInstance", what))
    with pytest.raises(ProductFault, match=said):
        judge_not_applied_live(*changed)


def test_the_source_pod_keeps_its_request() -> None:
    history, swap = replay("swap-main")
    assert '"name":"nad-a"' in judge_request_kept(history, swap)


def test_a_source_pod_that_is_rewritten_is_a_fault() -> None:
    def rewrite(recorded: list[Any]) -> list[Any]:
        source = next(event["name"] for event in recorded if event["kind"] == POD.name)
        others = [event for event in recorded if event["kind"] != POD.name or event["name"] == source]

        def other(pod: Any) -> None:
            text = pod["metadata"]["annotations"][NETWORKS]
            pod["metadata"]["annotations"][NETWORKS] = text.replace("nad-a", "nad-b")

        return insert(others, 7.3, POD.name, other)

    history, swap = replay("swap-main", rewrite)
    with pytest.raises(ProductFault, match=r"to keep the annotation .* it was .*nad-b.* before it .*nad-a"):
        judge_request_kept(history, swap)


def test_without_a_source_pod_nothing_can_be_judged() -> None:
    def without_pods(recorded: list[Any]) -> list[Any]:
        return [event for event in recorded if event["kind"] != POD.name]

    history, swap = replay("swap-main", without_pods)
    with pytest.raises(LabError, match=r"no launcher pod on .* was recorded before the edit"):
        judge_request_kept(history, swap)
