"""Nodes: which can run VMs, and between which VMs can be live-migrated."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import NODE, Object, dig, meta
from livenad.api.status import is_true

_ARCH = "kubernetes.io/arch"
_VENDOR = "cpu-vendor.node.kubevirt.io/"
_HOST_MODEL = "host-model-cpu.node.kubevirt.io/"
_TAKES_MODEL = "cpu-model-migration.node.kubevirt.io/"
_BRIDGE = "bridge.network.kubevirt.io/"
_REPELLING = ("NoSchedule", "NoExecute")


@dataclass(frozen=True)
class NodeFacts:
    """All nodes, those that can run VMs, why the others cannot, and a pair between which VMs can be live-migrated.

    ``misfit`` says why two usable nodes are no such pair, "" where there is one. ``bridges``: by node, the Linux
    bridges that bridge-marker reports of it; empty everywhere where none runs. ``ipv6_only``: no node has an IPv4
    address, so pods have none either.
    """

    names: tuple[str, ...]
    usable: tuple[str, ...]
    troubles: dict[str, str] = field(default_factory=dict)
    pair: tuple[str, str] | None = None
    misfit: str = ""
    bridges: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ipv6_only: bool = False


def read_nodes(cluster: Cluster) -> NodeFacts | None:
    """The nodes of a cluster, None when the user has no right to list them."""
    try:
        return judge_nodes(cluster.list(NODE).items)
    except ApiError as error:
        if error.status == 403:
            return None
        raise


def judge_nodes(nodes: list[Object]) -> NodeFacts:
    """The facts from specs, labels and conditions of the nodes."""
    troubles = {str(meta(node, "name")): _trouble(node) for node in nodes}
    usable = [node for node in nodes if not troubles[str(meta(node, "name"))]]
    misfits = {_names(pair): _misfit(*pair) for pair in combinations(usable, 2)}
    pair = next((names for names, why in misfits.items() if not why), None)
    return NodeFacts(
        names=tuple(troubles),
        usable=tuple(str(meta(node, "name")) for node in usable),
        troubles={name: trouble for name, trouble in troubles.items() if trouble},
        pair=pair,
        misfit="" if pair else next(iter(misfits.values()), ""),
        bridges={str(meta(node, "name")): _bridges(node) for node in nodes},
        ipv6_only=_is_ipv6_only(nodes),
    )


def _names(pair: tuple[Object, Object]) -> tuple[str, str]:
    return str(meta(pair[0], "name")), str(meta(pair[1], "name"))


def _trouble(node: Object) -> str:
    """Why no VM can be migrated to a node, "" when VMs can."""
    if dig(node, "spec", "unschedulable"):
        return "cordoned"
    if not is_true(node, "Ready"):
        return "not Ready"
    if meta(node, "labels", {}).get("kubevirt.io/schedulable") != "true":
        return "without label kubevirt.io/schedulable=true (virt-handler does not run there)"
    taint = next((taint for taint in dig(node, "spec", "taints") or [] if taint.get("effect") in _REPELLING), None)
    return f"tainted {taint.get('key')}:{taint.get('effect')}" if taint else ""


def _misfit(one: Object, other: Object) -> str:
    """Why VMs cannot move between two nodes in both directions, "" when they can."""
    first, second = _names((one, other))
    for what, here, there in (
        ("architecture", _arch(one), _arch(other)),
        ("CPU vendor", ", ".join(_suffixes(one, _VENDOR)), ", ".join(_suffixes(other, _VENDOR))),
    ):
        if here and there and here != there:
            return f"{first} and {second} differ in their {what} ({here}, {there})"
    for source, target, source_name, target_name in ((one, other, first, second), (other, one, second, first)):
        taken = _suffixes(target, _TAKES_MODEL) + _suffixes(target, _HOST_MODEL)
        foreign = [model for model in _suffixes(source, _HOST_MODEL) if taken and model not in taken]
        if foreign:
            return f"{target_name} cannot take over VMs of {source_name}, whose CPU model is {foreign[0]}"
    return ""


def _is_ipv6_only(nodes: list[Object]) -> bool:
    entries = [entry for node in nodes for entry in dig(node, "status", "addresses") or []]
    addresses = [str(entry.get("address")) for entry in entries if entry.get("type") == "InternalIP"]
    return bool(addresses) and all(":" in address for address in addresses)


def _bridges(node: Object) -> tuple[str, ...]:
    # The resource of a bridge that is gone stays, with a capacity of 0.
    there = {key for key, value in (dig(node, "status", "capacity") or {}).items() if str(value) != "0"}
    return tuple(sorted(key.removeprefix(_BRIDGE) for key in there if key.startswith(_BRIDGE)))


def _arch(node: Object) -> str:
    return str(meta(node, "labels", {}).get(_ARCH, ""))


def _suffixes(node: Object, prefix: str) -> list[str]:
    labels = meta(node, "labels", {})
    return sorted(key.removeprefix(prefix) for key, value in labels.items() if key.startswith(prefix) and value)
