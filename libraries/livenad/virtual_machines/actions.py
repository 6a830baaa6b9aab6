"""Requests to a VM's subresources: start, stop, restart, migrate. If the answer is lost, the VM shows the outcome."""

from __future__ import annotations

from typing import Literal

from livenad.api.client import Cluster
from livenad.api.kinds import VM, VMI, Object, dig, meta
from livenad.api.recorder import Recorder
from livenad.changes import Change, before, migrations_since
from livenad.model import VmRecord

Verb = Literal["start", "stop", "restart", "migrate"]

_SUBRESOURCES = "/apis/subresources.kubevirt.io/v1/namespaces/{namespace}/virtualmachines/{name}/{verb}"
_WHAT = {"start": "its start", "stop": "its stop", "restart": "its restart", "migrate": "its requested migration"}


def request_action(
    client: Cluster, recorder: Recorder, record: VmRecord, verb: Verb, body: Object | None = None
) -> Change:
    """Send one request as ``virtctl`` does; returns its record and does not wait. ApiError when it is rejected."""
    change = Change(**before(recorder.history, record, verb, _WHAT[verb]))
    client.request(
        "PUT",
        _SUBRESOURCES.format(namespace=record.namespace, name=record.name, verb=verb),
        title=f"{verb} of VirtualMachine {record.namespace}/{record.name}",
        body=body or {},
        carried_out=lambda: _carried_out(recorder, change),
    )
    return change


def _carried_out(recorder: Recorder, change: Change) -> Object | None:
    recorder.catch_up()
    history = recorder.history
    if change.action == "migrate":
        return next(iter(migrations_since(history, change).values()), None)
    vm = history.current(VM, change.vm) or {}
    vmi = history.current(VMI, change.vm)
    under_way = bool(dig(vm, "status", "stateChangeRequests")) or meta(vmi or {}, "uid") != change.vmi_uid
    strategy = {"start": "Always", "stop": "Halted"}.get(change.action)
    return vm if under_way or dig(vm, "spec", "runStrategy") == strategy else None
