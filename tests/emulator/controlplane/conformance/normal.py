# SPDX-License-Identifier: Apache-2.0
"""What is not compared, each with its reason."""

from __future__ import annotations

import itertools
import re
from functools import cache
from typing import Any

ALL = r"\w+"
STAND_IN = "written by the stand-in for kubelet, Multus or virt-handler, in the recordings as here"
CHANCE = "named or counted by chance; the rule of it is a fact of its own where there is one"
TIME = "times; the phases are in status.phase"
DRAWN = "the launcher's patience is drawn by lot"
LEFT_OUT = [
    (ALL, r"metadata\.(uid|resourceVersion|name|creationTimestamp|selfLink|managedFields)", CHANCE),
    ("VirtualMachineInstance", r"metadata\.generation", CHANCE),
    (ALL, r".*\.annotations\.lab/.*", "the recording's orders to its stand-in"),
    ("VirtualMachineInstance", r"status\.interfaces\[.+\]\.(ip\w+|mac|linkState|queueCount|interfaceName)", STAND_IN),
    ("VirtualMachineInstance", r"status\.(guestOSInfo|machine|migrationMethod|migrationTransport).*", STAND_IN),
    (
        "VirtualMachineInstance(Migration)?",
        r"status\.migrationState\.(targetNodeAddress|targetDirectMigrationNodePorts.*)",
        STAND_IN,
    ),
    (
        "VirtualMachineInstance(Migration)?",
        r".*\.migrationConfiguration\.parallel(MigrationsPerCluster|OutboundMigrationsPerNode)",
        "limits that the recordings were made with",
    ),
    ("Pod", r"metadata\.annotations\.k8s\.v1\.cni\.cncf\.io/network-status", STAND_IN),
    ("Pod", r"status\.(?!conditions|phase$).*", STAND_IN),
    ("Pod", r"status\.conditions\[(Initialized|PodReadyToStartContainers|ContainersReady|Ready)\]", STAND_IN),
    ("Pod", r"spec\.containers\[compute\]\.(args|command)", DRAWN),
    ("VirtualMachineInstance", r"status\.activePods", "empty for a moment, between a pod's end and its VMI's"),
    (ALL, r"status\.phaseTransitionTimestamps", TIME),
]
_LEFT_OUT = [(re.compile(kind), re.compile(path)) for kind, path, _ in LEFT_OUT]
STAND_IN_COMPONENTS = {"virt-handler", "kubelet", "multus"}
# States between two writes of the same controller: whether another one sees them is chance.
PASSING = ("False PodNotExists", "False PodTerminating", "False VMINotExists", "False VMIConditionMissing")


@cache
def is_left_out(kind: str, path: str) -> bool:
    return any(kinds.fullmatch(kind) and paths.fullmatch(path) for kinds, paths in _LEFT_OUT)


def lasting(kind: str, path: str, values: list[Any]) -> list[Any]:
    """The values without those that only last until the next write."""
    if path == "status.conditions[Ready]":
        kept = [value for value in values if value is not None and not value.startswith(PASSING)]
        return kept or [None]
    if kind == "Pod" and path.startswith("status.conditions[") and "PodScheduled" not in path:
        first = next((index for index, value in enumerate(values) if value is not None), len(values))
        return values[:first] + [value for value in values[first:] if value is not None]  # kubelet's writes drop it
    if path.startswith("status.activePods."):
        # Not those of a pod that is not bound yet; and which pod of a VMI ends first is for kubelets to say.
        while values and values[-1] is None:
            values = values[:-1]
        return [value for value in values if value != ""]
    if path.startswith("status.interfaces[") and path.endswith(".infoSource"):
        return [value and value.replace(", guest-agent", "") for value in values]  # it reports in its own time
    if path == "status.interfaces[]":
        return [value and sorted(value) for value in values]  # virt-handler lists them as it finds them
    return values


def in_any_order(said: list[str]) -> list[str]:
    """Deletions of several pods in one go come in the order of a map: each run of them is sorted."""
    key = "Normal SuccessfulDelete: Deleted virtual machine pod"
    ordered: list[str] = []
    for is_run, run in itertools.groupby(said, lambda text: text.startswith(key)):
        texts = list(run)
        ordered += sorted(texts) if is_run else texts
    return ordered
