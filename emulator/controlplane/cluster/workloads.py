# SPDX-License-Identifier: Apache-2.0
"""The owners of KubeVirt's own pods: without a controller of its own kubectl drains a pod only with ``--force``."""

from __future__ import annotations

from emulator.controlplane import names
from emulator.controlplane.accessors import Obj, owner_reference
from emulator.controlplane.context import Shared
from emulator.kube.client import Client
from emulator.kube.errors import ApiError

COMPONENT = "kubevirt.io"


async def ensure(client: Client, kind: str, name: str, namespace: str, *, component: str) -> Obj:
    """The owner of a component's pods, a ReplicaSet or DaemonSet, made if it is not there."""
    resource = f"{kind.lower()}s.apps"
    try:
        return await client.get(resource, name, namespace)
    except ApiError as error:
        if error.code != 404:
            raise
    labels = {COMPONENT: component}
    owner = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}},
    }
    return await client.create(resource, owner)


async def adopt(shared: Shared, client: Client, pod: Obj, owner: Obj) -> None:
    """Makes a pod that has no controller the owner's, as its controller does with pods that match its selector."""
    if any(ref.get("controller") for ref in pod["metadata"].get("ownerReferences") or []):
        return
    meta = pod["metadata"]
    patch = {"metadata": {"ownerReferences": [owner_reference(owner)]}}
    try:
        written = await client.patch(names.PODS, meta["name"], meta["namespace"], patch)
    except ApiError as error:
        if error.code != 404:
            raise
    else:
        await shared.pods.catch_up(written)
