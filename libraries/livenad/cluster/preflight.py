# SPDX-License-Identifier: Apache-2.0
"""Preflight checks: whether the cluster can run these tests. Each problem that is found names its remedy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from livenad.api.api_errors import ApiError
from livenad.api.kinds import NAMESPACE, meta
from livenad.cluster.chosen_networks import chosen_networks
from livenad.cluster.environment import Lab
from livenad.cluster.facts import ClusterFacts
from livenad.cluster.nodes import NodeFacts
from livenad.errors import CapabilityMissing, LabError
from livenad.permissions.rights import FURTHER_RIGHTS, Right, UserAction, missing_rights, needed_rights, within

CheckName = Literal["kubevirt", "multus", "nodes", "networks", "rights"]

_SHOWN = 8
"""Nodes that a message lists."""


@dataclass(frozen=True)
class Finding:
    """The result of a check: the value found, and ``lacks``, its problems, each with a remedy.

    ``known`` is False when the user has no right to read it.
    """

    name: str
    value: str
    lacks: tuple[str, ...] = ()
    known: bool = True


def refuse(facts: ClusterFacts, lacks: Sequence[str]) -> None:
    """Raise LabError with all ``lacks``; do nothing when there are none."""
    if lacks:
        raise LabError(f"cluster {facts.server} cannot run these tests: {listed(lacks)}")


def listed(lacks: Sequence[str]) -> str:
    """The first one, with the number of the others, and those as items below it: console and sign-off show them all."""
    more = f" (and {len(lacks) - 1} more)" if len(lacks) > 1 else ""
    return lacks[0] + more + "".join(f"\n  - {lack}" for lack in lacks[1:])


def find_kubevirt(lab: Lab) -> Finding:
    """Version, phase and settings."""
    kubevirt = lab.facts.kubevirt
    if kubevirt is None:
        lack = "KubeVirt is not installed; install it, or choose another cluster by variables KUBECONFIG and CONTEXT"
        return Finding("KubeVirt", "not installed", (lack,))
    if not kubevirt.name:
        return Finding("KubeVirt", f"{kubevirt.version_text}; no right to read its settings")
    value = (
        f"{kubevirt.version_text}, {kubevirt.phase}; {kubevirt.live_update_gate[1]}; "
        f"workloadUpdateMethods {kubevirt.methods_text}; "
        f"vmRolloutStrategy {kubevirt.rollout_strategy}"
    )
    if kubevirt.phase != "Deployed":
        return Finding(
            "KubeVirt", value, (f"{kubevirt.title} is in phase {kubevirt.phase}, not Deployed; wait until it is",)
        )
    return Finding("KubeVirt", value)


def find_multus(lab: Lab) -> Finding:
    """Whether NetworkAttachmentDefinitions are served."""
    served = lab.facts.serves("k8s.cni.cncf.io")
    if served is None:
        return Finding("Multus", "no right to list API groups", known=False)
    if not served:
        lack = "NetworkAttachmentDefinitions are not served (k8s.cni.cncf.io/v1); install Multus"
        return Finding("Multus", "not installed", (lack,))
    return Finding("Multus", "the API server has NetworkAttachmentDefinitions")


def find_nodes(lab: Lab) -> Finding:
    """Two nodes between which VMs can be live-migrated."""
    return judge_node_pair(lab.facts.nodes)


def judge_node_pair(nodes: NodeFacts | None) -> Finding:
    """Whether two nodes can be source and target of a live migration."""
    if nodes is None:
        return Finding("Nodes", "no right to list them", known=False)
    value = f"VMs can run on {len(nodes.usable)} of {len(nodes.names)} nodes: {_few(nodes.usable)}"
    if nodes.fit:
        off = f"; VMs of this run are kept off {_few(nodes.unfit)}, between which and these they cannot move"
        return Finding(
            "Nodes", f"{value}; they can move between {_few(nodes.fit, ' and ')}{off if nodes.unfit else ''}"
        )
    if nodes.misfit:
        lack = (
            f"no two nodes can take over each other's VMs: {nodes.misfit}; a swap live-migrates the VM: add a node "
            "like one of them, or give all VMs a common CPU model in KubeVirt's spec.configuration.cpuModel"
        )
        return Finding("Nodes", value, (lack,))
    others = "".join(f"; {name} is {trouble}" for name, trouble in list(nodes.troubles.items())[:_SHOWN])
    kind = "one node only" if len(nodes.names) == 1 else f"{len(nodes.usable)} of {len(nodes.names)} nodes usable"
    lack = (
        f"{kind}: VMs can run on {_few(nodes.usable)}{others}; a swap live-migrates the VM, so "
        "two schedulable nodes or more are needed; add or uncordon nodes (embedded cluster: python -m emulator up "
        "--nodes 2)"
    )
    return Finding("Nodes", value, (lack,))


def _few(names: Sequence[str], separator: str = ", ") -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (separator.join(names[:_SHOWN]) + more) or "none"


def find_networks(lab: Lab) -> Finding:
    """The networks of the nodes that the chosen profile names, as far as the API tells of them."""
    value, lacks = chosen_networks(lab)
    return Finding("Networks", value, tuple(lacks))


def find_rights(lab: Lab) -> Finding:
    """Every right that all suites need; and whether the namespace of variable NAMESPACE exists."""
    settings, user = lab.settings, lab.facts.user
    needed = needed_rights(settings.namespace, settings.lease_namespace)
    missing = missing_rights(lab.cluster, needed)
    where = f" in namespace {settings.namespace}" if settings.namespace else ""
    value = f"{user} has {len(needed) - len(missing)} of {len(needed)} rights that every suite needs{where}"
    return Finding("Rights", value, (*_namespace_lacks(lab), *without_rights(lab.facts, missing)))


def _namespace_lacks(lab: Lab) -> list[str]:
    """Problems of the namespace of variable NAMESPACE; none when the user has no right to read it."""
    name = lab.settings.namespace
    if not name:
        return []
    try:
        found = lab.cluster.find(NAMESPACE, name)
    except ApiError as error:
        if error.status == 403:
            return []
        raise
    if found is None:
        return [f'variable NAMESPACE is "{name}"; expected an existing namespace, which an administrator creates']
    if meta(found, "deletionTimestamp", None):
        return [f'variable NAMESPACE is "{name}", which is being deleted; choose another one']
    return []


def without_rights(facts: ClusterFacts, missing: Sequence[Right]) -> list[str]:
    return [f"{facts.user} has no right to {right}; {right.remedy}" for right in missing]


CHECKS: dict[CheckName, Callable[[Lab], Finding]] = {
    "kubevirt": find_kubevirt,
    "multus": find_multus,
    "nodes": find_nodes,
    "networks": find_networks,
    "rights": find_rights,
}
"""Checks that every suite needs."""


class Preflight:
    """Preflight checks of one cluster; each is made once in a run."""

    def __init__(self, lab: Callable[[], Lab]) -> None:
        self._lab = lab
        self._findings: dict[CheckName, Finding] = {}

    def find(self, name: CheckName) -> Finding:
        """The result of a check."""
        if name not in self._findings:
            self._findings[name] = CHECKS[name](self._lab())
        return self._findings[name]

    def require_fit(self, names: Sequence[CheckName] = ()) -> list[Finding]:
        """The results of these checks, or of all. Raises LabError with every problem that they found.

        Raises CapabilityMissing for a check that was named and cannot be made: what is unknown is not fit.
        """
        findings = [self.find(name) for name in names or CHECKS]
        refuse(self._lab().facts, [lack for finding in findings for lack in finding.lacks])
        for finding in findings if names else ():
            if not finding.known:
                raise CapabilityMissing(f"{finding.name} cannot be checked: {finding.value}")
        return findings

    def require_rights(self, actions: Sequence[UserAction]) -> list[Right]:
        """The rights behind these actions. Raises LabError with those that the user does not have."""
        lab = self._lab()
        rights = within([right for name in actions for right in FURTHER_RIGHTS[name]], lab.settings.namespace)
        refuse(lab.facts, without_rights(lab.facts, missing_rights(lab.cluster, rights)))
        return rights
