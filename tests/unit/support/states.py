# SPDX-License-Identifier: Apache-2.0
"""Objects with a resourceVersion, a history of two VMs, and what is told of records."""

from __future__ import annotations

from livenad.api.history import DELETED, MODIFIED, History, Record
from livenad.api.kinds import EVENT, MIGRATION, NAD, POD, VM, Kind, Object


def item(version: int, name: str = "web", uid: str = "u1") -> Object:
    return {"metadata": {"name": name, "uid": uid, "resourceVersion": str(version)}}


def versions(history: History, kind: Kind = VM, name: str | None = "web", since: int = 0) -> list[str]:
    return [record.resource_version for record in history.records(kind, name, since)]


def launcher(version: int, name: str, vm: str, label: str = "kubevirt-nad-tests/vm") -> Object:
    found = item(version, name, f"uid-{name}")
    found["metadata"]["labels"] = {label: vm}
    return found


def migration(version: int, name: str, vm: str) -> Object:
    return {**item(version, name, f"uid-{name}"), "spec": {"vmiName": vm}}


def event(version: int, kind: Kind, about: str) -> Object:
    return {**item(version, f"e{version}", f"e{version}"), "involvedObject": {"kind": kind.name, "name": about}}


def two_vms() -> History:
    """Objects of VMs web and db, an event about a pod of each, one about something unknown, and a NAD."""
    history = History()
    for kind, found in (
        (VM, item(1)),
        (VM, item(2, "db", "u2")),
        (POD, launcher(3, "launcher-web", "web")),
        (POD, launcher(4, "launcher-db", "db", "vm.kubevirt.io/name")),
        (MIGRATION, migration(5, "m1", "db")),
        (NAD, item(6, "blue", "n1")),
        (EVENT, event(7, POD, "launcher-web")),
        (EVENT, event(8, POD, "launcher-db")),
        (EVENT, event(9, POD, "launcher-unknown")),
    ):
        history.append(kind, MODIFIED, found)
    history.append(VM, DELETED, item(10, "db", "u2"))
    return history


def told(records: list[Record]) -> list[tuple[str, str]]:
    return [(record.name, record.resource_version) for record in records]
