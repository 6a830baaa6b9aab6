"""Is the cluster fit for a network swap? Found out before anything is created; each lack names its remedy."""

from __future__ import annotations

from testbed.cluster.client import Cluster
from testbed.cluster.facts import GATE, ClusterFacts, Right, missing_rights
from testbed.errors import CapabilityMissing, LabError

_KUBEVIRT = "kubevirt.io"
_STREAMS = "subresources.kubevirt.io"
_NADS = "k8s.cni.cncf.io"

NEEDED_RIGHTS = [
    Right("create", "", "namespaces", "each suite has its own"),
    Right("delete", "", "namespaces", "and removes it"),
    Right("create", "", "secrets", "cloud-init data of the guests"),
    Right("list", "", "pods", "where the launcher pods are and on which networks"),
    Right("watch", "", "pods", "the same, as it changes"),
    Right("create", _NADS, "network-attachment-definitions", "the networks of the test"),
    Right("list", _NADS, "network-attachment-definitions", "and their states"),
    Right("watch", _NADS, "network-attachment-definitions", "the same, as they change"),
    Right("delete", _NADS, "network-attachment-definitions", "and their removal"),
    Right("create", _KUBEVIRT, "virtualmachines", "the VMs of the test"),
    Right("get", _KUBEVIRT, "virtualmachines", "their states"),
    Right("list", _KUBEVIRT, "virtualmachines", "their states"),
    Right("watch", _KUBEVIRT, "virtualmachines", "the same, as they change"),
    Right("patch", _KUBEVIRT, "virtualmachines", "the edit that is tested"),
    Right("delete", _KUBEVIRT, "virtualmachines", "and their removal"),
    Right("list", _KUBEVIRT, "virtualmachineinstances", "running VMs"),
    Right("watch", _KUBEVIRT, "virtualmachineinstances", "the same, as they change"),
    Right("list", _KUBEVIRT, "virtualmachineinstancemigrations", "what the cluster does for the edit"),
    Right("watch", _KUBEVIRT, "virtualmachineinstancemigrations", "the same, as it changes"),
    Right("get", _STREAMS, "virtualmachineinstances/console", "commands in guests without a pod network"),
    Right("get", _STREAMS, "virtualmachineinstances/portforward", "commands in guests by SSH"),
    Right("create", "coordination.k8s.io", "leases", "by which a run is known to be alive"),
    Right("patch", "coordination.k8s.io", "leases", "and its renewal"),
]


def require_fit_cluster(cluster: Cluster, facts: ClusterFacts) -> None:
    """Raise LabError with every lack of the lab, or CapabilityMissing when the cluster simply cannot swap networks."""
    lacks = _lacks(cluster, facts)
    if lacks:
        where = f"cluster {facts.server} is not fit for these tests: "
        raise LabError(where + (lacks[0] if len(lacks) == 1 else "".join(f"\n  - {lack}" for lack in lacks)))
    if facts.kubevirt is not None:
        able, why = facts.kubevirt.swap_gate
        if not able:
            raise CapabilityMissing(f"capability {GATE} (live update of a VM's network) is not there: {why}")


def _lacks(cluster: Cluster, facts: ClusterFacts) -> list[str]:
    lacks = []
    kubevirt = facts.kubevirt
    if kubevirt is None:
        lacks.append(
            "KubeVirt is not installed; install it, or choose another cluster by variables KUBECONFIG and CONTEXT"
        )
    elif kubevirt.phase != "Deployed":
        lacks.append(
            f"KubeVirt {kubevirt.namespace}/{kubevirt.name} is in phase {kubevirt.phase}, not Deployed; wait for it"
        )
    if not facts.has_nads:
        lacks.append("NetworkAttachmentDefinitions are not served (k8s.cni.cncf.io/v1); install Multus")
    if facts.usable_nodes is not None and len(facts.usable_nodes) < 2:
        lacks.append(_too_few_nodes(facts))
    if kubevirt is not None and kubevirt.swap_gate[0] and not kubevirt.migrates_by_itself:
        methods = list(kubevirt.workload_update_methods)
        lacks.append(
            f"KubeVirt {kubevirt.namespace}/{kubevirt.name} has workloadUpdateMethods {methods}, expected LiveMigrate "
            "among them, or no swap is ever started; an administrator sets "
            'spec.workloadUpdateStrategy.workloadUpdateMethods: ["LiveMigrate"] (on OpenShift in the HyperConverged CR)'
        )
    lacks += [f"{facts.user} has no right to {right}; an administrator grants it" for right in _denied(cluster)]
    return lacks


def _denied(cluster: Cluster) -> list[Right]:
    return missing_rights(cluster, NEEDED_RIGHTS)


def _too_few_nodes(facts: ClusterFacts) -> str:
    usable = facts.usable_nodes or ()
    names = ", ".join(usable) or "none"
    others = "".join(f"; {name} is {trouble}" for name, trouble in facts.node_troubles.items())
    kind = "one node only" if len(facts.nodes or ()) == 1 else f"{len(usable)} of {len(facts.nodes or ())} nodes usable"
    return (
        f"{kind}: VMs can run on {names}{others}; a swap live-migrates the VM, so two schedulable nodes or more are "
        "needed; add or uncordon nodes (embedded cluster: python -m emulator up --nodes 2)"
    )
