# SPDX-License-Identifier: Apache-2.0
"""Verdicts on the pod that a VM left by its change, on recordings of a real control plane."""

from __future__ import annotations

from typing import Any

import pytest
from livenad.api.kinds import POD, VMI, Kind
from livenad.errors import LabError, ProductFault
from livenad.network_change.judge_source_pod import NETWORKS, judge_annotation_kept

from tests.unit.support.histories import EDITED, insert, replay


def test_the_source_pod_keeps_its_request() -> None:
    history, change = replay("swap-main")
    assert '"name":"nad-a"' in judge_annotation_kept(history, change)


def test_a_source_pod_that_is_rewritten_is_a_fault() -> None:
    def rewrite(recorded: list[Any]) -> list[Any]:
        source = next(event["name"] for event in recorded if event["kind"] == POD.name)
        others = [event for event in recorded if event["kind"] != POD.name or event["name"] == source]

        def other(pod: Any) -> None:
            text = pod["metadata"]["annotations"][NETWORKS]
            pod["metadata"]["annotations"][NETWORKS] = text.replace("nad-a", "nad-b")

        return insert(others, 7.3, POD.name, other)

    history, change = replay("swap-main", rewrite)
    with pytest.raises(ProductFault, match=r"to keep the annotation .* it was .*nad-b.* before it .*nad-a"):
        judge_annotation_kept(history, change)


def kept(recorded: list[Any], *kinds: Kind) -> list[Any]:
    """The recording without what befell these objects after the edit; of the pods the first one alone."""
    source = next(event["name"] for event in recorded if event["kind"] == POD.name)
    pods = [event for event in recorded if event["kind"] != POD.name or event["name"] == source]
    return [
        event
        for event in pods
        if event["t"] < EDITED["swap-main"] or event["kind"] not in {kind.name for kind in kinds}
    ]


def test_source_pod_that_nobody_wrote_kept_its_request() -> None:
    """Its launcher may end long after the VM has left it."""
    history, change = replay("swap-main", lambda recorded: kept(recorded, POD))
    assert "was not written between the edit and" in judge_annotation_kept(history, change)


def test_source_pod_that_the_vm_has_not_left_proves_nothing() -> None:
    history, change = replay("swap-main", lambda recorded: kept(recorded, POD, VMI))
    with pytest.raises(LabError, match=r"no state of source pod .* was recorded since the edit: nothing is proven"):
        judge_annotation_kept(history, change)


def test_without_a_source_pod_nothing_can_be_judged() -> None:
    def without_pods(recorded: list[Any]) -> list[Any]:
        return [event for event in recorded if event["kind"] != POD.name]

    history, change = replay("swap-main", without_pods)
    with pytest.raises(LabError, match=r"no launcher pod on .* was recorded before the edit"):
        judge_annotation_kept(history, change)
