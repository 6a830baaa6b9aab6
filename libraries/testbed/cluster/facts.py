"""What the cluster is: versions, capabilities, nodes, and what we may do on it. Read once, looked up by everyone."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from testbed.cluster.api_errors import ApiError
from testbed.cluster.client import Cluster
from testbed.objects.kinds import ACCESS_REVIEW, KUBEVIRT, NODE, SELF_REVIEW, Object, dig, meta
from testbed.recording.views import is_true

GATE = "LiveUpdateNADRef"
GATE_SINCE = (1, 8)
GATE_ALWAYS_ON_SINCE = (1, 9)


@dataclass(frozen=True)
class KubeVirtFacts:
    """A KubeVirt installation, from its custom resource. ``version`` is (major, minor), None where it is no number."""

    name: str
    namespace: str
    version_text: str
    version: tuple[int, int] | None
    phase: str
    feature_gates: frozenset[str]
    workload_update_methods: tuple[str, ...]
    rollout_strategy: str

    @property
    def swap_gate(self) -> tuple[bool, str]:
        """Whether networks can be swapped live here, and why so."""
        listed = GATE in self.feature_gates
        if self.version is None:
            return True, f"version {self.version_text} is not a released one; taken as newer than 1.9"
        if self.version >= GATE_ALWAYS_ON_SINCE:
            return True, f"KubeVirt {self.version_text}: {GATE} is always on since 1.9"
        if self.version >= GATE_SINCE:
            return listed, f"KubeVirt {self.version_text}: {GATE} is {'on' if listed else 'not in featureGates'}"
        return False, f"KubeVirt {self.version_text}: {GATE} exists since 1.8"

    @property
    def migrates_by_itself(self) -> bool:
        """Whether the workload updater live-migrates VMs whose change needs it."""
        return "LiveMigrate" in self.workload_update_methods


@dataclass(frozen=True)
class Right:
    """A verb on a resource (``resource`` or ``resource/subresource``) in all namespaces, and what it is for."""

    verb: str
    group: str
    resource: str
    purpose: str

    def __str__(self) -> str:
        where = f"{self.resource}.{self.group}" if self.group else self.resource
        return f'"{self.verb}" on {where} ({self.purpose})'


@dataclass(frozen=True)
class ClusterFacts:
    """What `read_facts` found. Lists that may not be read are None."""

    server: str
    server_version: str
    user: str
    kubevirt: KubeVirtFacts | None
    nodes: tuple[str, ...] | None
    usable_nodes: tuple[str, ...] | None
    node_troubles: dict[str, str] = field(default_factory=dict)
    has_nads: bool = True

    @property
    def embedded(self) -> bool:
        """Whether this is the embedded cluster; it says so in its version."""
        return "embedded" in self.server_version


def read_version(cluster: Cluster) -> str:
    """``gitVersion`` of the API server. Raises LabError when it cannot be reached."""
    return str(cluster.request("GET", "/version").get("gitVersion") or "unknown")


def read_facts(cluster: Cluster, server_version: str) -> ClusterFacts:
    """Look at the cluster; creates nothing."""
    nodes = _list_or_none(cluster)
    troubles = {str(meta(node, "name")): _node_trouble(node) for node in nodes or []}
    usable = tuple(name for name, trouble in troubles.items() if not trouble)
    return ClusterFacts(
        server=cluster.connection.server,
        server_version=server_version,
        user=_who_am_i(cluster),
        kubevirt=_kubevirt(cluster),
        nodes=None if nodes is None else tuple(troubles),
        usable_nodes=None if nodes is None else usable,
        node_troubles={name: trouble for name, trouble in troubles.items() if trouble},
        has_nads=_serves(cluster, "/apis/k8s.cni.cncf.io/v1"),
    )


def missing_rights(cluster: Cluster, rights: list[Right]) -> list[Right]:
    """Those of ``rights`` that we do not have, by SelfSubjectAccessReview."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        allowed = list(pool.map(lambda right: _allowed(cluster, right), rights))
    return [right for right, ok in zip(rights, allowed, strict=True) if not ok]


def parse_version(text: str) -> tuple[int, int] | None:
    """(major, minor) of ``v1.9.0-12-gabc``; None where there is none, as in a build from an untagged commit."""
    found = re.match(r"v?(\d+)\.(\d+)", text)
    if not found or (int(found[1]), int(found[2])) == (0, 0):
        return None
    return int(found[1]), int(found[2])


def _allowed(cluster: Cluster, right: Right) -> bool:
    resource, _, subresource = right.resource.partition("/")
    attributes = {"verb": right.verb, "group": right.group, "resource": resource, "subresource": subresource}
    review = {
        "apiVersion": ACCESS_REVIEW.api_version,
        "kind": ACCESS_REVIEW.name,
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    return bool(dig(cluster.post_review(ACCESS_REVIEW, review), "status", "allowed"))


def _who_am_i(cluster: Cluster) -> str:
    try:
        answer = cluster.post_review(SELF_REVIEW, {"apiVersion": SELF_REVIEW.api_version, "kind": SELF_REVIEW.name})
    except ApiError as error:
        if error.status in (403, 404):
            return "unknown (the API server does not tell)"
        raise
    return str(dig(answer, "status", "userInfo", "username") or "unknown")


def _serves(cluster: Cluster, path: str) -> bool:
    try:
        cluster.request("GET", path)
    except ApiError as error:
        if error.status == 404:
            return False
        raise
    return True


def _kubevirt(cluster: Cluster) -> KubeVirtFacts | None:
    try:
        found = cluster.list(KUBEVIRT).items
    except ApiError as error:
        if error.status == 404:
            return None
        raise
    if not found:
        return None
    item = found[0]
    version = str(
        dig(item, "status", "observedKubeVirtVersion") or dig(item, "status", "targetKubeVirtVersion") or "unknown"
    )
    configuration = dig(item, "spec", "configuration", default={}) or {}
    return KubeVirtFacts(
        name=meta(item, "name"),
        namespace=meta(item, "namespace"),
        version_text=version,
        version=parse_version(version),
        phase=str(dig(item, "status", "phase") or "unknown"),
        feature_gates=frozenset(dig(configuration, "developerConfiguration", "featureGates") or []),
        workload_update_methods=tuple(dig(item, "spec", "workloadUpdateStrategy", "workloadUpdateMethods") or []),
        rollout_strategy=str(configuration.get("vmRolloutStrategy") or "LiveUpdate"),
    )


def _list_or_none(cluster: Cluster) -> list[Object] | None:
    try:
        return cluster.list(NODE).items
    except ApiError as error:
        if error.status == 403:
            return None
        raise


def _node_trouble(node: Object) -> str:
    """Why no VM can be migrated to a node, "" when one can."""
    if dig(node, "spec", "unschedulable"):
        return "cordoned"
    if not is_true(node, "Ready"):
        return "not Ready"
    if meta(node, "labels", {}).get("kubevirt.io/schedulable") != "true":
        return "without label kubevirt.io/schedulable=true (virt-handler does not run there)"
    return ""
