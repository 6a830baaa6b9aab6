# SPDX-License-Identifier: Apache-2.0
"""The fields of KubeVirt's and Multus' custom resources, as far as this API server prunes and checks them.

Written as nested dicts: a key is a field, ``[...]`` a list of such objects, ``ANY`` a value that is kept as it is, a
plain schema (``TEXT``, ``NUMBER``, ``choice``) one that is checked.
"""

from __future__ import annotations

from typing import Any

Shape = dict[str, Any]
ANY: Shape = {"schema": {"x-kubernetes-preserve-unknown-fields": True}}
TEXT: Shape = {"schema": {"type": "string"}}
NUMBER: Shape = {"schema": {"type": "integer"}}


def choice(*values: str) -> Shape:
    """A text that must be one of these."""
    return {"schema": {"type": "string", "enum": list(values)}}


def any_of(names: str) -> Shape:
    """Fields that are known by name only."""
    return dict.fromkeys(names.split(), ANY)


def compiled(shape: Any) -> dict[str, Any]:
    """An OpenAPI v3 schema of a shape."""
    if isinstance(shape, list):
        return {"type": "array", "items": compiled(shape[0])}
    if set(shape) == {"schema"}:
        found: dict[str, Any] = shape["schema"]
        return found
    return {"type": "object", "properties": {name: compiled(inner) for name, inner in shape.items()}}


_INTERFACE = any_of(
    "name model bridge slirp masquerade sriov macvtap passt passtBinding binding ports macAddress bootOrder pciAddress "
    "dhcpOptions tag acpiIndex state"
)
_NETWORK = {**any_of("name pod resourceClaim"), "multus": any_of("networkName default")}
_DEVICES = {
    **any_of(
        "useVirtioTransitional disableHotplug disks watchdog inputs autoattachPodInterface autoattachGraphicsDevice "
        "autoattachSerialConsole logSerialConsole autoattachMemBalloon autoattachInputDevice autoattachVSOCK rng "
        "blockMultiQueue networkInterfaceMultiqueue gpus downwardMetrics panicDevices filesystems hostDevices "
        "clientPassthrough sound tpm video"
    ),
    "interfaces": [_INTERFACE],
}
_DOMAIN = {
    **any_of("resources cpu memory machine firmware clock features ioThreadsPolicy ioThreads chassis launchSecurity"),
    "rebootPolicy": ANY,
    "devices": _DEVICES,
}
_VMI_SPEC = {
    **any_of(
        "priorityClassName nodeSelector affinity schedulerName tolerations topologySpreadConstraints evictionStrategy "
        "startStrategy terminationGracePeriodSeconds volumes utilityVolumes livenessProbe readinessProbe hostname "
        "subdomain dnsPolicy dnsConfig accessCredentials architecture resourceClaims"
    ),
    "domain": _DOMAIN,
    "networks": [_NETWORK],
}
_VM_SPEC = {
    **any_of("running runStrategy instancetype preference dataVolumeTemplates updateVolumesStrategy"),
    "template": {"metadata": ANY, "spec": _VMI_SPEC},
}
_MIGRATIONS = {
    **any_of(
        "nodeDrainTaintKey allowAutoConverge bandwidthPerMigration unsafeMigrationOverride allowPostCopy "
        "allowWorkloadDisruption disableTLS network matchSELinuxLevelOnMigration utilityVolumesTimeout"
    ),
    "parallelMigrationsPerCluster": NUMBER,
    "parallelOutboundMigrationsPerNode": NUMBER,
    "completionTimeoutPerGiB": NUMBER,
    "progressTimeout": NUMBER,
}
_CONFIGURATION = {
    **any_of(
        "cpuModel cpuRequest developerConfiguration emulatedMachines evictionStrategy machineType network "
        "ovmfPath selinuxLauncherType defaultRuntimeClass smbios architectureConfiguration supportedGuestAgentVersions "
        "memBalloonStatsPeriod permittedHostDevices mediatedDevicesConfiguration minCPUModel obsoleteCPUModels "
        "virtualMachineInstancesPerNode apiConfiguration webhookConfiguration controllerConfiguration "
        "handlerConfiguration tlsConfiguration seccompConfiguration vmStateStorageClass "
        "virtualMachineOptions ksmConfiguration autoCPULimitNamespaceLabelSelector liveUpdateConfiguration "
        "commonInstancetypesDeployment instancetype hypervisors changedBlockTrackingLabelSelectors "
        "roleAggregationStrategy imagePullPolicy additionalGuestMemoryOverheadRatio supportContainerResources"
    ),
    "migrations": _MIGRATIONS,
    "vmRolloutStrategy": choice("Stage", "LiveUpdate"),
}
_KUBEVIRT_SPEC = {
    **any_of(
        "imageTag imageRegistry imagePullPolicy imagePullSecrets monitorNamespace serviceMonitorNamespace "
        "monitorAccount workloadUpdateStrategy uninstallStrategy productVersion productName productComponent "
        "certificateRotateStrategy synchronizationPort infra workloads customizeComponents"
    ),
    "configuration": _CONFIGURATION,
}
_MIGRATION_SPEC = {**any_of("addedNodeSelector priority sendTo receive"), "vmiName": TEXT}

_EXPORT = compiled(
    {"spec": {**any_of("ttlDuration tokenSecretRef"), "source": any_of("apiGroup kind name")}, "status": ANY}
)
EXPORT = {**_EXPORT, "required": ["spec"]}
EXPORT["properties"]["spec"]["required"] = ["source"]
VIRTUAL_MACHINE = compiled({"spec": _VM_SPEC, "status": ANY})
VIRTUAL_MACHINE_INSTANCE = compiled({"spec": _VMI_SPEC, "status": ANY})
MIGRATION = compiled({"spec": _MIGRATION_SPEC, "status": ANY})
KUBEVIRT = compiled({"spec": _KUBEVIRT_SPEC, "status": ANY})
