# SPDX-License-Identifier: Apache-2.0
"""The event recorder: repeated events are counted, and there is a limit for each source and object."""

from __future__ import annotations

from emulator.apiserver.builtin import default_registry
from emulator.apiserver.core import ApiCore
from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.users import ADMIN
from emulator.kube.client import Obj
from emulator.kube.events import BURST, EventRecorder


async def started() -> tuple[LocalClient, Obj]:
    core = ApiCore(default_registry())
    client = LocalClient(core, ADMIN)
    await client.create("namespaces", {"metadata": {"name": "demo"}})
    return client, await client.create("configmaps", {"metadata": {"name": "one", "namespace": "demo"}})


async def events(client: LocalClient) -> list[Obj]:
    found, _ = await client.list("events", "demo")
    return found


async def test_the_same_event_is_counted() -> None:
    client, about = await started()
    recorder = EventRecorder(client, "kubelet")
    for _ in range(3):
        await recorder.warning(about, "Failed", "no image", host="node-1")
    (event,) = await events(client)
    assert (event["count"], event["type"], event["reason"], event["message"]) == (3, "Warning", "Failed", "no image")
    assert event["source"] == {"component": "kubelet", "host": "node-1"}
    assert event["reportingInstance"] == "node-1"


async def test_events_about_an_object_are_capped_for_each_host() -> None:
    client, about = await started()
    recorder = EventRecorder(client, "virt-handler")
    for number in range(BURST + 5):
        await recorder.normal(about, "Migrating", f"step {number}", host="node-1")
    assert len(await events(client)) == BURST
    await recorder.normal(about, "Migrating", "elsewhere", host="node-2")
    assert len(await events(client)) == BURST + 1


async def test_an_event_that_is_refused_stops_nothing() -> None:
    client, about = await started()
    elsewhere = {**about, "metadata": {**about["metadata"], "namespace": "gone"}}
    await EventRecorder(client, "kubelet").normal(elsewhere, "Killing", "Stopping container")
    assert await events(client) == []
