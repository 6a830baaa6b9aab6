# SPDX-License-Identifier: Apache-2.0
"""Nodes: which can run VMs, and between which VMs can be live-migrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import NODE, Object, dig, meta
from livenad.api.status import is_true

_ARCH = "kubernetes.io/arch"
_VENDOR = "cpu-vendor.node.kubevirt.io/"
_HOST_MODEL = "host-model-cpu.node.kubevirt.io/"
_TAKES_MODEL = "cpu-model-migration.node.kubevirt.io/"
_MODEL = "cpu-model.node.kubevirt.io/"
_BRIDGE = "bridge.network.kubevirt.io/"
_HOSTNAME = "kubernetes.io/hostname"
OVN_MARK = "k8s.ovn.org/node-chassis-id"
_REPELLING = ("NoSchedule", "NoExecute")
_OF_THE_HOST = ("", "host-model", "host-passthrough")
_STARTS = 8
"""Kinds of nodes from which the largest group is looked for: the most frequent ones."""

_SHOWN = 3


@dataclass(frozen=True)
class NodeKind:
    """What decides on live migration: ``models`` are the CPU models of VMs on such a node, ``taken`` those it takes."""

    arch: str
    vendors: tuple[str, ...]
    models: tuple[str, ...]
    taken: frozenset[str]
    label: str = _TAKES_MODEL

    def refuses(self, source: NodeKind) -> str:
        """Why nodes of this kind take over no VM of ``source``, with the label; "" when they do."""
        for what, label, there, here in (
            ("architecture", _ARCH, source.arch, self.arch),
            ("CPU vendor", f"{_VENDOR}*", ", ".join(source.vendors), ", ".join(self.vendors)),
        ):
            if here and there and here != there:
                return f"they differ in their {what} ({there}, {here}; label {label})"
        foreign = [model for model in source.models if self.taken and model not in self.taken]
        return f"it does not take CPU model {foreign[0]} (no label {self.label}{foreign[0]})" if foreign else ""


@dataclass(frozen=True)
class NodeFacts:
    """All nodes, those that can run VMs, why the others cannot, and those between which VMs can be live-migrated.

    ``fit``: the largest group of usable nodes that take over each other's VMs, empty for fewer than two. ``misfit``
    says why two usable nodes are no such group, "" where there is one. ``hostnames``: by node, the label that selects
    it. ``bridges``: by node, the Linux bridges that bridge-marker reports of it; empty everywhere where none runs.
    ``ipv6_only``: no node has an IPv4 address, so pods have none either. ``of_ovn``: those that OVN-Kubernetes marks.
    """

    names: tuple[str, ...]
    usable: tuple[str, ...]
    troubles: dict[str, str] = field(default_factory=dict)
    fit: tuple[str, ...] = ()
    misfit: str = ""
    kinds: dict[str, NodeKind] = field(default_factory=dict)
    hostnames: dict[str, str] = field(default_factory=dict)
    bridges: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ipv6_only: bool = False
    of_ovn: tuple[str, ...] = ()

    @property
    def unfit(self) -> tuple[str, ...]:
        """Usable nodes off which VMs are kept, as they cannot move between them and those that fit."""
        fit = set(self.fit)
        return tuple(name for name in self.usable if name not in fit) if fit else ()

    def required_affinity(self) -> Object | None:
        """The node affinity that keeps VMs on the nodes that fit; None where all usable nodes do."""
        if not self.unfit:
            return None
        operator, names = ("In", self.fit) if len(self.fit) <= len(self.unfit) else ("NotIn", self.unfit)
        rule = {"key": _HOSTNAME, "operator": operator, "values": [self.hostnames[name] or name for name in names]}
        return {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}

    def stranded(self, node: str) -> str:
        """Why no other usable node takes over the VMs of ``node``, "" when one does or the node is not known."""
        source = self.kinds.get(node)
        others = [name for name in self.usable if name != node]
        if source is None or not others:
            return ""
        whys = {name: self.kinds[name].refuses(source) for name in others}
        return "" if "" in whys.values() else "; ".join(f"{name}: {why}" for name, why in list(whys.items())[:_SHOWN])


def read_nodes(cluster: Cluster) -> list[Object] | None:
    """The nodes of a cluster, None when the user has no right to list them."""
    try:
        return cluster.list(NODE).items
    except ApiError as error:
        if error.status == 403:
            return None
        raise


def judge_nodes(nodes: list[Object], cpu_model: str = "") -> NodeFacts:
    """The facts from specs, labels and conditions of the nodes. ``cpu_model`` is that of all VMs, by KubeVirt."""
    troubles = {str(meta(node, "name")): _trouble(node) for node in nodes}
    usable = tuple(name for name, trouble in troubles.items() if not trouble)
    kinds = {str(meta(node, "name")): _kind(node, cpu_model) for node in nodes}
    fit = _largest_group(usable, kinds)
    return NodeFacts(
        names=tuple(troubles),
        usable=usable,
        troubles={name: trouble for name, trouble in troubles.items() if trouble},
        fit=fit,
        misfit="" if fit or len(usable) < 2 else _misfit(kinds, usable[0], usable[1]),
        kinds=kinds,
        hostnames={str(meta(node, "name")): str(meta(node, "labels", {}).get(_HOSTNAME, "")) for node in nodes},
        bridges={str(meta(node, "name")): _bridges(node) for node in nodes},
        ipv6_only=_is_ipv6_only(nodes),
        of_ovn=tuple(str(meta(node, "name")) for node in nodes if OVN_MARK in meta(node, "annotations", {})),
    )


def _largest_group(usable: Sequence[str], kinds: dict[str, NodeKind]) -> tuple[str, ...]:
    """The nodes of the largest group, in their order: found by kinds, as pairs of nodes are too many."""
    members: dict[NodeKind, list[str]] = {}
    for name in usable:
        members.setdefault(kinds[name], []).append(name)
    by_number = sorted((kind for kind in members if not kind.refuses(kind)), key=lambda kind: -len(members[kind]))
    best: set[str] = set()
    for start in by_number[:_STARTS]:
        group = [start]
        for kind in by_number:
            if kind is not start and not any(kind.refuses(one) or one.refuses(kind) for one in group):
                group.append(kind)
        names = {name for kind in group for name in members[kind]}
        best = names if len(names) > len(best) else best
    return tuple(name for name in usable if name in best) if len(best) > 1 else ()


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


def _misfit(kinds: dict[str, NodeKind], first: str, second: str) -> str:
    """Why VMs cannot move between two nodes in both directions, "" when they can."""
    for source, target in ((first, second), (second, first)):
        if why := kinds[target].refuses(kinds[source]):
            return f"{target} takes over no VM of {source}: {why}"
    return ""


def _kind(node: Object, cpu_model: str) -> NodeKind:
    arch, vendors = str(meta(node, "labels", {}).get(_ARCH, "")), _suffixes(node, _VENDOR)
    if cpu_model not in _OF_THE_HOST:
        return NodeKind(arch, vendors, (cpu_model,), frozenset(_suffixes(node, _MODEL)), _MODEL)
    models = _suffixes(node, _HOST_MODEL)
    return NodeKind(arch, vendors, models, frozenset(_suffixes(node, _TAKES_MODEL) + models))


def _is_ipv6_only(nodes: list[Object]) -> bool:
    entries = [entry for node in nodes for entry in dig(node, "status", "addresses") or []]
    addresses = [str(entry.get("address")) for entry in entries if entry.get("type") == "InternalIP"]
    return bool(addresses) and all(":" in address for address in addresses)


def _bridges(node: Object) -> tuple[str, ...]:
    # The resource of a bridge that is gone stays, with a capacity of 0.
    there = {key for key, value in (dig(node, "status", "capacity") or {}).items() if str(value) != "0"}
    return tuple(sorted(key.removeprefix(_BRIDGE) for key in there if key.startswith(_BRIDGE)))


def _suffixes(node: Object, prefix: str) -> tuple[str, ...]:
    labels = meta(node, "labels", {})
    return tuple(sorted(key.removeprefix(prefix) for key, value in labels.items() if key.startswith(prefix) and value))
