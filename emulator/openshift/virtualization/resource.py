# SPDX-License-Identifier: Apache-2.0
"""``hco.kubevirt.io``: the resource in its versions, and the defaults of a HyperConverged."""

from __future__ import annotations

from typing import Any

from emulator.apiserver.admission import AdmissionRequest
from emulator.apiserver.builtin import CRD_VERBS
from emulator.apiserver.columns import CRD_AGE, NAME
from emulator.apiserver.objects import clone
from emulator.apiserver.registry import Conversion, Resource
from emulator.controlplane.profile import Profile
from emulator.kube.client import Obj

GROUP = "hco.kubevirt.io"
HCO = f"hyperconvergeds.{GROUP}"
API_VERSION = f"{GROUP}/v1beta1"
HCO_NAME = "kubevirt-hyperconverged"

# The place in v1 of fields that v1beta1 has directly under the spec.
MOVED = {
    "virtualization": ("workloadUpdateStrategy", "liveMigrationConfig", "liveUpdateConfiguration", "evictionStrategy"),
    "networking": ("kubeMacPoolConfiguration",),
}
UPDATE_STRATEGY: Obj = {
    "batchEvictionInterval": "1m0s",
    "batchEvictionSize": 10,
    "workloadUpdateMethods": ["LiveMigrate"],
}


def resource(profile: Profile) -> Resource:
    """v1beta1 in every release; also v1, with another shape, since the release with KubeVirt 1.8."""
    both = profile.name != "1.7"
    return Resource(
        "hyperconvergeds",
        "HyperConverged",
        GROUP,
        versions=("v1beta1", "v1") if both else ("v1beta1",),
        short_names=("hco", "hcos"),
        verbs=CRD_VERBS,
        custom=True,
        status=True,
        generation=True,
        columns=(NAME, CRD_AGE),
        conversions={"v1": Conversion(from_v1, to_v1)} if both else {},
    )


def to_v1(obj: Obj) -> Obj:
    """A stored HyperConverged as v1."""
    shown: Obj = clone(obj) | {"apiVersion": f"{GROUP}/v1"}
    spec = shown.get("spec") or {}
    for room, keys in MOVED.items():
        if found := {key: spec.pop(key) for key in keys if key in spec}:
            spec[room] = {**(spec.get(room) or {}), **found}
    gates = spec.get("featureGates")
    if isinstance(gates, dict):
        spec["featureGates"] = [
            {"name": name, "state": "Enabled" if on else "Disabled"} for name, on in sorted(gates.items())
        ]
    return shown


def from_v1(obj: Obj) -> Obj:
    """A v1 HyperConverged in the stored shape."""
    stored: Obj = clone(obj) | {"apiVersion": API_VERSION}
    spec: Any = stored.get("spec") or {}
    for room, keys in MOVED.items():
        inner = spec.pop(room, None) or {}
        spec.update({key: value for key, value in inner.items() if key in keys})
        if rest := {key: value for key, value in inner.items() if key not in keys}:
            spec[room] = rest
    gates = spec.get("featureGates")
    if isinstance(gates, list):
        spec["featureGates"] = {gate["name"]: gate.get("state", "Enabled") == "Enabled" for gate in gates}
    return stored


def migration_defaults(profile: Profile) -> Obj:
    """The default limits of live migrations in a HyperConverged of this release."""
    newer = profile.max_downtime
    return {
        "allowAutoConverge": False,
        "allowPostCopy": False,
        "completionTimeoutPerGiB": 20 if newer else 150,
        "parallelMigrationsPerCluster": 5,
        "parallelOutboundMigrationsPerNode": 1 if newer else 2,
        "progressTimeout": 150,
    }


async def default_spec(profile: Profile, request: AdmissionRequest) -> None:
    """Applies the defaults of the CRD and of the mutating webhook."""
    if request.new is None:
        return
    spec = request.new.setdefault("spec", {})
    sections = {
        "featureGates": {},
        "infra": {},
        "liveMigrationConfig": migration_defaults(profile),
        "workloadUpdateStrategy": UPDATE_STRATEGY,
        "workloads": {},
    }
    for name, defaults in sections.items():
        given = spec.get(name)
        spec[name] = {**clone(defaults), **(given if isinstance(given, dict) else {})}
    spec.setdefault("uninstallStrategy", "BlockUninstallIfWorkloadsExist")
    spec.setdefault("evictionStrategy", "LiveMigrate")
