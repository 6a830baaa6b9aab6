# SPDX-License-Identifier: Apache-2.0
"""OVN-Kubernetes as the CNI plugin of secondary networks: its checks of a NAD, and its annotation on pods."""

from __future__ import annotations

import json
from typing import Any

from ..dataplane.model import PodInterface
from ..dataplane.wiring import Segment
from ..kube.client import Obj

PLUGIN = "ovn-k8s-cni-overlay"
POD_NETWORKS = "k8s.ovn.org/pod-networks"
# OVN-Kubernetes reports an invalid NAD only in its own log; a pod that requests it waits until it times out.
SILENCE = "failed to get pod annotation: timed out waiting for annotations: context deadline exceeded"
# Fields that may differ between NADs of one network.
_OF_ONE_NAD = ("cniVersion", "netAttachDefName")


def configuration(nad: Obj) -> dict[str, Any]:
    """The NAD's plugin configuration, with its network's name; empty if it cannot be parsed."""
    try:
        config = json.loads(nad.get("spec", {}).get("config", ""))
        plugins = config.get("plugins")
        return {"name": config.get("name", "")} | dict(plugins[0] if plugins else config)
    except (ValueError, AttributeError, TypeError, IndexError):
        return {}


def segment_of(nad: Obj) -> Segment:
    """The layer-2 network; a localnet has the name of its mapping, by default the network's name."""
    config = configuration(nad)
    name = str(config.get("name", ""))
    if config.get("topology") == "localnet":
        return Segment(str(config.get("physicalNetworkName") or name), int(config.get("vlanID") or 0), "localnet")
    return Segment(f"{config.get('topology', 'layer3')}:{name}", 0, "overlay")


def is_sound(nad: Obj, others: list[Obj]) -> bool:
    """Whether OVN-Kubernetes accepts a NAD: it names itself, and agrees with older NADs of the same network.

    ``others`` are all NADs of the cluster, because a network's name is cluster-wide.
    """
    meta, config = nad["metadata"], configuration(nad)
    if not config.get("name") or config.get("netAttachDefName") != f"{meta['namespace']}/{meta['name']}":
        return False
    if config.get("topology") == "localnet" and config.get("role", "secondary") != "secondary":
        return False
    older = [other for other in others if _is_rival(other, nad)]
    return all(_content(configuration(other)) == _content(config) for other in older)


def _is_rival(other: Obj, nad: Obj) -> bool:
    config = configuration(other)
    same = config.get("type") == PLUGIN and config.get("name") == configuration(nad)["name"]
    return same and _age(other) < _age(nad)


def _age(nad: Obj) -> tuple[str, int]:
    meta = nad["metadata"]
    return meta["creationTimestamp"], int(meta["resourceVersion"])


def _content(config: dict[str, Any]) -> dict[str, Any]:
    return {"role": "secondary"} | {key: value for key, value in config.items() if key not in _OF_ONE_NAD}


def pod_networks(interfaces: dict[str, PodInterface]) -> str:
    """The annotation's text; ``interfaces`` by ``namespace/name`` of their NAD."""
    return json.dumps(
        {
            nad: {"ip_addresses": list(interface.ips) or None, "mac_address": interface.mac, "role": "secondary"}
            for nad, interface in interfaces.items()
        },
        separators=(",", ":"),
    )
