# SPDX-License-Identifier: Apache-2.0
"""The node to which guests of node-local bridges are migrated, as its label names it."""

from __future__ import annotations

from livenad.api.client import Cluster
from livenad.api.kinds import NODE
from livenad.networks.colocation import hostname_of

from tests.unit.support.fake_api import FakeApi


def test_node_is_selected_by_its_label(api: FakeApi, cluster: Cluster) -> None:
    api.put(NODE.path(), {"metadata": {"name": "n1.lab", "labels": {"kubernetes.io/hostname": "n1"}}})
    assert hostname_of(cluster, "n1.lab") == "n1"


def test_node_that_may_not_be_read_is_selected_by_its_name(api: FakeApi, cluster: Cluster) -> None:
    """Role runner has no right to nodes."""
    api.forbidden.add(("GET", NODE.path()))
    assert hostname_of(cluster, "n1.lab") == "n1.lab"
