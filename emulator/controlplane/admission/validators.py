# SPDX-License-Identifier: Apache-2.0
"""The validating webhooks for VMs, VMIs, migration objects and the KubeVirt CR."""

from __future__ import annotations

from emulator.apiserver.admission import AdmissionRequest
from emulator.controlplane import names
from emulator.controlplane.accessors import is_final, is_migratable, labels_of
from emulator.controlplane.admission.defaults import is_kubevirt
from emulator.controlplane.admission.denials import (
    FORBIDDEN,
    INVALID,
    REQUIRED,
    UNSUPPORTED,
    VMI_UPDATE,
    Obj,
    cause,
    denied,
    refuse,
)
from emulator.controlplane.admission.networks import check_discontinued, is_reported_twice
from emulator.controlplane.admission.spec import check_spec
from emulator.controlplane.context import Shared
from emulator.kube import conditions
from emulator.kube.errors import ApiError

VM = "virtualmachine-validator.kubevirt.io"
VMI_CREATE = "virtualmachineinstances-create-validator.kubevirt.io"
MIGRATION_CREATE = "migration-create-validator.kubevirt.io"
MIGRATION_UPDATE = "migration-update-validator.kubevirt.io"
KUBEVIRT_UPDATE = "kubevirt-update-validator.kubevirt.io"

STRATEGIES = ("Halted", "Always", "Manual", "RerunOnFailure", "Once", "WaitAsReceiver")
RESERVED = (
    names.CREATED_BY,
    names.MIGRATION_JOB_UID,
    names.NODE_NAME,
    names.TARGET_NODE_NAME,
    names.SCHEDULABLE,
    "kubevirt.io/install-strategy",
)


class Validators:
    """Hooks that need the cluster's configuration and caches."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        # virt-api asks the API, not a cache: otherwise a second migration could be created behind the first.
        self.client = shared.client_for(shared.platform.service_account(names.API_USER))

    def _is_kubevirt(self, request: AdmissionRequest) -> bool:
        return is_kubevirt(self.shared.platform, request)

    async def vm(self, request: AdmissionRequest) -> None:
        vm = request.new
        if vm is None or "deletionTimestamp" in vm["metadata"]:
            return
        if request.old is not None and request.old.get("spec") == vm.get("spec"):
            return
        spec = vm["spec"]
        refuse(VM, check_discontinued(spec["template"]["spec"]))
        causes = check_spec("spec.template.spec", spec["template"]["spec"], self.shared.settings)
        refuse(VM, causes + _run_strategy(spec) + _templates(spec))
        if spec.get("running") is not None:
            request.warn("spec.running is deprecated, please use spec.runStrategy instead.")

    async def vmi_create(self, request: AdmissionRequest) -> None:
        vmi = request.new
        if vmi is None:
            return
        causes = check_spec("spec", vmi["spec"], self.shared.settings)
        causes = [*check_discontinued(vmi["spec"]), *causes, *filter(is_reported_twice, causes)]
        if not self._is_kubevirt(request) and any(key in labels_of(vmi) for key in RESERVED):
            text = "creation of the following reserved kubevirt.io/ labels on a VMI object is prohibited"
            causes.append(cause(UNSUPPORTED, text, "metadata.labels"))
        refuse(VMI_CREATE, causes)

    async def vmi_update(self, request: AdmissionRequest) -> None:
        new, old = request.new, request.old
        if new is None or old is None or self._is_kubevirt(request):
            return
        if new.get("spec") != old.get("spec"):
            refuse(VMI_UPDATE, [cause(UNSUPPORTED, "update of VMI object is restricted")])
        if any(labels_of(new).get(key) != labels_of(old).get(key) for key in RESERVED):
            text = "modification of the following reserved kubevirt.io/ labels on a VMI object is prohibited"
            refuse(VMI_UPDATE, [cause(UNSUPPORTED, text)])

    async def migration_create(self, request: AdmissionRequest) -> None:
        migration = request.new
        if migration is None:
            return
        spec = migration.get("spec") or {}
        name = spec.get("vmiName")
        if not name:
            refuse(MIGRATION_CREATE, [cause(REQUIRED, "vmiName is missing", "spec.vmiName")])
        self._check_gated(request, spec)
        vmi = await self._vmi(request.namespace, str(name))
        if vmi is None:
            raise denied(MIGRATION_CREATE, f'the VMI "{request.namespace}/{name}" does not exist')
        if is_final(vmi):
            raise denied(MIGRATION_CREATE, "Cannot migrate VMI in finalized state.")
        found = conditions.find(vmi, "LiveMigratable")
        if found is not None and not is_migratable(vmi):
            text = f"Cannot migrate VMI, Reason: {found.get('reason', '')}, Message: {found.get('message', '')}"
            raise denied(MIGRATION_CREATE, text)
        others, _ = await self.client.list(names.MIGRATION, request.namespace)
        for other in others:
            if other["spec"].get("vmiName") == name and not is_final(other):
                uid = other["metadata"]["uid"]
                text = f"in-flight migration detected. Active migration job ({uid}) is currently already in progress"
                raise denied(MIGRATION_CREATE, f"{text} for VMI {name}.")

    async def _vmi(self, namespace: str, name: str) -> Obj | None:
        try:
            return await self.client.get(names.VMI, name, namespace)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def _check_gated(self, request: AdmissionRequest, spec: Obj) -> None:
        settings = self.shared.settings
        if spec.get("priority") and not self._is_kubevirt(request):
            if settings.sets_priority:
                text = "Migration priority queue, only virt-controller is allowed to set priority field"
            else:
                text = "MigrationPriorityQueue feature gate is not enabled in kubevirt resource"
            refuse(MIGRATION_CREATE, [cause(FORBIDDEN, text, "spec.migrationPriority")])
        decentralized = spec.get("sendTo") or spec.get("receive")
        if decentralized and settings.profile.gated_send_to and not settings.gate("DecentralizedLiveMigration"):
            text = "DecentralizedLiveMigration feature gate is not enabled in kubevirt resource"
            refuse(MIGRATION_CREATE, [cause(UNSUPPORTED, text)])

    async def migration_update(self, request: AdmissionRequest) -> None:
        new, old = request.new, request.old
        if new is None or old is None:
            return
        if new.get("spec") != old.get("spec"):
            refuse(MIGRATION_UPDATE, [cause(UNSUPPORTED, "update of Migration object's spec is restricted")])
        key = names.MIGRATION_SELECTOR
        if not is_final(old) and labels_of(new).get(key) != labels_of(old).get(key):
            text = "selector label can't be modified on an in-flight migration"
            refuse(MIGRATION_UPDATE, [cause(UNSUPPORTED, text)])

    async def kubevirt(self, request: AdmissionRequest) -> None:
        new = request.new
        if new is None:
            return
        configuration = (new.get("spec") or {}).get("configuration") or {}
        rollout = configuration.get("vmRolloutStrategy")
        if rollout not in (None, "", "Stage", "LiveUpdate"):
            field = "spec.configuration.vmRolloutStrategy"
            text = f'Unsupported value: "{rollout}": supported values: "Stage", "LiveUpdate"'
            message = f'KubeVirt.kubevirt.io "{request.name}" is invalid: {field}: {text}'
            details = {"name": request.name, "group": "kubevirt.io", "kind": "KubeVirt"}
            raise ApiError(422, "Invalid", message, {**details, "causes": [cause(UNSUPPORTED, text, field)]})
        developer = configuration.get("developerConfiguration") or {}
        on, off = developer.get("featureGates") or [], developer.get("disabledFeatureGates") or []
        for gate in on:
            if gate in off:
                text = f'feature gate "{gate}" exists on both "FeatureGates" and "DisabledFeatureGates"'
                refuse(KUBEVIRT_UPDATE, [cause(INVALID, text)])
            if gate in self.shared.profile.ga_gates:
                request.warn(
                    f'feature gate {gate} is deprecated (feature state is "General Availability"), therefore it can '
                    "be safely removed and is redundant. For more info, please look at: "
                    "https://github.com/kubevirt/kubevirt/blob/main/docs/deprecation.md"
                )


def _templates(spec: Obj) -> list[Obj]:
    """Each template of a DataVolume must be for a volume of the VM."""
    used = [v["dataVolume"].get("name") for v in spec["template"]["spec"].get("volumes") or [] if "dataVolume" in v]
    found = []
    for index, template in enumerate(spec.get("dataVolumeTemplates") or []):
        where = f"spec.dataVolumeTemplate[{index}]"
        if not template.get("metadata", {}).get("name"):
            found.append(
                cause(REQUIRED, f"'name' field must not be empty for DataVolumeTemplate entry {where}.", where)
            )
        elif template["metadata"]["name"] not in used:
            text = f"DataVolumeTemplate entry {where} must be referenced in the VMI template's 'volumes' list"
            found.append(cause(INVALID, text, where))
    return found


def _run_strategy(spec: Obj) -> list[Obj]:
    running, strategy = spec.get("running"), spec.get("runStrategy")
    if running is not None and strategy is not None:
        text = (
            "Running and RunStrategy are mutually exclusive. Note that Running is deprecated, please use RunStrategy "
            "instead"
        )
        return [cause(INVALID, text, "spec.running")]
    if running is None and strategy is None:
        return [cause(INVALID, "RunStrategy must be specified", "spec.running")]
    if strategy is not None and strategy not in STRATEGIES:
        return [cause(INVALID, f"Invalid RunStrategy ({strategy})", "spec.runStrategy")]
    return []
