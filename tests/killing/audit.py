# SPDX-License-Identifier: Apache-2.0
"""The API server's audit log, followed: what each user has written."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.killing.state import Key, State

_WRITES = ("create", "update", "patch", "delete", "deletecollection")
_STORES_NOTHING = ("selfsubjectaccessreviews", "selfsubjectreviews", "tokenreviews", "subjectaccessreviews")
_SETTINGS = ("kubevirts.kubevirt.io", "hyperconvergeds.hco.kubevirt.io")
"""What a disruptive run may change although it was there before: it is compared at the end."""


@dataclass(frozen=True)
class Write:
    """A write that the API server has carried out, at a time in seconds since the epoch."""

    user: str
    verb: str
    key: Key
    subresource: str
    at: float

    @property
    def is_renewal(self) -> bool:
        return self.verb == "patch" and self.key[0].startswith("leases.")

    def __str__(self) -> str:
        what, namespace, name = self.key
        return f"{self.verb} {what} {namespace}/{name} {self.subresource}".rstrip()


class AuditTrail:
    """Reads along in a thread of its own until `stop`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.writes: list[Write] = []
        self.news = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def of(self, user: str) -> list[Write]:
        """What a user has written, renewals of leases aside."""
        with self.news:
            return [write for write in self.writes if write.user == user and not write.is_renewal]

    def stop(self) -> None:
        """All that was written until now has been read when this returns."""
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._path.exists():
            if self._stop.wait(0.01):
                return
        with self._path.open(encoding="utf-8") as file:
            rest = ""
            while True:
                last = self._stop.is_set()
                lines = (rest + file.read()).split("\n")
                rest = lines.pop()
                found = [write for line in lines if (write := _write_of(json.loads(line))) is not None]
                if found:
                    with self.news:
                        self.writes += found
                        self.news.notify_all()
                if last:
                    return
                self._stop.wait(0.005)


def touched(writes: list[Write], users: set[str], before: State) -> list[str]:
    """Writes of runs to objects that were there before any run."""
    return [
        f"{write.user}: {write}"
        for write in writes
        if write.user in users and write.key in before and write.key[0] not in _SETTINGS
    ]


def crossed(writes: list[Write], ends: dict[str, float]) -> list[str]:
    """Writes of runs to what another run had made, before that one had ended; ``ends``: by user.

    Settings belong to no run: one run may change them when another has restored them. The other must not write again.
    """
    makers: dict[Key, str] = {}
    found = []
    for number, write in enumerate(writes):
        if write.user not in ends:
            continue
        if write.key[0] in _SETTINGS and not any(
            later.user == makers.get(write.key) and later.key == write.key for later in writes[number:]
        ):
            makers[write.key] = write.user
        maker = makers.get(write.key, write.user)
        if maker != write.user and write.verb != "create" and write.at < ends[maker]:
            found.append(f"{write.user}: {write}, which is of {maker}")
        if write.verb in ("create", "patch"):
            makers[write.key] = write.user
    return found


def _write_of(event: dict[str, Any]) -> Write | None:
    about = event.get("objectRef")
    if about is None or event["verb"] not in _WRITES or about["resource"] in _STORES_NOTHING:
        return None
    if event["responseStatus"]["code"] >= 300 or "dryRun=" in event["requestURI"]:
        return None
    what = f"{about['resource']}.{about.get('apiGroup', '')}".rstrip(".")
    namespace = "" if about["resource"] == "namespaces" else about.get("namespace", "")
    at = datetime.fromisoformat(event["stageTimestamp"].replace("Z", "+00:00")).timestamp()
    key = (what, namespace, about.get("name", ""))
    return Write(event["user"].get("username", ""), event["verb"], key, about.get("subresource", ""), at)
