# SPDX-License-Identifier: Apache-2.0
"""The preflight checks on this cluster as if it lacked something: what they then say is what such a cluster is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, NoReturn

from livenad.cluster.environment import Lab
from livenad.cluster.facts import with_kubevirt
from livenad.cluster.nodes import NodeFacts
from livenad.cluster.preflight import (
    Finding,
    find_kubevirt,
    find_multus,
    judge_node_pair,
    refuse,
    without_rights,
)
from livenad.errors import CapabilityMissing, LabError, TestError
from livenad.permissions.rights import needed_rights

LackName = Literal["nothing", "second-node", "schedulable-nodes", "kubevirt", "multus", "rights"]

_REMEDY = "; "
"""What stands between a lack and its remedy."""


def refusal(lab: Lab, lacks: Sequence[LackName]) -> NoReturn:
    """Raises LabError with what is said of this cluster as if it lacked all of this.

    Raises TestError where it would be accepted, where a message has no remedy, or where one of several lacks is not
    told.
    """
    said: list[str] = []
    for lack in lacks:
        found = [line for finding in PRETENDED[lack](lab) for line in finding.lacks]
        if not found:
            raise TestError(
                f"cluster {lab.facts.server}, as if {lack} was lacking: expected the preflight to refuse it, and it "
                "found nothing missing"
            )
        said += found
    bare = [line for line in said if _REMEDY not in line]
    if bare:
        raise TestError(f"expected each lack with its remedy, there is none in: {bare[0]}")
    try:
        refuse(lab.facts, said)
    except LabError as error:
        untold = [line for line in said if line not in str(error)]
        if untold:
            raise TestError(f"expected the refusal to name all that is missing, it does not say: {untold[0]}") from None
        raise
    raise TestError("expected the preflight to refuse the cluster; name what it is to lack")


def _second_node(lab: Lab) -> list[Finding]:
    nodes = _nodes(lab)
    return [judge_node_pair(_alone(nodes, nodes.names[:1]))]


def _schedulable_nodes(lab: Lab) -> list[Finding]:
    nodes = _nodes(lab)
    first, *others = nodes.usable or nodes.names
    cordoned = {name: nodes.troubles.get(name, "cordoned") for name in nodes.names if name != first}
    return [judge_node_pair(replace(_alone(nodes, (first,)), names=(first, *others, *_more(nodes)), troubles=cordoned))]


def _kubevirt(lab: Lab) -> list[Finding]:
    return [find_kubevirt(replace(lab, facts=with_kubevirt(lab.facts, None)))]


def _multus(lab: Lab) -> list[Finding]:
    groups = frozenset(lab.facts.groups or ()) - {"k8s.cni.cncf.io"}
    return [find_multus(replace(lab, facts=replace(lab.facts, groups=groups)))]


def _rights(lab: Lab) -> list[Finding]:
    needed = needed_rights(lab.settings.namespace, lab.settings.lease_namespace)
    return [Finding("Rights", "none", tuple(without_rights(lab.facts, [right])), known=True) for right in needed]


PRETENDED: dict[LackName, Callable[[Lab], list[Finding]]] = {
    "nothing": lambda _: [],
    "second-node": _second_node,
    "schedulable-nodes": _schedulable_nodes,
    "kubevirt": _kubevirt,
    "multus": _multus,
    "rights": _rights,
}
"""What the checks find on a cluster that lacks this; the cluster itself is only read."""


def _nodes(lab: Lab) -> NodeFacts:
    """Raises CapabilityMissing where the nodes may not be listed: then nothing is known of a refusal either."""
    if lab.facts.nodes is None or not lab.facts.nodes.names:
        raise CapabilityMissing("capability node-list is not there: unknown: no right to list nodes")
    return lab.facts.nodes


def _alone(nodes: NodeFacts, names: tuple[str, ...]) -> NodeFacts:
    return replace(
        nodes, names=names, usable=tuple(n for n in names if n in nodes.usable), fit=(), misfit="", troubles={}
    )


def _more(nodes: NodeFacts) -> list[str]:
    return [name for name in nodes.names if name not in nodes.usable]
