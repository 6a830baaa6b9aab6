# SPDX-License-Identifier: Apache-2.0
"""What may differ when the network of a running VM is changed, as data.

``seen`` names a recorded flow of the real control plane in which the field differs, as version and name. A test fails
on an entry that no recording needs.
"""

from __future__ import annotations

from collections.abc import Iterator

from livenad.api.kinds import MIGRATION, POD, VM, VMI
from livenad.invariants.may_differ import ExpectedWarning, MayDiffer
from livenad.invariants.transitions import EVACUATION

VM_KIND, VMI_KIND, MIGRATION_KIND, POD_KIND = VM.name, VMI.name, MIGRATION.name, POD.name


def _may(
    kind: str,
    transition: str,
    reason: str,
    *paths: str,
    seen: str = "main/ab_basic",
    for_good: bool = True,
    values: tuple[object, ...] = (),
) -> Iterator[MayDiffer]:
    for path in paths:
        yield MayDiffer(kind, path, transition, reason, seen, for_good, values)


_OWN_COUNT = "The API server counts every write."
_ASKED = "MigrationRequired is set while the edit is not in effect, and removed by the migration."
_NOT_READY = "The readiness gate of the target pod is reported shortly after the VMI has moved."
_EVICTED = "An eviction was requested meanwhile, which the feature has no part in."
_EVICTION = "main/m2_evacuation_during_swap"
_EVACUATION = "1.9.0/m3b_swap_early_in_evacuation"
_EDITED_BACK = "It follows once the VM is as it was started, after an edit back."
_STATE = "VMI.status.migrationState tells how the live migration went."
_COPY = "The migration object ends with a copy of the VMI's migrationState."

_VM_FIELDS = (
    *_may(VM_KIND, "grows", _OWN_COUNT, "metadata.generation", "metadata.resourceVersion"),
    *_may(
        VM_KIND,
        "next network",
        "It is the edit.",
        "spec.template.spec.networks[{moved NIC}].multus.networkName",
    ),
    *_may(VM_KIND, "grows", "The VM controller has seen the edit.", "status.desiredGeneration"),
    *_may(
        VM_KIND,
        "grows",
        _EDITED_BACK,
        "status.observedGeneration",
        seen="main/b_again",
    ),
    *_may(
        VM_KIND,
        "one of",
        "The VM is shown as migrating.",
        "status.printableStatus",
        values=("Migrating",),
        for_good=False,
    ),
    *_may(VM_KIND, "goes", _NOT_READY, "status.ready", for_good=False),
)
_BOTH = tuple(
    entry
    for kind in (VM_KIND, VMI_KIND)
    for entry in (
        *_may(kind, "true", _ASKED, "status.conditions[MigrationRequired].status", for_good=False),
        *_may(
            kind,
            "one of",
            _ASKED,
            "status.conditions[MigrationRequired].type",
            values=("MigrationRequired",),
            for_good=False,
        ),
        *_may(
            kind,
            "one of",
            _ASKED,
            "status.conditions[MigrationRequired].reason",
            values=("AutoMigrationDueToLiveUpdate",),
            for_good=False,
        ),
        *_may(kind, "later", _ASKED, "status.conditions[MigrationRequired].lastTransitionTime", for_good=False),
        *_may(
            kind,
            "set once",
            _EVICTED,
            *(
                f"status.conditions[EvictionRequested].{name}"
                for name in ("type", "status", "reason", "message", "lastProbeTime", "lastTransitionTime")
            ),
            seen=_EVICTION,
            for_good=False,
        ),
        *_may(kind, "one of", _NOT_READY, "status.conditions[Ready].status", values=("False",), for_good=False),
        *_may(kind, "another", _NOT_READY, "status.conditions[Ready].reason", for_good=False),
        *_may(kind, "another", _NOT_READY, "status.conditions[Ready].message", for_good=False),
        *_may(kind, "later", _NOT_READY, "status.conditions[Ready].lastTransitionTime"),
    )
)
_VMI_FIELDS = (
    *_may(VMI_KIND, "set once", _EVICTED, "status.evacuationNodeName", seen=_EVICTION, for_good=False),
    *_may(VMI_KIND, "grows", _OWN_COUNT, "metadata.generation", "metadata.resourceVersion"),
    *_may(
        VMI_KIND,
        "next network",
        "The VM controller passes the edit on.",
        "spec.networks[{moved NIC}].multus.networkName",
    ),
    *_may(VMI_KIND, "true", "Set by the first migration.", "metadata.annotations[kubevirt.io/nonroot]"),
    *_may(
        VMI_KIND,
        "grows",
        _EDITED_BACK,
        "metadata.annotations[kubevirt.io/vm-generation]",
        seen="main/b_again",
    ),
    *_may(VMI_KIND, "moved", "The live migration moves the VMI.", "status.nodeName"),
    *_may(VMI_KIND, "own node", "It follows status.nodeName.", "metadata.labels[kubevirt.io/nodeName]"),
    *_may(
        VMI_KIND,
        "target node",
        "Set from the handover until the target is cleaned up.",
        "metadata.labels[kubevirt.io/migrationTargetNodeName]",
        for_good=False,
    ),
    *_may(VMI_KIND, "node of the pod", "The target pod is one of the VMI's.", "status.activePods.{pod}"),
    *_may(
        VMI_KIND,
        "pod address",
        "The target pod has an address of its own.",
        "status.interfaces[{pod NIC}].ipAddress",
        "status.interfaces[{pod NIC}].ipAddresses",
    ),
    *_may(
        VMI_KIND,
        "goes",
        "It is read again from the target pod.",
        "status.launcherContainerImageVersion",
        for_good=False,
    ),
    *_may(VMI_KIND, "migration", _STATE, "status.migrationState.migrationUid"),
    *_may(VMI_KIND, "source node", _STATE, "status.migrationState.sourceNode"),
    *_may(VMI_KIND, "source pod", _STATE, "status.migrationState.sourcePod"),
    *_may(VMI_KIND, "target node", _STATE, "status.migrationState.targetNode"),
    *_may(VMI_KIND, "target pod", _STATE, "status.migrationState.targetPod"),
    *_may(
        VMI_KIND,
        "true",
        _STATE,
        "status.migrationState.completed",
        "status.migrationState.targetNodeDomainDetected",
    ),
    *_may(VMI_KIND, "one of", _STATE, "status.migrationState.mode", values=("PreCopy", "PostCopy")),
    *_may(
        VMI_KIND,
        "set once",
        _STATE,
        *(
            f"status.migrationState.{name}"
            for name in (
                "startTimestamp",
                "endTimestamp",
                "targetNodeDomainReadyTimestamp",
                "targetNodeAddress",
                "targetMemoryOverhead",
                "targetDirectMigrationNodePorts.{number}",
                "migrationConfiguration.allowAutoConverge",
                "migrationConfiguration.allowPostCopy",
                "migrationConfiguration.allowWorkloadDisruption",
                "migrationConfiguration.bandwidthPerMigration",
                "migrationConfiguration.completionTimeoutPerGiB",
                "migrationConfiguration.maxDowntimeMs",
                "migrationConfiguration.nodeDrainTaintKey",
                "migrationConfiguration.parallelMigrationsPerCluster",
                "migrationConfiguration.parallelOutboundMigrationsPerNode",
                "migrationConfiguration.progressTimeout",
                "migrationConfiguration.unsafeMigrationOverride",
                "migrationConfiguration.utilityVolumesTimeout",
            )
        ),
    ),
)
_NEW = "The cluster makes a migration object for the edit."
_MIGRATION_FIELDS = (
    *_may(MIGRATION_KIND, "grows", _OWN_COUNT, "metadata.generation", "metadata.resourceVersion"),
    *_may(
        MIGRATION_KIND,
        "set once",
        _NEW,
        "metadata.name",
        "metadata.generateName",
        "metadata.namespace",
        "metadata.uid",
        "metadata.creationTimestamp",
    ),
    *_may(MIGRATION_KIND, "own VM", _NEW, "metadata.labels[kubevirt.io/vmi-name]", "spec.vmiName"),
    *_may(
        MIGRATION_KIND,
        "set once",
        _NEW,
        "metadata.annotations[kubevirt.io/workloadUpdateMigration]",
        "metadata.annotations[kubevirt.io/latest-observed-api-version]",
        "metadata.annotations[kubevirt.io/storage-observed-api-version]",
    ),
    *_may(MIGRATION_KIND, "priority", _NEW, "spec.priority", seen=_EVACUATION),
    *_may(MIGRATION_KIND, "node of a pod", _EVICTED, EVACUATION, seen=_EVACUATION),
    *_may(
        MIGRATION_KIND,
        "one of",
        "The object stays until its migration is cleaned up.",
        "metadata.finalizers",
        values=('["kubevirt.io/migrationJobFinalize"]',),
        for_good=False,
    ),
    *_may(MIGRATION_KIND, "phase", _NEW, "status.phase"),
    *_may(
        MIGRATION_KIND,
        "as the VMI",
        _COPY,
        *(entry.path for entry in _VMI_FIELDS if entry.path.startswith("status.migrationState.")),
    ),
    *_may(
        MIGRATION_KIND,
        "set once",
        "Each phase is stamped once.",
        *(
            f"status.phaseTransitionTimestamps[{phase}].{name}"
            for phase in (
                "Pending",
                "Scheduling",
                "Scheduled",
                "PreparingTarget",
                "TargetReady",
                "Running",
                "Succeeded",
            )
            for name in ("phase", "phaseTransitionTimestamp")
        ),
    ),
)
_OTHER_POD = "The target pod is another pod."
_DRAWN = "KubeVirt draws a time limit for each launcher."
_OWN_TIME = "The target pod started later."
_POD_FIELDS = (
    *_may(POD_KIND, "another", _OTHER_POD, "metadata.name", "metadata.uid", "metadata.resourceVersion"),
    *_may(
        POD_KIND,
        "later",
        _OWN_TIME,
        "metadata.creationTimestamp",
        "status.startTime",
        *(
            f"status.conditions[{type_}].lastTransitionTime"
            for type_ in (
                "Initialized",
                "PodReadyToStartContainers",
                "ContainersReady",
                "Ready",
                "PodScheduled",
                "kubevirt.io/virtual-machine-unpaused",
            )
        ),
        "status.conditions[kubevirt.io/virtual-machine-unpaused].lastProbeTime",
        "status.containerStatuses[compute].state.running.startedAt",
    ),
    *_may(
        POD_KIND,
        "of its migration",
        "It was made for the migration.",
        "metadata.annotations[kubevirt.io/migrationJobName]",
        "metadata.labels[kubevirt.io/migrationJobUID]",
    ),
    *_may(
        POD_KIND,
        "later",
        "Stamped by virt-handler as the target is ready, once for each migration.",
        "metadata.annotations[kubevirt.io/migration-target-ready-timestamp]",
    ),
    *_may(POD_KIND, "true", "Set by the first migration.", "metadata.annotations[kubevirt.io/nonroot]"),
    *_may(
        POD_KIND,
        "new network",
        "It is what the edit is for.",
        "metadata.annotations[k8s.v1.cni.cncf.io/networks][{moved interface}].name",
    ),
    *_may(
        POD_KIND,
        "new namespace",
        "The new NAD may lie in another namespace.",
        "metadata.annotations[k8s.v1.cni.cncf.io/networks][{moved interface}].namespace",
        seen="main/j2_other_ns",
    ),
    *_may(
        POD_KIND,
        "new NAD",
        "It is what the edit is for.",
        "metadata.annotations[k8s.v1.cni.cncf.io/network-status][{moved interface}].name",
    ),
    *_may(
        POD_KIND,
        "own address",
        _OTHER_POD,
        "metadata.annotations[k8s.v1.cni.cncf.io/network-status][{pod interface}].ips",
        "status.podIP",
        "status.podIPs[{number}].ip",
    ),
    *_may(
        POD_KIND,
        "asked MAC",
        _OTHER_POD,
        "metadata.annotations[k8s.v1.cni.cncf.io/network-status][{any interface}].mac",
    ),
    *_may(
        POD_KIND,
        "node of a pod",
        "The live migration moves the VMI.",
        "metadata.labels[kubevirt.io/nodeName]",
        "spec.nodeName",
    ),
    *_may(
        POD_KIND,
        "set once",
        "The target pod must be on another node than the source pod.",
        "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchLabels[kubevirt.io/created-by]",
        "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey",
    ),
    *_may(
        POD_KIND,
        "another",
        "The live migration moves the VMI to a node with another address.",
        "status.hostIP",
        "status.hostIPs[{number}].ip",
        seen="main/m2_evacuation_during_swap",
    ),
    *_may(
        POD_KIND,
        "grows",
        _EDITED_BACK,
        "metadata.annotations[kubevirt.io/vm-generation]",
        seen="main/b_again",
    ),
    *_may(POD_KIND, "another", _OTHER_POD, "status.containerStatuses[compute].containerID"),
    *_may(POD_KIND, "but for seconds", _DRAWN, "spec.containers[compute].args"),
    *_may(POD_KIND, "but for seconds", _DRAWN, "spec.containers[compute].command", seen="1.9.0/b_basic"),
)

MAY_DIFFER: tuple[MayDiffer, ...] = (*_VM_FIELDS, *_BOTH, *_VMI_FIELDS, *_MIGRATION_FIELDS, *_POD_FIELDS)

EXPECTED_WARNINGS = (
    ExpectedWarning(
        MIGRATION_KIND,
        "migrationTargetPodUnschedulable",
        "No node could take the target pod for a while, which is the lab's matter; the migration goes on by itself.",
        "main/v_unschedulable",
    ),
)


def expected_warning(kind: str, reason: str) -> ExpectedWarning | None:
    """What allows a warning of an event."""
    return next((one for one in EXPECTED_WARNINGS if (one.kind, one.reason) == (kind, reason)), None)
