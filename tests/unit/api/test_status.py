# SPDX-License-Identifier: Apache-2.0
"""How objects are read that have fields without the content they should have."""

from __future__ import annotations

import json

import pytest
from livenad.api.kinds import Object, meta
from livenad.api.status import NETWORK_STATUS, pod_network


@pytest.mark.circumstance(
    "a pod's network-status is null, or has nothing in it",
    topic="control plane",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("text", ["null", "{}", "[null]", "[]", '"text"', "no JSON", "", None])
def test_a_network_status_without_networks_has_none(text: str | None) -> None:
    pod: Object = {"metadata": {"annotations": {NETWORK_STATUS: text}}}
    assert pod_network(pod, "net1") is None


def test_a_network_beside_nothing_is_found() -> None:
    text = json.dumps([None, {"name": "demo/blue", "interface": "net1"}])
    assert pod_network({"metadata": {"annotations": {NETWORK_STATUS: text}}}, "net1") == "demo/blue"


def test_metadata_that_are_null_are_missing() -> None:
    assert meta({"metadata": {"annotations": None}}, "annotations", {}) == {}
    assert pod_network({"metadata": {"annotations": None}}, "net1") is None
