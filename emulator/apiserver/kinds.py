# SPDX-License-Identifier: Apache-2.0
"""Defaults, server-set fields and validation of the built-in kinds."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

from . import status_errors as fail
from .objects import SUFFIX_ALPHABET, Obj
from .registry import Hooks
from .status_errors import Cause

MAX_CONFIG_BYTES = 1024 * 1024
POD_CHANGES = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def _forbidden(field: str, why: str) -> Cause:
    return fail.cause(field, "FieldValueForbidden", f"Forbidden: {why}")


def _namespace_defaults(obj: Obj) -> None:
    labels = obj["metadata"].get("labels") or {}
    name = obj["metadata"].get("name", "")
    if name:
        obj["metadata"]["labels"] = {**labels, "kubernetes.io/metadata.name": name}


def _namespace_create(obj: Obj) -> None:
    obj["spec"] = {"finalizers": ["kubernetes"]}
    obj["status"] = {"phase": "Active"}


def _namespace_update(new: Obj, old: Obj) -> None:
    if "spec" in old:
        new.setdefault("spec", old["spec"])


def _immutable_data(new: Obj, old: Obj | None) -> list[Cause]:
    found = []
    if old is not None and old.get("immutable"):
        why = "field is immutable when `immutable` is set"
        found = [
            _forbidden(field, why) for field in ("immutable", "data", "binaryData") if new.get(field) != old.get(field)
        ]
    size = sum(len(k) + len(str(v)) for k, v in (new.get("data") or {}).items())
    if size > MAX_CONFIG_BYTES:
        found.append(fail.cause("[]", "FieldValueTooLong", f"Too long: may not be more than {MAX_CONFIG_BYTES} bytes"))
    return found


def _secret_defaults(obj: Obj) -> None:
    obj.setdefault("type", "Opaque")
    plain = obj.pop("stringData", None)
    if plain:
        encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
        obj["data"] = {**(obj.get("data") or {}), **encoded}


_EVENT_ORDER = (
    "involvedObject",
    "reason",
    "message",
    "source",
    "firstTimestamp",
    "lastTimestamp",
    "count",
    "type",
    "eventTime",
    "series",
    "action",
    "related",
    "reportingComponent",
    "reportingInstance",
)


def _event_defaults(obj: Obj) -> None:
    obj.setdefault("source", {})
    obj.setdefault("firstTimestamp", None)
    obj.setdefault("lastTimestamp", None)
    obj.setdefault("eventTime", None)
    obj.setdefault("reportingComponent", "")
    obj.setdefault("reportingInstance", "")
    for key in _EVENT_ORDER:
        if key in obj:
            obj[key] = obj.pop(key)


def _event_validate(new: Obj, old: Obj | None) -> list[Cause]:
    wanted = (new.get("involvedObject") or {}).get("namespace", "")
    home = new["metadata"].get("namespace", "")
    if old is None and (wanted or "default") != home:
        return [fail.invalid_value("involvedObject.namespace", f'"{wanted}"', "does not match event.namespace")]
    return []


def _container_defaults(container: Obj) -> None:
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    image = str(container.get("image", ""))
    latest = ":" not in image.rsplit("/", 1)[-1] or image.endswith(":latest")
    container.setdefault("imagePullPolicy", "Always" if latest else "IfNotPresent")
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")


def _pod_defaults(obj: Obj) -> None:
    spec = obj.setdefault("spec", {})
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        _container_defaults(container)
    for key, value in (
        ("restartPolicy", "Always"),
        ("terminationGracePeriodSeconds", 30),
        ("dnsPolicy", "ClusterFirst"),
        ("serviceAccountName", "default"),
        ("securityContext", {}),
        ("schedulerName", "default-scheduler"),
        ("priority", 0),
        ("enableServiceLinks", True),
        ("preemptionPolicy", "PreemptLowerPriority"),
    ):
        spec.setdefault(key, value)
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    tolerated = {toleration.get("key") for toleration in spec.get("tolerations") or []}
    if "" in tolerated or None in tolerated:
        return
    spec["tolerations"] = list(spec.get("tolerations") or [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if key not in tolerated:
            more = {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            spec["tolerations"].append(more)


def _pod_create(obj: Obj) -> None:
    spec = obj["spec"]
    name = "kube-api-access-" + "".join(secrets.choice(SUFFIX_ALPHABET) for _ in range(5))
    if spec.get("automountServiceAccountToken") is not False:
        _mount_token(spec, name)
    obj["status"] = {"phase": "Pending", "qosClass": _qos(spec)}


def _mount_token(spec: Obj, name: str) -> None:
    mounted = False
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        mounts = container.setdefault("volumeMounts", [])
        path = "/var/run/secrets/kubernetes.io/serviceaccount"
        if not any(mount.get("mountPath") == path for mount in mounts):
            mounts.append({"name": name, "readOnly": True, "mountPath": path})
            mounted = True
    if not mounted:
        return
    sources: list[Obj] = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {
            "downwardAPI": {
                "items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]
            }
        },
    ]
    spec.setdefault("volumes", []).append({"name": name, "projected": {"sources": sources, "defaultMode": 420}})


def _qos(spec: Obj) -> str:
    seen: list[Obj] = [container.get("resources") or {} for container in spec.get("containers") or []]
    if not any(r.get("requests") or r.get("limits") for r in seen):
        return "BestEffort"
    for resources in seen:
        limits = resources.get("limits") or {}
        requests = resources.get("requests") or limits
        if not {"cpu", "memory"} <= limits.keys() or any(requests.get(k) != limits[k] for k in ("cpu", "memory")):
            return "Burstable"
    return "Guaranteed"


def _fixed_spec(obj: Obj) -> Any:
    """The pod's spec without what an update may change."""
    spec = {k: v for k, v in (obj.get("spec") or {}).items() if k not in ("activeDeadlineSeconds", "tolerations")}
    spec.pop("terminationGracePeriodSeconds", None)
    # Binding and scheduling gates are written by the scheduler's own calls.
    spec.pop("nodeName", None)
    spec.pop("schedulingGates", None)
    for key in ("containers", "initContainers", "ephemeralContainers"):
        if key in spec:
            spec[key] = [
                {k: v for k, v in container.items() if k not in ("image", "resources")} for container in spec[key]
            ]
    return spec


def _pod_validate(new: Obj, old: Obj | None) -> list[Cause]:
    found = []
    containers = new["spec"].get("containers") or []
    if not containers:
        found.append(fail.required("spec.containers"))
    for index, container in enumerate(containers):
        for field in ("name", "image"):
            if not container.get(field):
                found.append(fail.required(f"spec.containers[{index}].{field}"))
    if old is not None and _fixed_spec(new) != _fixed_spec(old):
        found.append(_forbidden("spec", POD_CHANGES))
    return found


def _service_defaults(obj: Obj) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    obj.setdefault("status", {"loadBalancer": {}})


def _rules_validate(new: Obj, old: Obj | None) -> list[Cause]:
    del old
    return [
        fail.required(f"rules[{index}].verbs", "verbs must contain at least one value")
        for index, rule in enumerate(new.get("rules") or [])
        if not rule.get("verbs")
    ]


_RULE_ORDER = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")


def _rules_default(obj: Obj) -> None:
    rules = obj.pop("rules", None) or []
    obj["rules"] = [{key: rule[key] for key in _RULE_ORDER if key in rule} for rule in rules] or None


def _binding_defaults(obj: Obj) -> None:
    for subject in obj.get("subjects") or []:
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", "rbac.authorization.k8s.io")
    if obj.get("roleRef"):
        obj["roleRef"].setdefault("apiGroup", "rbac.authorization.k8s.io")
        obj["roleRef"] = obj.pop("roleRef")


def _binding_validate(new: Obj, old: Obj | None) -> list[Cause]:
    ref = new.get("roleRef") or {}
    found = [fail.required(f"roleRef.{field}") for field in ("name",) if not ref.get(field)]
    if ref.get("kind") not in ("Role", "ClusterRole"):
        shown = f'"{ref.get("kind", "")}"'
        found.append(
            fail.cause(
                "roleRef.kind",
                "FieldValueNotSupported",
                f'Unsupported value: {shown}: supported values: "ClusterRole", "Role"',
            )
        )
    if old is not None and old.get("roleRef") != ref:
        now = {"APIGroup": ref.get("apiGroup", ""), "Kind": ref.get("kind", ""), "Name": ref.get("name", "")}
        inner = json.dumps(now, separators=(",", ":"))
        found.append(fail.invalid_value("roleRef", inner, "cannot change roleRef"))
    return found


def _quota_defaults(obj: Obj) -> None:
    obj.setdefault("status", {})


QUOTA = Hooks(defaults=_quota_defaults)
CONFIGMAP = Hooks(validate=_immutable_data)
SECRET = Hooks(defaults=_secret_defaults, validate=_immutable_data)
NAMESPACE = Hooks(defaults=_namespace_defaults, prepare_create=_namespace_create, prepare_update=_namespace_update)
EVENT = Hooks(defaults=_event_defaults, validate=_event_validate)
POD = Hooks(defaults=_pod_defaults, prepare_create=_pod_create, validate=_pod_validate)
SERVICE = Hooks(defaults=_service_defaults)
ROLE = Hooks(defaults=_rules_default, validate=_rules_validate)
CLUSTER_ROLE = Hooks(defaults=_rules_default, validate=_rules_validate)
BINDING = Hooks(defaults=_binding_defaults, validate=_binding_validate)
