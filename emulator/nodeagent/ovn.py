"""OVN-Kubernetes as the CNI plugin of secondary networks: what it checks of a NAD, and its mark on pods."""

from __future__ import annotations

import json
from typing import Any

from ..dataplane.model import PodInterface
from ..dataplane.wiring import Segment
from ..kube.client import Obj

PLUGIN = "ovn-k8s-cni-overlay"
POD_NETWORKS = "k8s.ovn.org/pod-networks"
# OVN-Kubernetes says only in its own log what is wrong with a NAD; a pod that wants it waits in vain.
SILENCE = "failed to get pod annotation: timed out waiting for annotations: context deadline exceeded"
# What may differ between NADs that are one network.
_OF_ONE_NAD = ("cniVersion", "netAttachDefName")


def configuration(nad: Obj) -> dict[str, Any]:
    """The NAD's plugin configuration, with its network's name; empty where it cannot be read."""
    try:
        config = json.loads(nad.get("spec", {}).get("config", ""))
        plugins = config.get("plugins")
        return {"name": config.get("name", "")} | dict(plugins[0] if plugins else config)
    except (ValueError, AttributeError, TypeError, IndexError):
        return {}


def segment_of(nad: Obj) -> Segment:
    """The layer-2 network; a localnet is called by its mapping, which is the network's name where none is given."""
    config = configuration(nad)
    name = str(config.get("name", ""))
    if config.get("topology") == "localnet":
        return Segment(str(config.get("physicalNetworkName") or name), int(config.get("vlanID") or 0), "localnet")
    return Segment(f"{config.get('topology', 'layer3')}:{name}", 0, "overlay")


def is_sound(nad: Obj, others: list[Obj]) -> bool:
    """Whether OVN-Kubernetes takes a NAD: it names itself, and agrees with the older NADs of its network's name.

    ``others`` are all NADs of the cluster: the name of a network counts everywhere.
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
