# SPDX-License-Identifier: Apache-2.0
"""The ControllerRevision with the spec that a VMI was started from."""

from __future__ import annotations

from emulator.apiserver.objects import clone
from emulator.controlplane import names
from emulator.controlplane.accessors import Obj, owner_reference
from emulator.controlplane.context import Shared
from emulator.kube.errors import ApiError


def revision_name(vm: Obj) -> str:
    return f"revision-start-vm-{vm['metadata']['uid']}-{vm['metadata']['generation']}"


async def ensure_revision(shared: Shared, vm: Obj) -> str:
    """Creates the revision of the VM's generation if it does not exist, and returns its name."""
    name = revision_name(vm)
    spec = clone(vm["spec"])
    revision = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": name,
            "namespace": vm["metadata"]["namespace"],
            "ownerReferences": [owner_reference(vm)],
        },
        "data": {"spec": spec},
        "revision": vm["metadata"]["generation"],
    }
    try:
        written = await shared.client.create(names.REVISION, revision)
    except ApiError as error:
        if error.code != 409:
            raise
    else:
        await shared.caches[names.REVISION].catch_up(written)
    return name


def started_from(shared: Shared, vmi: Obj) -> Obj | None:
    """The VM spec that the VMI was started from; None if its revision is unknown."""
    name = vmi.get("status", {}).get("virtualMachineRevisionName")
    revision = shared.caches[names.REVISION].get(vmi["metadata"]["namespace"], name) if name else None
    spec: Obj | None = revision["data"]["spec"] if revision else None
    return spec
