# SPDX-License-Identifier: Apache-2.0
"""Optimistic writes under conflicts and a server that is out of order."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.apiserver.builtin import default_registry
from emulator.apiserver.core import ApiCore
from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.users import ADMIN
from emulator.kube.client import Obj
from emulator.kube.errors import ApiError
from emulator.nodeagent import retry_on_conflict


class Moody(LocalClient):
    """Refuses the first writes with what it is told to."""

    refusals: list[int]

    async def replace(self, resource: str, obj: Obj, *, subresource: str = "") -> Obj:
        if self.refusals:
            raise ApiError(self.refusals.pop(0), "", "not now")
        return await super().replace(resource, obj, subresource=subresource)


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> Moody:
    monkeypatch.setattr(retry_on_conflict, "PAUSE", 0)
    moody = Moody(ApiCore(default_registry()), ADMIN)
    moody.refusals = []
    await moody.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo"}})
    return moody


async def config_map(client: LocalClient) -> Obj:
    meta = {"name": "c", "namespace": "demo"}
    return await client.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {}})


def put(key: str) -> Any:
    return lambda obj: obj.setdefault("data", {}).update({key: "x"})


async def test_conflict_is_solved_on_the_fresh_object(client: Moody) -> None:
    stale = await config_map(client)
    await retry_on_conflict.update_with_retry(client, "configmaps", stale, put("theirs"))
    stored = await retry_on_conflict.update_with_retry(client, "configmaps", stale, put("ours"))
    assert stored is not None
    assert stored["data"] == {"theirs": "x", "ours": "x"}


async def test_server_out_of_order_is_waited_for(client: Moody) -> None:
    obj = await config_map(client)
    client.refusals = [503, 500, 429]
    stored = await retry_on_conflict.update_with_retry(client, "configmaps", obj, put("a"))
    assert stored is not None
    assert stored["data"] == {"a": "x"}


@pytest.mark.parametrize("refusals", [[403], [503] * retry_on_conflict.ATTEMPTS])
async def test_refusal_that_stays_is_raised(client: Moody, refusals: list[int]) -> None:
    obj = await config_map(client)
    client.refusals = refusals
    with pytest.raises(ApiError, match="not now"):
        await retry_on_conflict.update_with_retry(client, "configmaps", obj, put("a"))


async def test_object_that_is_gone_or_another_is_left_alone(client: Moody) -> None:
    obj = await config_map(client)
    await client.delete("configmaps", "c", "demo")
    assert await retry_on_conflict.update_with_retry(client, "configmaps", obj, put("a")) is None
    again = await config_map(client)
    assert await retry_on_conflict.update_with_retry(client, "configmaps", obj, put("a")) is None
    assert (await client.get("configmaps", "c", "demo"))["metadata"]["uid"] == again["metadata"]["uid"]


async def test_no_change_is_no_write(client: Moody) -> None:
    obj = await config_map(client)
    client.refusals = [500]
    stored = await retry_on_conflict.update_with_retry(client, "configmaps", obj, lambda _obj: None)
    assert stored == obj
    assert client.refusals == [500]
