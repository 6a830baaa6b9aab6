# SPDX-License-Identifier: Apache-2.0
"""The logs of this agent's launchers: one JSON object for each line, as virt-launcher writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from ..kube.client import Obj

LAUNCHER = "virt-launcher"
LINES_KEPT = 1000


class PodLogs:
    """Lines by pod UID. They outlive the pod's sandbox and are removed with the pod."""

    def __init__(self) -> None:
        self._lines: dict[str, list[tuple[str, str]]] = {}

    def write(
        self, pod_uid: str, message: str, about: Obj | None = None, *, level: str = "info", reason: str = ""
    ) -> None:
        """Adds a line of a launcher about a VMI."""
        stamp = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        line = {"component": LAUNCHER, "level": level, "msg": message, "timestamp": stamp}
        if about is not None:
            meta = about["metadata"]
            line |= {"kind": about["kind"], "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]}
        if reason:
            line["reason"] = reason
        lines = self._lines.setdefault(pod_uid, [])
        lines.append((stamp, json.dumps(dict(sorted(line.items())), separators=(",", ":"))))
        del lines[:-LINES_KEPT]

    def read(self, pod_uid: str, *, tail: int | None = None, timestamps: bool = False) -> str:
        """The last ``tail`` lines, or all; with ``timestamps`` each line begins with its timestamp."""
        lines = self._lines.get(pod_uid, [])
        chosen = lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]
        return "".join(f"{stamp} {line}\n" if timestamps else f"{line}\n" for stamp, line in chosen)

    def forget(self, pod_uid: str) -> None:
        self._lines.pop(pod_uid, None)
