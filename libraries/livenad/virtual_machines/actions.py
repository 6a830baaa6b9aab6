# SPDX-License-Identifier: Apache-2.0
"""Requests to a VM's subresources: start, stop, restart, migrate. If the answer is lost, the VM shows the outcome."""

from __future__ import annotations

from typing import Literal

from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import VM, VMI, Object, dig, meta
from livenad.api.recorder import Recorder
from livenad.changes import Change, before, migrations_since
from livenad.foreign_migrations import is_ours
from livenad.model import VmRecord

Verb = Literal["start", "stop", "restart", "migrate"]

_SUBRESOURCES = "/apis/subresources.kubevirt.io/v1/namespaces/{namespace}/virtualmachines/{name}/{verb}"
_WHAT = {"start": "its start", "stop": "its stop", "restart": "its restart", "migrate": "its requested migration"}


def request_action(
    client: Cluster, recorder: Recorder, record: VmRecord, verb: Verb, body: Object | None = None
) -> Change:
    """Send one request as ``virtctl`` does; returns its record and does not wait. ApiError when it is rejected."""
    history = recorder.history
    change = Change(**before(history, record, verb, _WHAT[verb]))
    asked_before = _asked(history, change)
    if verb == "migrate":
        history.expect_migration(record.name)
    client.request(
        "PUT",
        _SUBRESOURCES.format(namespace=record.namespace, name=record.name, verb=verb),
        title=f"{verb} of VirtualMachine {record.namespace}/{record.name}",
        body=body or {},
        carried_out=lambda: _carried_out(recorder, change, asked_before),
    )
    return change


def _carried_out(recorder: Recorder, change: Change, asked_before: list[object]) -> Object | None:
    """What came of a request that may have been carried out; None for the state of before, and for others' doing."""
    recorder.catch_up()
    history = recorder.history
    if change.action == "migrate":
        return next((item for item in migrations_since(history, change).values() if is_ours(history, item)), None)
    if meta(history.current(VMI, change.vm) or {}, "uid") != change.vmi_uid:
        return history.current(VM, change.vm)
    asked = [one for one in _asked(history, change) if one not in asked_before]
    return history.current(VM, change.vm) if asked else None


def _asked(history: History, change: Change) -> list[object]:
    """What a VM is asked to do: its pending requests, and the run strategy by which it starts or stops."""
    vm = history.current(VM, change.vm) or {}
    strategy = dig(vm, "spec", "runStrategy")
    wanted = strategy == {"start": "Always", "stop": "Halted"}.get(change.action, "")
    return [*(dig(vm, "status", "stateChangeRequests") or []), *([strategy] if wanted else [])]
