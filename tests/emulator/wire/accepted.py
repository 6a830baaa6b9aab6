# SPDX-License-Identifier: Apache-2.0
"""The differences between recorded answers and ours that are accepted, each with its reason.

One that no longer occurs is an error, so that this list stays as short as it can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

STAND_IN = "written by the recordings' stand-in for virt-handler, guest and kubelet"
BUILD = "names the build, and how often the cluster's settings were edited before"
# By the URL and the path of a difference, in every answer.
LEFT_OUT: tuple[tuple[str, str, str], ...] = (
    ("", r"(.*\.)?columnDefinitions\[\d+\]\.description", "prose about a kind's fields, which no client prints"),
    ("", r"status\.guestOSInfo\..*", STAND_IN),
    ("", r"status\.interfaces\[\d+\]\.(ipAddress|ipAddresses\[0\]|mac)", STAND_IN),
    ("", r"status\.(launcherContainerImageVersion|machine|migrationMethod)", STAND_IN),
    ("", r"status\.migrationState\.targetDirectMigrationNodePorts\..*", STAND_IN),
    ("/pods", r"(items\[\d+\]\.)?spec\.volumes\[0\]\.projected\.sources", "the recorded build adds a CA of its own"),
    ("/kubevirts/", r"metadata\.generation|status\.(observed|target|operator)\w+", BUILD),
)


@dataclass(frozen=True)
class Accepted:
    """``exchange`` (area and number) and ``path`` are regular expressions: where answers may differ, and in what."""

    exchange: str
    path: str
    reason: str


GO_DIFF = "the real message ends with a comparison of Go structures"
NOT_OURS = "lists what other areas of the recording have made"
PROTOBUF = "answers are JSON or YAML: every client that asks for protobuf takes JSON too"
OTHER_ROLES = "the roles that every user has are others: this cluster has fewer components"
NO_OPERATOR = "recorded without virt-operator, whose webhook judges the gates here as on a real cluster"
PAUSED = "the recordings' stand-in does not do to Ready what a real one does"
ACCEPTED = (
    Accepted("read/14", "items", NOT_OURS),
    Accepted("read/78", "headers|text", "large answers are not compressed: HTTP lets the server choose"),
    Accepted("update/39", r"message|details\.causes\[0\]\.message", GO_DIFF),
    Accepted("patch/29", r"message|details\.causes", GO_DIFF),
    Accepted(
        "apply/24", r"metadata\.(managedFields|annotations|finalizers)|status\.conditions", "a faster VM controller"
    ),
    Accepted("delete/31", ".*", "the collector here has done its work before the next request"),
    Accepted("auth/52", r"status\.(resource|nonResource)Rules", OTHER_ROLES),
    Accepted("auth/53", r"status\.(resource|nonResource)Rules", OTHER_ROLES),
    Accepted("auth/57", r"status\.userInfo\.extra", "the recorded user came with a certificate, not with a token"),
    Accepted("auth/76", "message", "names the rules of the role admin, which are those of fewer components here"),
    Accepted("discovery/14", "headers", "a header of virt-api's own"),
    Accepted("kubectl/01", ".*", "the recorded server was built without a version"),
    Accepted("kubectl/15", "out", "recorded a moment earlier in the migration"),
    Accepted("kubectl/(22|33)", "out", "the tests' virt-handler names no node as the source of its events"),
    Accepted("kubectl/31", "out", "the recordings' kubelet drops the gate's condition of a pod that has ended"),
    Accepted("kubectl/34", "out", NOT_OURS),
    Accepted("kubectl/44", "out", "the tests' nodes have neither role nor version"),
    Accepted("kubectl/53", "out", OTHER_ROLES),
    Accepted("kubectl/57", "out", "the recorded user came with a certificate, not with a token"),
    Accepted("kubectl/86", "out", "schemas are served without prose, and know fewer types"),
    Accepted("kubectl/87", "out", "fewer kinds are served"),
    Accepted("stream/38", ".*", "guests have a serial line and no screen"),
    Accepted("stream-lifecycle/1[78]", r"metadata\..*|status\.(conditions\[0\].*|ready)", PAUSED),
    Accepted("stream-lifecycle/(36|39|45|51)", r"status\..*", "recorded before the VM controller had looked again"),
    Accepted("stream-lifecycle/(68|76)", ".*", "neither object graphs nor disk tools are served: they are no network"),
    Accepted("stream-lifecycle/67", "text", "recorded in part, with the managers of that cluster"),
    Accepted("stream-lifecycle/(75|77)", ".*", BUILD),
    Accepted("stream-lifecycle/78", "status|text", "lists are refused as everything that virt-api does not serve"),
    Accepted("errors/05", ".*", "the HTTP library refuses a method that HTTP does not know"),
    Accepted("errors/16", ".*", PROTOBUF),
    Accepted("errors/17", "headers|text", PROTOBUF),
    Accepted("admission-(main|1.9.0)/144", "headers", NO_OPERATOR),
    Accepted("admission-.*/147", ".*", NO_OPERATOR),
    Accepted("admission-main/11[57]", r"metadata\.resourceVersion", "a write that changes nothing but its managers"),
)


def judged(exchange: str, url: str, differences: Iterable[str]) -> Iterator[str]:
    """What is wrong: each difference that is not accepted, and each accepted one that did not occur."""
    patterns = [entry.path for entry in ACCEPTED if re.fullmatch(entry.exchange, exchange)]
    left_out = [path for place, path, _ in LEFT_OUT if place in url]
    occurred = set()
    for difference in differences:
        path = difference.partition(": ")[0]
        if any(re.fullmatch(pattern, path) for pattern in left_out):
            continue
        found = next((pattern for pattern in patterns if re.fullmatch(pattern, path)), None)
        if found is None:
            yield f"{exchange}: {difference}"
        occurred.add(found)
    for pattern in patterns:
        if pattern not in occurred:
            yield f"{exchange}: {pattern} is accepted as different, and is the same"
