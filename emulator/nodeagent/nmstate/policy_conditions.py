# SPDX-License-Identifier: Apache-2.0
"""The conditions of policies and enactments, with NMState's reasons and messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ...kube import conditions
from ...kube.timestamps import timestamp

Condition = dict[str, Any]
POLICY = ("Available", "Degraded", "Progressing", "Ignored")
ENACTMENT = ("Failing", "Available", "Progressing", "Pending", "Aborted")
CONFIGURED, PROGRESSING = "SuccessfullyConfigured", "ConfigurationProgressing"
FAILED, NO_NODE = "FailedToConfigure", "NoMatchingNode"
# The outcome of a policy on a node.
OPEN, DONE, BROKEN, ABORTED = "open", "done", "broken", "aborted"


def of(kinds: Collection[str], told: Mapping[str, tuple[str, str, str]], old: list[Condition]) -> list[Condition]:
    """Conditions of these types; ``told`` maps a type to status, reason and message, others are Unknown.

    A condition in ``old`` keeps its transition time as long as its status stays the same.
    """
    found = []
    for kind in kinds:
        status, reason, message = told.get(kind, ("Unknown", "", ""))
        now = timestamp()
        condition = {"type": kind, "status": status, "lastHeartbeatTime": now, "lastTransitionTime": now}
        condition |= {key: text for key, text in (("reason", reason), ("message", message)) if text}
        found.append(condition)
    return conditions.keep_transition_times(old, found)


def of_policy(outcomes: Mapping[str, str]) -> dict[str, tuple[str, str, str]]:
    """The conditions of a policy, given its outcome on each matching node."""
    total = len(outcomes)
    counts = {
        outcome: sum(found == outcome for found in outcomes.values()) for outcome in (OPEN, DONE, BROKEN, ABORTED)
    }
    if not total:
        no = ("False", NO_NODE, "")
        return dict.fromkeys(POLICY, no) | {"Ignored": ("True", NO_NODE, "Policy does not match any node")}
    if counts[OPEN]:
        message = f"Policy is progressing {total - counts[OPEN]}/{total} nodes finished"
        unknown = ("Unknown", PROGRESSING, "")
        running = ("True", PROGRESSING, message)
        return {"Available": unknown, "Degraded": unknown, "Progressing": running, "Ignored": ("False", "", "")}
    if counts[BROKEN]:
        message = f"{counts[BROKEN]}/{total} nodes failed to configure"
        if counts[ABORTED]:
            message += f", {counts[ABORTED]} nodes aborted configuration"
        return {
            "Available": ("False", FAILED, ""),
            "Degraded": ("True", FAILED, message),
            "Progressing": ("False", PROGRESSING, ""),
            "Ignored": ("False", "", ""),
        }
    return {
        "Available": ("True", CONFIGURED, f"{total}/{total} nodes successfully configured"),
        "Degraded": ("False", CONFIGURED, ""),
        "Progressing": ("False", CONFIGURED, ""),
        "Ignored": ("False", CONFIGURED, ""),
    }


def of_enactment(kind: str, reason: str, message: str, *also: str) -> dict[str, tuple[str, str, str]]:
    """The conditions of an enactment of which ``kind`` (and ``also``) is true now."""
    false = ("False", reason, "")
    found = dict.fromkeys(ENACTMENT, false) | {kind: ("True", reason, message)}
    return found | dict.fromkeys(also, ("True", reason, message))
