# SPDX-License-Identifier: Apache-2.0
"""The KubeVirt CR that HyperConverged creates, changed by its jsonpatch annotation."""

from __future__ import annotations

import json
from typing import Any

from emulator.apiserver.bodies import go_json_error
from emulator.apiserver.objects import clone
from emulator.apiserver.patches import json_patch
from emulator.controlplane import names
from emulator.controlplane.profile import LIVE_UPDATE_NAD, Profile
from emulator.kube.client import Obj
from emulator.kube.errors import ApiError
from emulator.openshift.objects import made
from emulator.platforms.platform import Platform

JSONPATCH = "kubevirt.kubevirt.io/jsonpatch"
ALWAYS_ON = ("CPUManager", "Snapshot", "ExpandDisks", "HostDevices", "VMExport", "KubevirtSeccompProfile")
SWITCHED_OFF = ("ExternalNetResourceInjection", "MigrationPriorityQueue")
MIGRATION_FIELDS = (
    "allowAutoConverge",
    "allowPostCopy",
    "bandwidthPerMigration",
    "completionTimeoutPerGiB",
    "network",
    "parallelMigrationsPerCluster",
    "parallelOutboundMigrationsPerNode",
    "progressTimeout",
)


class PatchRefused(Exception):
    """A jsonpatch annotation that cannot be applied; the message is HyperConverged's."""


def feature_gates(profile: Profile) -> list[str]:
    """The gates that this release always switches on: the NAD's, in releases that have it."""
    return [*ALWAYS_ON, *([LIVE_UPDATE_NAD] if profile.live_update == "gate" else [])]


def gate_off_patch(profile: Profile) -> str:
    """The annotation that switches the NAD's gate off in a release that switches it on."""
    gates = [gate for gate in feature_gates(profile) if gate != LIVE_UPDATE_NAD]
    path = "/spec/configuration/developerConfiguration/featureGates"
    return json.dumps([{"op": "replace", "path": path, "value": gates}])


def wanted_kubevirt(hco: Obj, profile: Profile, platform: Platform) -> Obj:
    """The KubeVirt CR of a HyperConverged. PatchRefused if its annotation cannot be applied."""
    meta = hco["metadata"]
    labels = {"app": "kubevirt-hyperconverged", "app.kubernetes.io/managed-by": "hco-operator"}
    name, namespace = platform.kubevirt_name, platform.kubevirt_namespace
    wanted = made(names.API_VERSION, "KubeVirt", name, namespace=namespace, labels=labels)
    wanted["spec"] = _spec(hco["spec"], profile)
    text = (meta.get("annotations") or {}).get(JSONPATCH)
    return wanted if text is None else _patched(wanted, text)


def _spec(spec: Obj, profile: Profile) -> Obj:
    limits = spec.get("liveMigrationConfig") or {}
    developer: Obj = {"diskVerification": {"memoryLimit": "2G"}, "featureGates": feature_gates(profile)}
    if profile.beta_gates_on:
        # Gates in beta are on unless they are listed here, and nothing injects network resources.
        developer["disabledFeatureGates"] = list(SWITCHED_OFF)
    return {
        "certificateRotateStrategy": {},
        "configuration": {
            "developerConfiguration": developer,
            "evictionStrategy": spec.get("evictionStrategy", "LiveMigrate"),
            "migrations": {key: limits[key] for key in MIGRATION_FIELDS if key in limits},
            "network": {"defaultNetworkInterface": "masquerade"},
            "vmRolloutStrategy": "LiveUpdate",
        },
        "customizeComponents": {},
        "uninstallStrategy": spec.get("uninstallStrategy", "BlockUninstallIfWorkloadsExist"),
        "workloadUpdateStrategy": clone(spec["workloadUpdateStrategy"]),
    }


def _patched(wanted: Obj, text: str) -> Obj:
    try:
        return _apply(wanted, _operations(text))
    except PatchRefused as error:
        raise PatchRefused(f"invalid jsonPatch in the {JSONPATCH} annotation: {error}") from None


def _operations(text: str) -> list[Obj]:
    try:
        found = json.loads(text)
    except ValueError:
        raise PatchRefused(go_json_error(text.encode())) from None
    if not isinstance(found, list) or not all(isinstance(operation, dict) for operation in found):
        kind = "object" if isinstance(found, dict) else "value"
        raise PatchRefused(f"json: cannot unmarshal {kind} into Go value of type jsonpatch.Patch")
    for operation in found:
        if not str(operation.get("path", "")).startswith("/spec/"):
            raise PatchRefused("can only modify spec fields")
    return found


def _apply(document: Obj, operations: list[Obj]) -> Obj:
    for operation in operations:
        kind, path = operation.get("op"), operation["path"]
        # The API server's own patches may replace an absent key; these may not.
        if kind in ("replace", "remove") and not _exists(document, path):
            raise PatchRefused(f"{kind} operation does not apply: doc is missing key: {path}: missing value")
        try:
            document = json_patch(document, [operation])
        except ApiError:
            if kind == "test":
                raise PatchRefused(f"testing value {path} failed: test failed") from None
            raise PatchRefused(f"{kind} operation does not apply: doc is missing path: {path}: missing value") from None
    return document


def _exists(document: Any, path: str) -> bool:
    for part in path[1:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return False
    return True
