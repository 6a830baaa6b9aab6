# SPDX-License-Identifier: Apache-2.0
"""NMState policies: created, awaited on every node, and reverted before they are deleted.

The deletion of a policy does not change the nodes. So each policy has an annotation with the state that reverts it. The
run applies that state at its end; the cleanup after an aborted run applies it too.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import Kind, Object, dig, meta
from livenad.api.recorder import HEARTBEAT_SECONDS, Heartbeat, silent
from livenad.api.temporary_watch import Watched, following, wait_out
from livenad.errors import LabError

POLICY = Kind("nmstate.io/v1", "nodenetworkconfigurationpolicies", "NodeNetworkConfigurationPolicy", namespaced=False)
ENACTMENT = Kind(
    "nmstate.io/v1beta1", "nodenetworkconfigurationenactments", "NodeNetworkConfigurationEnactment", namespaced=False
)
UNDO_NOTE = "kubevirt-nad-tests/undo"

_NO_NODE = "NoMatchingNode"
_IN_PROGRESS = "still in progress"
_LONGEST_REASON = 300


def policy(name: str, selector: dict[str, str], desired: Object, undo: Object) -> Object:
    """A policy for the nodes with these labels; ``undo`` is the desired state that reverts it."""
    return {
        "apiVersion": POLICY.api_version,
        "kind": POLICY.name,
        "metadata": {"name": name, "annotations": {UNDO_NOTE: json.dumps(undo)}},
        "spec": {"nodeSelector": selector, "maxUnavailable": "100%", "desiredState": desired},
    }


def apply_policy(
    cluster: Cluster, body: Object, nodes: Collection[str], within: float, heartbeat: Heartbeat = silent
) -> None:
    """Create a policy and wait until it holds on ``nodes``. LabError at once when a node rejects it."""
    with following(cluster, *_watched(str(meta(body, "name")))) as history:
        stored = cluster.create(POLICY, body)
        _await_done(cluster, history, stored, nodes, before=[], within=within, heartbeat=heartbeat)


def remove_policy(cluster: Cluster, found: Object, within: float, heartbeat: Heartbeat = silent) -> None:
    """Revert a policy on its nodes, wait for that, and delete it. LabError when it cannot be reverted."""
    name, deadline = str(meta(found, "name")), time.monotonic() + within
    undo = json.loads(meta(found, "annotations", {}).get(UNDO_NOTE) or "{}")
    with following(cluster, *_watched(name)) as history:
        nodes = {_node_of(item) for item in history.all(ENACTMENT)}
        if undo and nodes:
            before = _conditions(history.current(POLICY, name) or found)
            stored = _write_undo(cluster, history, name, undo, deadline)
            if meta(stored, "generation") == meta(found, "generation"):
                # An aborted run has already written it: the conditions are those of this state.
                before = []
            left = deadline - time.monotonic()
            _await_done(cluster, history, stored, nodes, before=before, within=left, heartbeat=heartbeat)
        cluster.delete(POLICY, name, uid=str(meta(found, "uid")))


def _write_undo(cluster: Cluster, history: History, name: str, undo: Object, deadline: float) -> Object:
    """Replace the desired state; NMState rejects that while it still applies the former one."""
    operation = {"op": "replace", "path": "/spec/desiredState", "value": undo}
    while True:
        known = len(history)
        try:
            return cluster.json_patch(
                POLICY, name, "", [operation], done=lambda item: bool(dig(item, "spec", "desiredState") == undo)
            )
        except ApiError as error:
            if _IN_PROGRESS not in str(error) or time.monotonic() >= deadline:
                raise
        history.wait(_changed(history, known), min(deadline, time.monotonic() + HEARTBEAT_SECONDS))


def _changed(history: History, known: int) -> Callable[[], bool]:
    return lambda: bool(history.records(POLICY, since=known))


def _watched(name: str) -> tuple[Watched, Watched]:
    """A policy and its enactments on the nodes."""
    return (POLICY, None, ""), (ENACTMENT, None, f"nmstate.io/policy={name}")


def _await_done(
    cluster: Cluster,
    history: History,
    stored: Object,
    nodes: Collection[str],
    *,
    before: list[Object],
    within: float,
    heartbeat: Heartbeat,
) -> None:
    """Wait until this generation of the policy holds on all nodes. ``before``: its conditions from before the write."""
    name, generation = str(meta(stored, "name")), meta(stored, "generation", None)

    def missing() -> str:
        failure = _failure(history, name, generation, before)
        return f"!{failure}" if failure else ", ".join(_missing(history, name, generation, nodes))

    said, waited = wait_out(history, missing, awaited=f"NMState policy {name}", within=within, heartbeat=heartbeat)
    if said:
        # The event of the policy may arrive before those of the nodes that made it fail.
        listed = cluster.list(ENACTMENT, labels=f"nmstate.io/policy={name}")
        history.absorb(ENACTMENT, listed.items, listed.resource_version)
        said = _failure(history, name, generation, before) or said
        raise LabError(
            f"NMState did not apply policy {name} for {waited}: {said}; see its "
            "NodeNetworkConfigurationEnactments, check that an NMState resource exists and that its handlers run, or "
            "raise NETWORK_TIMEOUT"
        )


def _failure(history: History, name: str, generation: int | None, before: list[Object]) -> str:
    """Why the policy has failed, "" while it may still succeed.

    Its conditions may still be those from before the write; then only the nodes count.
    """
    conditions = _conditions(history.current(POLICY, name) or {})
    shown = next(
        (item for item in conditions if item.get("reason") == _NO_NODE or _is(item, "Degraded", "Ignored")), None
    )
    if shown is None:
        return ""
    reported = [
        f"{_node_of(item)}: {_error_line(entry)}"
        for item in history.all(ENACTMENT)
        if dig(item, "status", "policyGeneration") in (None, generation)
        for entry in _conditions(item)
        if _is(entry, "Failing")
    ]
    if reported:
        return "; ".join(reported)
    return "" if conditions == before else str(shown.get("message") or shown.get("reason"))


def _missing(history: History, name: str, generation: int | None, nodes: Collection[str]) -> list[str]:
    """Texts on what is not done yet: each node, then the policy."""
    enactments = {_node_of(item): item for item in history.all(ENACTMENT)}
    waiting = [node for node in sorted(nodes) if not _is_enacted(enactments.get(node), generation)]
    if waiting:
        return [f"node {node} is not done" for node in waiting]
    conditions = _conditions(history.current(POLICY, name) or {})
    done = any(_is(entry, "Available") and entry.get("reason") != _NO_NODE for entry in conditions)
    return [] if done else ["the policy is not Available"]


def _is_enacted(item: Object | None, generation: int | None) -> bool:
    if item is None or dig(item, "status", "policyGeneration") not in (None, generation):
        return False
    return any(_is(entry, "Available") for entry in _conditions(item))


def _is(condition: Object, *types: str) -> bool:
    return condition.get("type") in types and condition.get("status") == "True"


def _node_of(enactment: Object) -> str:
    return str(meta(enactment, "labels", {}).get("nmstate.io/node", meta(enactment, "name")))


def _conditions(item: Object) -> list[Object]:
    return dig(item, "status", "conditions", default=[]) or []


def _error_line(entry: Object) -> str:
    """The error of NMState itself, as the whole message may have thousands of lines of node state."""
    message = str(entry.get("message") or entry.get("reason") or "no message")
    said = re.findall(r"NmstateError: [^\n\"]*", message)
    return said[-1].strip() if said else message.strip().splitlines()[0][:_LONGEST_REASON]
