# SPDX-License-Identifier: Apache-2.0
"""What the cluster is: versions, settings, nodes, and what its API serves. Read once, looked up by everyone."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from livenad.api.api_errors import ApiError, no_api_server
from livenad.api.client import Cluster
from livenad.api.kinds import KUBEVIRT, SELF_REVIEW, Object, dig, meta
from livenad.api.status import is_true
from livenad.cluster.nodes import NodeFacts, judge_nodes, read_nodes
from livenad.errors import LAB_ERROR_PREFIX

GATE = "LiveUpdateNADRef"
GATE_SINCE = (1, 8)
GATE_ALWAYS_ON_SINCE = (1, 9)
LIVE_MIGRATE = "LiveMigrate"

_VERSION_PATH = "/apis/subresources.kubevirt.io/v1/version"
_DOWN = (500, 503)
"""How an API server answers for an aggregated API whose server is down."""

_NEWEST_MAJOR = 1
"""A product that contains KubeVirt may report its own version, such as v4.18.3."""

HYPERCONVERGED_NAME = "kubevirt-hyperconverged"
HYPERCONVERGED_GROUP = "hco.kubevirt.io"


@dataclass(frozen=True)
class KubeVirtFacts:
    """A KubeVirt installation, from its custom resource; ``source`` is that resource.

    ``version`` is (major, minor), None where it cannot be told. Of a resource that may not be read only the version is
    known: ``name`` is then empty, and gates and methods are None. ``hco_versions``: the API versions in which the
    HyperConverged is served that manages this installation; empty where none does, or they may not be read.
    """

    name: str
    namespace: str
    version_text: str
    version: tuple[int, int] | None
    phase: str
    feature_gates: frozenset[str] | None
    workload_update_methods: tuple[str, ...] | None
    rollout_strategy: str
    hco_versions: tuple[str, ...] = ()
    source: Object = field(default_factory=dict, repr=False, compare=False)

    @property
    def title(self) -> str:
        return f"KubeVirt {self.namespace}/{self.name}" if self.name else "KubeVirt"

    @property
    def owned_by_hco(self) -> bool:
        """Whether a HyperConverged manages the resource, and reverts changes by others."""
        owners = meta(self.source, "ownerReferences", [])
        return self.name == f"kubevirt-{HYPERCONVERGED_NAME}" or any(
            owner.get("kind") == "HyperConverged" for owner in owners
        )

    @property
    def methods_text(self) -> str:
        """The workload update methods as messages name them."""
        methods = self.workload_update_methods
        return "unknown" if methods is None else ", ".join(methods) or "none"

    @property
    def live_update_gate(self) -> tuple[bool | None, str]:
        """Whether networks can be swapped live here, None where it cannot be told; and why so."""
        if self.version is None:
            return (
                None,
                f"version {self.version_text} does not tell which KubeVirt it is; set variable KUBEVIRT_VERSION",
            )
        if self.version >= GATE_ALWAYS_ON_SINCE:
            return True, f"KubeVirt {self.version_text}: {GATE} is always on since 1.9"
        if self.version < GATE_SINCE:
            return False, f"KubeVirt {self.version_text}: {GATE} exists since 1.8"
        if self.feature_gates is None:
            return None, f"KubeVirt {self.version_text}: its featureGates may not be read"
        listed = GATE in self.feature_gates
        return listed, f"KubeVirt {self.version_text}: {GATE} is {'on' if listed else 'not in featureGates'}"

    @property
    def gate_can_change(self) -> bool:
        """Whether this version has a gate to be switched: older ones have none, newer ones ignore it."""
        return self.version is not None and GATE_SINCE <= self.version < GATE_ALWAYS_ON_SINCE


@dataclass(frozen=True)
class ClusterFacts:
    """What `read_facts` found. What may not be read is None."""

    server: str
    server_version: str
    user: str
    kubevirt: KubeVirtFacts | None
    nodes: NodeFacts | None
    groups: frozenset[str] | None = None

    @property
    def embedded(self) -> bool:
        """Whether this is the embedded cluster; it says so in its version."""
        return "embedded" in self.server_version

    def serves(self, group: str) -> bool | None:
        """Whether the API has a group such as ``nmstate.io``, None where that may not be asked."""
        return None if self.groups is None else group in self.groups

    @property
    def openshift(self) -> bool:
        return bool(self.serves("config.openshift.io"))


def read_version(cluster: Cluster) -> str:
    """``gitVersion`` of the API server. Raises LabError when it cannot be reached, or no API server answers there."""
    try:
        answer = cluster.request("GET", "/version")
    except ApiError as error:
        if error.status != 404:
            raise
        raise no_api_server(str(error).removeprefix(LAB_ERROR_PREFIX), cluster.connection, 404) from None
    if "gitVersion" not in answer:
        said = f"GET /version on {cluster.connection.server}: the answer has no gitVersion: {json.dumps(answer)[:150]}"
        raise no_api_server(said, cluster.connection, 200)
    return str(answer["gitVersion"] or "unknown")


def read_facts(cluster: Cluster, server_version: str, kubevirt_version: str = "") -> ClusterFacts:
    """Look at the cluster; creates nothing. ``kubevirt_version`` overrides the version that KubeVirt reports."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        user, kubevirt = pool.submit(_who_am_i, cluster), pool.submit(read_kubevirt, cluster)
        nodes, groups = pool.submit(read_nodes, cluster), pool.submit(_groups, cluster)
        installed, there = kubevirt.result(), nodes.result()
        if installed and kubevirt_version:
            text = f"{kubevirt_version} (variable KUBEVIRT_VERSION; reported: {installed.version_text})"
            installed = replace(installed, version_text=text, version=parse_version(kubevirt_version))
        source = installed.source if installed else {}
        cpu_model = str(dig(source, "spec", "configuration", "cpuModel") or "")
        return ClusterFacts(
            server=cluster.connection.server,
            server_version=server_version,
            user=user.result(),
            kubevirt=installed,
            nodes=None if there is None else judge_nodes(there, cpu_model),
            groups=groups.result(),
        )


def parse_version(text: str) -> tuple[int, int] | None:
    """(major, minor) of ``v1.9.0-12-gabc``; None where there is none, or it is not one of KubeVirt's."""
    found = re.match(r"v?(\d+)\.(\d+)", text)
    if not found or (int(found[1]), int(found[2])) == (0, 0) or int(found[1]) > _NEWEST_MAJOR:
        return None
    return int(found[1]), int(found[2])


def read_kubevirt(cluster: Cluster) -> KubeVirtFacts | None:
    """The installation there is, None for none."""
    try:
        found = cluster.list(KUBEVIRT).items
    except ApiError as error:
        if error.status == 404:
            return None
        if error.status == 403:
            return _kubevirt_by_version(cluster)
        raise
    if not found:
        return None
    facts = kubevirt_facts(max(found, key=_life))
    if facts.version is None and (told := _told_version(cluster)):
        text = f"{told} (by virt-api; its resource says {facts.version_text})"
        facts = replace(facts, version_text=text, version=parse_version(told))
    return replace(facts, hco_versions=_hco_versions(cluster)) if facts.owned_by_hco else facts


def _life(item: Object) -> tuple[bool, bool, bool]:
    """How alive a KubeVirt resource is: of several that were made, the operator takes care of one."""
    deployed = dig(item, "status", "phase") == "Deployed"
    return not meta(item, "deletionTimestamp", None), deployed and is_true(item, "Available"), deployed


def kubevirt_facts(item: Object) -> KubeVirtFacts:
    """The facts in a KubeVirt resource."""
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
        source=item,
    )


def with_kubevirt(facts: ClusterFacts, kubevirt: KubeVirtFacts | None) -> ClusterFacts:
    """The same cluster with KubeVirt as it is now."""
    return replace(facts, kubevirt=kubevirt)


def _kubevirt_by_version(cluster: Cluster) -> KubeVirtFacts | None:
    """What any user may know: the version that KubeVirt's own API tells."""
    version = _told_version(cluster)
    if version is None:
        return None
    version = version or "unknown"
    return KubeVirtFacts("", "", version, parse_version(version), "unknown", None, None, "unknown")


def _told_version(cluster: Cluster) -> str | None:
    """The version that virt-api reports, "" where it may not be asked or says none, None where it is not served."""
    try:
        return str(cluster.request("GET", _VERSION_PATH).get("gitVersion") or "")
    except ApiError as error:
        if error.status not in (403, 404, *_DOWN):
            raise
        return None if error.status == 404 else ""


def _hco_versions(cluster: Cluster) -> tuple[str, ...]:
    try:
        answer = cluster.request("GET", f"/apis/{HYPERCONVERGED_GROUP}")
    except ApiError as error:
        if error.status in (403, 404):
            return ()
        raise
    return tuple(str(entry.get("version")) for entry in answer.get("versions") or [])


def _who_am_i(cluster: Cluster) -> str:
    try:
        answer = cluster.post_review(SELF_REVIEW, {"apiVersion": SELF_REVIEW.api_version, "kind": SELF_REVIEW.name})
    except ApiError as error:
        if error.status in (403, 404):
            return "unknown (the API server does not tell)"
        raise
    return str(dig(answer, "status", "userInfo", "username") or "unknown")


def _groups(cluster: Cluster) -> frozenset[str] | None:
    try:
        answer = cluster.request("GET", "/apis")
    except ApiError as error:
        if error.status in (403, 404):
            return None
        raise
    return frozenset(str(group.get("name")) for group in answer.get("groups") or [])
