# SPDX-License-Identifier: Apache-2.0
"""What a client asked of the API server, from the embedded cluster's audit log."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

CLIENT = "embedded-admin"
STREAMS = ("console", "portforward")


@dataclass(frozen=True)
class Asked:
    """Numbers of requests: all, watches and streams among them, and the others by verb."""

    requests: int
    watches: int
    streams: int
    verbs: Counter[str]


def asked(log: Path, skip: int = 0) -> Asked:
    """What the runs' user asked after the first ``skip`` lines of the log."""
    verbs: Counter[str] = Counter()
    streams = 0
    for line in log.read_text(encoding="utf-8").splitlines()[skip:]:
        event = json.loads(line)
        if event["user"].get("username") != CLIENT:
            continue
        if event.get("objectRef", {}).get("subresource", "").partition("/")[0] in STREAMS:
            streams += 1
        else:
            verbs[event["verb"]] += 1
    watches = verbs.pop("watch", 0)
    return Asked(sum(verbs.values()) + watches + streams, watches, streams, verbs)


def lines(log: Path) -> int:
    """How long the log is now."""
    return log.read_text(encoding="utf-8").count("\n")
