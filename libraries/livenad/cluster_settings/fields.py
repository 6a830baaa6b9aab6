# SPDX-License-Identifier: Apache-2.0
"""Three settings of KubeVirt: the path of each, the patch that changes it, and the patch that undoes the change.

This module sends nothing. A change is a merge patch of the resource that owns the setting (KubeVirt, or the
HyperConverged that manages it) with a backup to undo it. The HyperConverged has a field for only one of the three. The
others use its annotation with a JSON patch, which may also have patches of an administrator.
"""

from __future__ import annotations

import enum
import json
from dataclasses import replace
from typing import Any

from livenad.api.kinds import Object, dig, meta
from livenad.cluster.facts import GATE, KubeVirtFacts
from livenad.errors import LabError, TestError

JSON_PATCH = "kubevirt.kubevirt.io/jsonpatch"
"""Annotation of a HyperConverged: a JSON patch that is applied to the KubeVirt resource it writes."""


class Setting(enum.Enum):
    """A setting of KubeVirt, given by its name. The long path is its field in the KubeVirt resource."""

    LiveUpdateNADRef = "spec.configuration.developerConfiguration.featureGates"
    workloadUpdateMethods = "spec.workloadUpdateStrategy.workloadUpdateMethods"  # noqa: N815 - KubeVirt's own name
    vmRolloutStrategy = "spec.configuration.vmRolloutStrategy"  # noqa: N815 - KubeVirt's own name

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.value.split("."))

    @property
    def pointer(self) -> str:
        return "/" + "/".join(self.keys)


_ALLOWED = {
    Setting.LiveUpdateNADRef: ("on", "off"),
    Setting.workloadUpdateMethods: ("none", "LiveMigrate", "Evict", "LiveMigrate,Evict"),
    Setting.vmRolloutStrategy: ("LiveUpdate", "Stage"),
}
_FIELDS_OF_HCO = (Setting.workloadUpdateMethods,)
_HCO_V1 = "hco.kubevirt.io/v1"


def _keys(setting: Setting, owner: Object) -> tuple[str, ...]:
    """The path of a setting in its owner: v1 of the HyperConverged has moved it."""
    moved = owner.get("apiVersion") == _HCO_V1 and setting in _FIELDS_OF_HCO
    return ("spec", "virtualization", *setting.keys[1:]) if moved else setting.keys


def check_value(setting: Setting, value: str) -> None:
    """Raise TestError for an invalid value."""
    if value not in _ALLOWED[setting]:
        raise TestError(f'value "{value}" of setting {setting.name}: expected one of {", ".join(_ALLOWED[setting])}')


def value_of(setting: Setting, kubevirt: KubeVirtFacts) -> str:
    """The value on the cluster, in the form that `check_value` accepts."""
    if setting is Setting.LiveUpdateNADRef:
        return "on" if GATE in (kubevirt.feature_gates or ()) else "off"
    if setting is Setting.workloadUpdateMethods:
        return ",".join(sorted(kubevirt.workload_update_methods or (), reverse=True)) or "none"
    return kubevirt.rollout_strategy


def with_value(setting: Setting, value: str, kubevirt: KubeVirtFacts) -> KubeVirtFacts:
    """The facts with another value of a setting."""
    raw = _raw(setting, value, kubevirt)
    if setting is Setting.LiveUpdateNADRef:
        return replace(kubevirt, feature_gates=frozenset(raw))
    if setting is Setting.workloadUpdateMethods:
        return replace(kubevirt, workload_update_methods=tuple(raw))
    return replace(kubevirt, rollout_strategy=str(raw))


def change(setting: Setting, value: str, kubevirt: KubeVirtFacts, hco: Object | None) -> tuple[Object, Object]:
    """The merge patch that sets a value, and the backup that undoes it.

    ``hco`` is the HyperConverged that owns the KubeVirt resource, None when there is none. Raises LabError when its
    annotation is not a JSON patch.
    """
    raw = _raw(setting, value, kubevirt)
    note: Object = {"value": value, "was": value_of(setting, kubevirt)}
    if hco is None or setting in _FIELDS_OF_HCO:
        owner = kubevirt.source if hco is None else hco
        keys = _keys(setting, owner)
        note |= {"set": raw, "former": dig(owner, *keys)}
        return _nested(keys, raw), note
    operation = {"op": "add", "path": setting.pointer, "value": raw}
    former = meta(hco, "annotations", {}).get(JSON_PATCH)
    note |= {"operation": operation, "former": former}
    return _annotated(json.dumps([*_operations(former), operation])), note


def undo(setting: Setting, note: Object, owner: Object) -> tuple[Object, str]:
    """The merge patch that undoes a change, {} for none; and a remark when another client changed the setting."""
    if "operation" in note:
        return _undo_operation(setting, note, owner)
    keys = _keys(setting, owner)
    present = dig(owner, *keys)
    if present == note["set"]:
        return _nested(keys, note["former"]), ""
    if setting is Setting.LiveUpdateNADRef:
        return _undo_gate(note, present or [])
    if present == note["former"]:
        return {}, f"{setting.name} was already restored to {note['was']} by another client"
    return (
        {},
        f"{setting.name} was {note['was']}, this run set it to {note['value']}, and another client to {present}: "
        "it is kept",
    )


def _undo_gate(note: Object, present: list[str]) -> tuple[Object, str]:
    """Only the gate is restored in a list that another client changed as well."""
    keys = Setting.LiveUpdateNADRef.keys
    was_on = note["was"] == "on"
    if (GATE in present) == was_on:
        return {}, f"{GATE} was already restored to {note['was']} by another client"
    restored = [*present, GATE] if was_on else [gate for gate in present if gate != GATE]
    return _nested(keys, restored), f"featureGates were also changed by another client; only {GATE} was restored"


def _undo_operation(setting: Setting, note: Object, owner: Object) -> tuple[Object, str]:
    """Remove our operation from the annotation and keep all others; restore the former text if it is equivalent."""
    present = meta(owner, "annotations", {}).get(JSON_PATCH)
    operations = _operations(present)
    if note["operation"] not in operations:
        return {}, f"annotation {JSON_PATCH} was changed by another client: {setting.name} is not restored"
    left = [operation for operation in operations if operation != note["operation"]]
    if left == _operations(note["former"]):
        return _annotated(note["former"]), ""
    return _annotated(json.dumps(left) if left else None), ""


def _raw(setting: Setting, value: str, kubevirt: KubeVirtFacts) -> Any:
    """The value as KubeVirt's resource holds it."""
    if setting is Setting.LiveUpdateNADRef:
        gates = dig(kubevirt.source, *setting.keys) or []
        others = [gate for gate in gates if gate != GATE]
        return [*others, GATE] if value == "on" else others
    if setting is Setting.workloadUpdateMethods:
        return [] if value == "none" else value.split(",")
    return value


def _operations(text: str | None) -> list[Object]:
    try:
        found = json.loads(text) if text else []
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise LabError(
            f"annotation {JSON_PATCH} of the HyperConverged is not a JSON patch: {text}; correct or remove it"
        )
    return found


def _annotated(text: str | None) -> Object:
    return {"metadata": {"annotations": {JSON_PATCH: text}}}


def _nested(keys: tuple[str, ...], value: Any) -> Object:
    patch: Any = value
    for key in reversed(keys):
        patch = {key: patch}
    return dict(patch)
