# SPDX-License-Identifier: Apache-2.0
"""How a test finds out that OVN-Kubernetes is there."""

from __future__ import annotations

import pytest

from emulator.controlplane.profile import profile_for
from emulator.ovn.addons import NAMESPACES, OvnKubernetes
from emulator.platforms.catalogue import addons_of, registry_of
from emulator.platforms.platform import KUBERNETES, OPENSHIFT, Platform
from tests.emulator.addons import cluster_with
from tests.emulator.nodeagent.conftest import agent_script


async def test_daemon_set_is_there() -> None:
    async with cluster_with() as cluster:
        namespace = NAMESPACES[KUBERNETES.name]
        found = await cluster.client.get("daemonsets.apps", "ovnkube-node", namespace)
        assert found["spec"]["template"]["spec"]["containers"][0]["name"] == "ovnkube-controller"


async def test_nodes_say_so() -> None:
    async with agent_script() as script:
        nodes, _ = await script.client.list("nodes")
        chassis = {node["metadata"]["annotations"]["k8s.ovn.org/node-chassis-id"] for node in nodes}
        assert len(chassis) == len(nodes) == 2


@pytest.mark.parametrize(("platform", "served"), [(KUBERNETES, False), (OPENSHIFT, True)])
def test_networks_of_the_whole_cluster_come_with_openshift(platform: Platform, served: bool) -> None:
    registry = registry_of(platform, profile_for("1.9"))
    assert (registry.find("k8s.ovn.org", "v1", "clusteruserdefinednetworks") is not None) is served
    assert any(isinstance(addon, OvnKubernetes) for addon in addons_of(platform))
