# SPDX-License-Identifier: Apache-2.0
"""Deleting: finalizers, grace, propagation, collections, namespaces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from emulator.kube.errors import ApiError

from .harness import Api, config_map, pod, virtual_machine


async def gone(api: Api, resource: str, name: str, namespace: str | None = "demo") -> None:
    """Waits until an object is no longer there."""
    await settled(api, resource, name, lambda obj: obj is None, namespace)


async def settled(
    api: Api, resource: str, name: str, done: Callable[[Any], bool], namespace: str | None = "demo"
) -> None:
    changed = asyncio.Event()
    api.server.core.store.listeners.append(lambda _: changed.set())
    async with asyncio.timeout(5):
        while True:
            changed.clear()
            try:
                found: Any = await api.admin.get(resource, name, namespace)
            except ApiError as error:
                assert error.code == 404, error
                found = None
            if done(found):
                return
            await changed.wait()


async def test_finalizers_hold_an_object_until_they_are_taken_away(api: Api) -> None:
    await api.admin.create("configmaps", config_map("f", finalizers=["example.com/hold"]))
    path = api.admin.path("configmaps", "demo", "f")
    answer = await api.admin.request("DELETE", path)
    assert answer["kind"] == "ConfigMap"
    assert answer["metadata"]["deletionTimestamp"]
    again = await api.admin.request("DELETE", path)
    assert again["metadata"]["resourceVersion"] == answer["metadata"]["resourceVersion"]
    last = await api.admin.patch("configmaps", "f", "demo", {"metadata": {"finalizers": None}})
    assert last["metadata"]["resourceVersion"] == answer["metadata"]["resourceVersion"]
    with pytest.raises(ApiError) as refused:
        await api.admin.get("configmaps", "f", "demo")
    assert refused.value.code == 404


async def test_deleting_counts_as_a_generation(api: Api) -> None:
    await api.admin.create("virtualmachines.kubevirt.io", virtual_machine("vm", finalizers=["kubevirt.io/x"]))
    await api.admin.delete("virtualmachines.kubevirt.io", "vm", "demo")
    assert (await api.admin.get("virtualmachines.kubevirt.io", "vm", "demo"))["metadata"]["generation"] == 2


async def test_a_pod_on_a_node_waits_for_it_and_others_go_at_once(api: Api) -> None:
    await api.admin.create("pods", pod("free"))
    await api.admin.create("pods", pod("placed", node="node1"))
    await api.admin.delete("pods", "free", "demo")
    await api.admin.delete("pods", "placed", "demo")
    waiting = await api.admin.get("pods", "placed", "demo")
    assert waiting["metadata"]["deletionGracePeriodSeconds"] == 30
    await api.admin.patch("pods", "placed", "demo", {"status": {"message": "stopping"}}, subresource="status")
    await api.admin.delete("pods", "placed", "demo", grace=0)
    assert (await api.admin.list("pods", "demo"))[0] == []


async def test_a_wrong_uid_deletes_nothing(api: Api) -> None:
    await api.admin.create("configmaps", config_map("c"))
    with pytest.raises(ApiError) as refused:
        await api.admin.delete("configmaps", "c", "demo", uid="00000000-0000-0000-0000-000000000000")
    assert refused.value.code == 409
    await api.admin.get("configmaps", "c", "demo")


def owned_by(owner: dict[str, Any], *, block: bool = False) -> list[dict[str, Any]]:
    meta = owner["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": meta["name"], "uid": meta["uid"]}
    return [{**reference, "blockOwnerDeletion": True} if block else reference]


async def test_background_deletion_takes_the_dependents_along(api: Api) -> None:
    owner = await api.admin.create("configmaps", config_map("owner"))
    await api.admin.create("configmaps", config_map("child", ownerReferences=owned_by(owner)))
    await api.admin.delete("configmaps", "owner", "demo", propagation="Background")
    await gone(api, "configmaps", "child")


async def test_foreground_deletion_waits_for_the_dependents(api: Api) -> None:
    owner = await api.admin.create("configmaps", config_map("owner"))
    held = config_map("child", ownerReferences=owned_by(owner, block=True), finalizers=["example.com/hold"])
    await api.admin.create("configmaps", held)
    await api.admin.delete("configmaps", "owner", "demo", propagation="Foreground")
    await settled(api, "configmaps", "child", lambda obj: bool(obj["metadata"].get("deletionTimestamp")))
    assert (await api.admin.get("configmaps", "owner", "demo"))["metadata"]["finalizers"] == ["foregroundDeletion"]
    await api.admin.patch("configmaps", "child", "demo", {"metadata": {"finalizers": None}})
    await gone(api, "configmaps", "owner")


async def test_orphans_stay_and_lose_their_owner(api: Api) -> None:
    owner = await api.admin.create("configmaps", config_map("owner"))
    await api.admin.create("configmaps", config_map("child", ownerReferences=owned_by(owner)))
    await api.admin.delete("configmaps", "owner", "demo", propagation="Orphan")
    await gone(api, "configmaps", "owner")
    assert "ownerReferences" not in (await api.admin.get("configmaps", "child", "demo"))["metadata"]


async def test_an_owner_that_never_was_is_no_owner(api: Api) -> None:
    missing = {"metadata": {"name": "missing", "uid": "00000000-0000-0000-0000-000000000000"}}
    await api.admin.create("configmaps", config_map("child", ownerReferences=owned_by(missing)))
    await gone(api, "configmaps", "child")


async def test_a_collection_is_deleted_by_selector(api: Api) -> None:
    for name, group in (("a", "x"), ("b", "x"), ("c", "y")):
        await api.admin.create("configmaps", config_map(name, labels={"group": group}))
    path = api.admin.path("configmaps", "demo")
    answer = await api.admin.request("DELETE", path, query={"labelSelector": "group=x"})
    assert [item["metadata"]["name"] for item in answer["items"]] == ["a", "b"]
    left, _ = await api.admin.list("configmaps", "demo", labels="group")
    assert [item["metadata"]["name"] for item in left] == ["c"]


async def test_a_namespace_is_emptied_before_it_goes(api: Api) -> None:
    await api.admin.create("namespaces", {"kind": "Namespace", "metadata": {"name": "old"}})
    await settled(api, "serviceaccounts", "default", lambda obj: obj is not None, "old")
    await api.admin.create("configmaps", config_map("held", "old", finalizers=["example.com/hold"]))
    await api.admin.create("virtualmachines.kubevirt.io", virtual_machine("vm", "old"))
    await api.admin.delete("namespaces", "old")
    await gone(api, "virtualmachines.kubevirt.io", "vm", "old")
    namespace = await api.admin.get("namespaces", "old")
    assert namespace["status"] == {"phase": "Terminating"}
    with pytest.raises(ApiError) as refused:
        await api.admin.create("configmaps", config_map("late", "old"))
    assert (refused.value.code, refused.value.reason) == (403, "Forbidden")
    assert refused.value.details is not None
    assert refused.value.details["causes"][0]["reason"] == "NamespaceTerminating"
    await api.admin.patch("configmaps", "held", "old", {"metadata": {"finalizers": None}})
    await gone(api, "namespaces", "old", None)
