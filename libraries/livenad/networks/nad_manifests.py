# SPDX-License-Identifier: Apache-2.0
"""Manifests of NADs."""

from __future__ import annotations

import json

from livenad.api.kinds import NAD, Object

RESOURCE_NOTE = "k8s.v1.cni.cncf.io/resourceName"


def bridge_nad(name: str, namespace: str, bridge: str, vlan: int, resource: str = "") -> Object:
    """A NAD for the bridge CNI plugin; VLAN 0 is untagged. ``resource``: the node resource that it needs."""
    config: Object = {"cniVersion": "0.3.1", "name": name, "type": "bridge", "bridge": bridge, "ipam": {}}
    if vlan:
        config["vlan"] = vlan
    return _nad(name, namespace, config, {RESOURCE_NOTE: resource} if resource else {})


def localnet_nad(name: str, namespace: str, physical_network: str, vlan: int, network: str) -> Object:
    """A NAD for a localnet of OVN-Kubernetes, whose name in the whole cluster is ``network``."""
    config: Object = {
        "cniVersion": "0.4.0",
        "name": network,
        "type": "ovn-k8s-cni-overlay",
        "topology": "localnet",
        "netAttachDefName": f"{namespace}/{name}",
        "physicalNetworkName": physical_network,
        "vlanID": vlan,
    }
    return _nad(name, namespace, config, {})


def _nad(name: str, namespace: str, config: Object, annotations: dict[str, str]) -> Object:
    metadata: Object = {"name": name, "namespace": namespace}
    if annotations:
        metadata["annotations"] = annotations
    return {
        "apiVersion": NAD.api_version,
        "kind": NAD.name,
        "metadata": metadata,
        "spec": {"config": json.dumps(config)},
    }
