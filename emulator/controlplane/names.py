# SPDX-License-Identifier: Apache-2.0
"""Labels, annotations, finalizers and reasons of KubeVirt."""

from __future__ import annotations

VM = "virtualmachines.kubevirt.io"
VMI = "virtualmachineinstances.kubevirt.io"
MIGRATION = "virtualmachineinstancemigrations.kubevirt.io"
KUBEVIRT = "kubevirts.kubevirt.io"
EXPORT = "virtualmachineexports.export.kubevirt.io"
NAD = "network-attachment-definitions.k8s.cni.cncf.io"
REVISION = "controllerrevisions.apps"
PODS = "pods"
NODES = "nodes"
EVENTS = "events"
QUOTAS = "resourcequotas"
NAMESPACES = "namespaces"
CLAIM = "persistentvolumeclaims"
DATA_VOLUME = "datavolumes.cdi.kubevirt.io"

API_VERSION = "kubevirt.io/v1"

VM_FINALIZER = "kubevirt.io/virtualMachineControllerFinalize"
VMI_FINALIZER = "kubevirt.io/foregroundDeleteVirtualMachine"
MIGRATION_FINALIZER = "kubevirt.io/migrationJobFinalize"

CREATED_BY = "kubevirt.io/created-by"
NODE_NAME = "kubevirt.io/nodeName"
TARGET_NODE_NAME = "kubevirt.io/migrationTargetNodeName"
MIGRATION_JOB_UID = "kubevirt.io/migrationJobUID"
MIGRATION_JOB_NAME = "kubevirt.io/migrationJobName"
MIGRATION_SELECTOR = "kubevirt.io/vmi-name"
OUTDATED_IMAGE = "kubevirt.io/outdatedLauncherImage"
SCHEDULABLE = "kubevirt.io/schedulable"

VM_GENERATION = "kubevirt.io/vm-generation"
NON_ROOT = "kubevirt.io/nonroot"
WORKLOAD_UPDATE = "kubevirt.io/workloadUpdateMigration"
EVACUATION = "kubevirt.io/evacuationMigration"
EVICTION_IN_PROGRESS = "descheduler.alpha.kubernetes.io/eviction-in-progress"
EVICTION_SOURCE = "kubevirt.io/eviction-source"
IGNORE_BACKOFF = "kubevirt.io/func-test-ignore-migration-backoff"
ABORTION_TEST_HOOK = "kubevirt.io/testWorkloadUpdateMigrationAbortion"
TARGET_READY = "kubevirt.io/migration-target-ready-timestamp"
UNSCHEDULABLE_TIMEOUT = "kubevirt.io/migrationUnschedulablePodTimeoutSeconds"
PENDING_TIMEOUT = "kubevirt.io/migrationPendingPodTimeoutSeconds"
PCI_TOPOLOGY = "kubevirt.io/pci-topology-version"
POD_BRIDGE_MIGRATION = "kubevirt.io/allow-pod-bridge-network-live-migration"
OBSERVED_VERSIONS = {
    "kubevirt.io/latest-observed-api-version": "v1",
    "kubevirt.io/storage-observed-api-version": "v1",
}

NETWORKS = "k8s.v1.cni.cncf.io/networks"
NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status"
DEFAULT_NETWORK = "v1.multus-cni.io/default-network"

UNPAUSED = "kubevirt.io/virtual-machine-unpaused"
MIGRATION_REQUIRED = "MigrationRequired"
EVICTION_REQUESTED = "EvictionRequested"
RESTART_REQUIRED = "RestartRequired"
AUTO_MIGRATION = "AutoMigrationDueToLiveUpdate"
AUTO_MIGRATION_PENDING = "AutoMigrationPending"

CONTROLLER_USER = "kubevirt-controller"
API_USER = "kubevirt-apiserver"
HANDLER_USER = "kubevirt-handler"
OPERATOR_USER = "kubevirt-operator"
