# SPDX-License-Identifier: Apache-2.0
"""Filters of the scheduler: which nodes a pod may run on, and its messages about the others."""

from __future__ import annotations

from collections import Counter

from emulator.apiserver.selectors import holds, matches_selector
from emulator.controlplane.accessors import Obj, labels_of, pod_is_down
from emulator.controlplane.admission.quantities import to_bytes
from emulator.kube import conditions

UNSCHEDULABLE = "node(s) were unschedulable"
NOT_READY = "node(s) were not ready"
SELECTOR = "node(s) didn't match Pod's node affinity/selector"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
TAINTS = "node(s) had untolerated taint(s)"
NETWORK_RESOURCE = "bridge.network.kubevirt.io/"
SOFT = "preferredDuringSchedulingIgnoredDuringExecution"
HARD = "requiredDuringSchedulingIgnoredDuringExecution"
# Evicting other pods cannot help against these.
HOPELESS = (UNSCHEDULABLE, NOT_READY, SELECTOR, TAINTS)


def objection(pod: Obj, node: Obj, pods: list[Obj]) -> str:
    """The first reason against a node; "" if the pod may run there. ``pods`` are all pods of the cluster."""
    spec = pod["spec"]
    if node.get("spec", {}).get("unschedulable"):
        return UNSCHEDULABLE
    if not conditions.is_true(node, "Ready"):
        return NOT_READY
    if not _tolerates(spec.get("tolerations") or [], node):
        return TAINTS
    if not _matches_selector(spec, node):
        return SELECTOR
    if _anti_affine(pod, node, pods):
        return ANTI_AFFINITY
    return _lacks(pod, node, pods)


def _lacks(pod: Obj, node: Obj, pods: list[Obj]) -> str:
    """The first network resource that the node has too little of; CPU and memory are never too small here."""
    for name, count in sorted(_asked(pod).items()):
        offered = to_bytes((node.get("status", {}).get("allocatable") or {}).get(name, "0"))
        here = (p for p in pods if p["spec"].get("nodeName") == node["metadata"]["name"] and not pod_is_down(p))
        if sum(_asked(other).get(name, 0) for other in here) + count > offered:
            return f"Insufficient {name}"
    return ""


def _asked(pod: Obj) -> Counter[str]:
    found: Counter[str] = Counter()
    for container in pod["spec"]["containers"]:
        requests = (container.get("resources") or {}).get("requests") or {}
        found.update({name: to_bytes(value) for name, value in requests.items() if name.startswith(NETWORK_RESOURCE)})
    return found


def preference(pod: Obj, node: Obj) -> int:
    """The weight of a node for a pod, by its preferred node affinity."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    wishes = affinity.get(SOFT) or []
    return sum(int(wish.get("weight") or 0) for wish in wishes if _matches_term(wish.get("preference") or {}, node))


def failure_message(reasons: list[str]) -> str:
    """The text of FailedScheduling and of the PodScheduled condition."""
    total = len(reasons)
    counted = ", ".join(f"{count} {reason}" for reason, count in sorted(Counter(reasons).items(), key=str))
    helps = Counter("hopeless" if reason in HOPELESS else "victims" for reason in reasons)
    said = []
    if helps["victims"]:
        said.append(f"{helps['victims']} No preemption victims found for incoming pod")
    if helps["hopeless"]:
        said.append(f"{helps['hopeless']} Preemption is not helpful for scheduling")
    preemption = f"preemption: 0/{total} nodes are available: {', '.join(said)}." if said else "preemption: none."
    return f"0/{total} nodes are available: {counted}. no new claims to deallocate, {preemption}"


def _tolerates(tolerations: list[Obj], node: Obj) -> bool:
    for taint in node.get("spec", {}).get("taints") or []:
        if taint.get("effect") in ("NoSchedule", "NoExecute") and not any(_covers(t, taint) for t in tolerations):
            return False
    return True


def _covers(toleration: Obj, taint: Obj) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    same_value = bool(toleration.get("value", "") == taint.get("value", ""))
    return toleration.get("key") == taint["key"] and same_value


def _matches_selector(spec: Obj, node: Obj) -> bool:
    has = labels_of(node)
    if any(has.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get(HARD) or {}).get("nodeSelectorTerms")
    return terms is None or any(_matches_term(term, node) for term in terms)


def _matches_term(term: Obj, node: Obj) -> bool:
    fields = {"metadata.name": node["metadata"]["name"]}
    return all(_matches(rule, labels_of(node)) for rule in term.get("matchExpressions") or []) and all(
        _matches(rule, fields) for rule in term.get("matchFields") or []
    )


def _matches(rule: Obj, has: dict[str, str]) -> bool:
    """One match expression; an operator that does not exist matches nothing."""
    value, values = has.get(rule["key"]), rule.get("values") or []
    if rule["operator"] in ("Gt", "Lt"):
        bound = next(iter(values), None)
        return _is_greater(value, bound) if rule["operator"] == "Gt" else _is_greater(bound, value)
    return holds(rule, has)


def _is_greater(value: str | None, other: str | None) -> bool:
    return value is not None and other is not None and int(value) > int(other)


def _anti_affine(pod: Obj, node: Obj, pods: list[Obj]) -> bool:
    """Hostname is the only topology of this cluster, so only the pods of the node count."""
    rules = ((pod["spec"].get("affinity") or {}).get("podAntiAffinity") or {}).get(HARD) or []
    neighbours = [
        other
        for other in pods
        if other["spec"].get("nodeName") == node["metadata"]["name"]
        and other["metadata"]["namespace"] == pod["metadata"]["namespace"]
        and other["metadata"]["uid"] != pod["metadata"]["uid"]
        and not pod_is_down(other)
    ]
    return any(
        matches_selector(rule.get("labelSelector") or {}, labels_of(other)) for rule in rules for other in neighbours
    )
